/* SPDX-License-Identifier: MIT */
/*
 * exporter-syncs-test.c - an unmodified exporter that syncs, for every access of the CPU, all
 * mappings it gave out
 *
 * Most of Linux's do.  Under `cached` some of these mappings are idle, and where a device bounces an
 * idle slot is older than memory.
 */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/kernel.h>

#include "dma/engine.h"
#include "dma/machine.h"
#include "test-access.h"
#include "test-exporter.h"
#include "tests/ktap.h"

static struct {
	struct device *dev;
	struct sg_table *sgt;
} given[4];

static struct dma_buf_ops inner;

static struct sg_table *map(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	struct sg_table *sgt = inner.map_dma_buf(attach, dir);

	for (size_t i = 0; i < ARRAY_SIZE(given); i++) {
		if (given[i].sgt)
			continue;
		given[i].dev = attach->dev;
		given[i].sgt = sgt;
		break;
	}
	return sgt;
}

static void unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
		  enum dma_data_direction dir)
{
	for (size_t i = 0; i < ARRAY_SIZE(given); i++)
		if (given[i].sgt == sgt)
			given[i].sgt = NULL;
	inner.unmap_dma_buf(attach, sgt, dir);
}

/* The first one given out last: what it holds stays in memory. */
static int begin(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	for (size_t i = ARRAY_SIZE(given); i-- > 0;)
		if (given[i].sgt)
			dma_sync_sgtable_for_cpu(given[i].dev, given[i].sgt, dir);
	return 0;
}

static int end(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	for (size_t i = 0; i < ARRAY_SIZE(given); i++)
		if (given[i].sgt)
			dma_sync_sgtable_for_device(given[i].dev, given[i].sgt, dir);
	return 0;
}

struct stage {
	struct machine *machine;
	struct device *dev;
	struct test_exporter exporter;
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *attach;
};

static void stage_up(struct ktap *t, struct stage *stage, const struct machine_type *type,
		     enum dma_buf_policy policy, bool blind)
{
	*stage = (struct stage){ .machine = machine_create(type, 0), .exporter.blind = blind };
	stage->dev = machine_add_device(stage->machine, "device", type->coherent);
	dma_buf_set_policy(policy);
	stage->dmabuf = test_export(&stage->exporter, 0);
	KT_ASSERT(t, !IS_ERR(stage->dmabuf));
	inner = stage->exporter.ops;
	stage->exporter.ops.map_dma_buf = map;
	stage->exporter.ops.unmap_dma_buf = unmap;
	stage->exporter.ops.begin_cpu_access = begin;
	stage->exporter.ops.end_cpu_access = end;
	stage->attach = dma_buf_attach(stage->dmabuf, stage->dev);
	KT_ASSERT(t, !IS_ERR(stage->attach));
}

static void stage_down(struct stage *stage)
{
	dma_buf_detach(stage->dmabuf, stage->attach);
	dma_buf_put(stage->dmabuf);
	machine_remove_device(stage->dev);
	machine_destroy(stage->machine);
	dma_buf_set_policy(DMA_BUF_POLICY_CACHED);
}

static void device_write(struct ktap *t, struct stage *stage, const struct sg_table *sgt, size_t at,
			 u8 value)
{
	KT_EQ(t, dma_engine_write(stage->dev, sgt, at, &value, 1), 0);
}

static u8 cpu_read(struct ktap *t, struct stage *stage, size_t at)
{
	return test_cpu_read(t, stage->dmabuf, test_bytes(&stage->exporter), at);
}

static void cpu_write(struct ktap *t, struct stage *stage, size_t at, u8 value)
{
	test_cpu_write(t, stage->dmabuf, test_bytes(&stage->exporter), at, value);
}

/* An idle slot goes over memory before the CPU reads it. */
static void an_idle_slot_is_not_older_than_memory(struct ktap *t, struct stage *stage)
{
	struct sg_table *sgt;

	KT_EQ(t, test_device_read(t, stage->attach, 0), 0);
	sgt = dma_buf_map_attachment_unlocked(stage->attach, DMA_FROM_DEVICE);
	KT_ASSERT(t, !IS_ERR(sgt));
	device_write(t, stage, sgt, 0, 1);
	device_write(t, stage, sgt, 100, 2);
	KT_EQ(t, cpu_read(t, stage, 0), 1);
	device_write(t, stage, sgt, 100, 3);
	KT_EQ(t, cpu_read(t, stage, 0), 1);
	KT_EQ(t, cpu_read(t, stage, 100), 3);
	dma_buf_unmap_attachment_unlocked(stage->attach, sgt, DMA_FROM_DEVICE);
	KT_EQ(t, cpu_read(t, stage, 0), 1);
}

/* Memory goes over an idle slot, whose directory thinks it still has what it had. */
static void an_idle_slot_that_was_filled_is_no_newer(struct ktap *t, struct stage *stage)
{
	struct sg_table *sgt;

	KT_EQ(t, test_device_read(t, stage->attach, 200), 0);
	cpu_write(t, stage, 200, 9);
	sgt = dma_buf_map_attachment_unlocked(stage->attach, DMA_FROM_DEVICE);
	KT_ASSERT(t, !IS_ERR(sgt));
	device_write(t, stage, sgt, 200, 0);
	dma_buf_unmap_attachment_unlocked(stage->attach, sgt, DMA_FROM_DEVICE);
	KT_EQ(t, test_device_read(t, stage->attach, 200), 0);
	KT_EQ(t, cpu_read(t, stage, 200), 0);
}

/*
 * Memory goes over an idle slot that alone is whole, for an access that knows of one line.  Of an
 * exporter that tells its own accesses: else the caches are whole whenever a device has ended.
 */
static void bytes_beside_a_part_stay(struct ktap *t, struct stage *stage)
{
	struct sg_table *sgt = dma_buf_map_attachment_unlocked(stage->attach, DMA_BIDIRECTIONAL);

	KT_ASSERT(t, !IS_ERR(sgt));
	device_write(t, stage, sgt, 0, 7);
	dma_buf_unmap_attachment_unlocked(stage->attach, sgt, DMA_BIDIRECTIONAL);
	KT_EQ(t, dma_buf_begin_cpu_access_partial(stage->dmabuf, DMA_TO_DEVICE, 512, 1), 0);
	KT_EQ(t, dma_buf_end_cpu_access_partial(stage->dmabuf, DMA_TO_DEVICE, 512, 1), 0);
	KT_EQ(t, cpu_read(t, stage, 0), 7);
}

static void everywhere(struct ktap *t, bool blind, void (*fn)(struct ktap *t, struct stage *stage))
{
	for (const struct machine_type *type = machine_types; type->name; type++) {
		for (int policy = DMA_BUF_POLICY_CACHED; policy <= DMA_BUF_POLICY_REMAP; policy++) {
			struct stage stage;

			stage_up(t, &stage, type, policy, blind);
			fn(t, &stage);
			stage_down(&stage);
		}
	}
}

static void syncs_before_the_cpu(struct ktap *t)
{
	everywhere(t, true, an_idle_slot_is_not_older_than_memory);
}

static void syncs_after_the_cpu(struct ktap *t)
{
	everywhere(t, true, an_idle_slot_that_was_filled_is_no_newer);
}

static void syncs_more_than_a_part(struct ktap *t)
{
	everywhere(t, false, bytes_beside_a_part_stay);
}

KTAP_MAIN(KTAP_CASE(syncs_before_the_cpu), KTAP_CASE(syncs_after_the_cpu),
	  KTAP_CASE(syncs_more_than_a_part))
