/* SPDX-License-Identifier: MIT */
/*
 * exporter-access-test.c - an exporter whose own device writes its buffer, told and untold
 */
#include <linux/dma-buf.h>
#include <linux/dma-cost.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>

#include "dma/engine.h"
#include "dma/machine.h"
#include "host/port.h"
#include "test-access.h"
#include "test-exporter.h"
#include "tests/ktap.h"

struct stage {
	struct machine *machine;
	struct device *own, *peer;
	struct test_exporter exporter;
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *attach;
	struct sg_table table; /* the exporter's own */
};

static void stage_up(struct ktap *t, struct stage *stage, const struct machine_type *type,
		     bool own_coherent, bool peer_coherent, bool blind)
{
	*stage = (struct stage){ .machine = machine_create(type, 0), .exporter.blind = blind };
	stage->own = machine_add_device(stage->machine, "own", own_coherent);
	stage->peer = machine_add_device(stage->machine, "peer", peer_coherent);
	stage->dmabuf = test_export(&stage->exporter, 0);
	KT_ASSERT(t, !IS_ERR(stage->dmabuf));
	stage->attach = dma_buf_attach(stage->dmabuf, stage->peer);
	KT_ASSERT(t, !IS_ERR(stage->attach));
	KT_EQ(t, sg_alloc_table(&stage->table, 1, GFP_KERNEL), 0);
	sg_set_page(stage->table.sgl, stage->exporter.pages, PAGE_SIZE, 0);
	KT_EQ(t, dma_map_sgtable(stage->own, &stage->table, DMA_BIDIRECTIONAL, 0), 0);
}

static void stage_down(struct stage *stage)
{
	dma_unmap_sgtable(stage->own, &stage->table, DMA_BIDIRECTIONAL, 0);
	sg_free_table(&stage->table);
	dma_buf_detach(stage->dmabuf, stage->attach);
	dma_buf_put(stage->dmabuf);
	machine_remove_device(stage->peer);
	machine_remove_device(stage->own);
	machine_destroy(stage->machine);
}

static void own_write(struct ktap *t, struct stage *stage, size_t at, u8 value, bool tell)
{
	if (tell)
		KT_EQ(t,
		      dma_buf_begin_exporter_access(stage->dmabuf, stage->own, &stage->table,
						    DMA_FROM_DEVICE),
		      0);
	KT_EQ(t, dma_engine_write(stage->own, &stage->table, at, &value, 1), 0);
	if (tell)
		dma_buf_end_exporter_access(stage->dmabuf, stage->own, &stage->table,
					    DMA_FROM_DEVICE);
}

static u8 own_read(struct ktap *t, struct stage *stage, size_t at)
{
	u8 value = 0;

	KT_EQ(t,
	      dma_buf_begin_exporter_access(stage->dmabuf, stage->own, &stage->table,
					    DMA_TO_DEVICE),
	      0);
	KT_EQ(t, dma_engine_read(stage->own, &stage->table, at, &value, 1), 0);
	dma_buf_end_exporter_access(stage->dmabuf, stage->own, &stage->table, DMA_TO_DEVICE);
	return value;
}

static u8 cpu_read(struct ktap *t, struct stage *stage, size_t at)
{
	return test_cpu_read(t, stage->dmabuf, test_bytes(&stage->exporter), at);
}

static void cpu_write(struct ktap *t, struct stage *stage, size_t at, u8 value)
{
	test_cpu_write(t, stage->dmabuf, test_bytes(&stage->exporter), at, value);
}

/* Everybody reads what everybody wrote: all machines, all mixes of domains, both policies. */
static void everybody_sees_the_exporters_bytes(struct ktap *t)
{
	for (const struct machine_type *type = machine_types; type->name; type++) {
		for (unsigned int mix = 0; mix < 8; mix++) {
			struct stage stage;

			dma_buf_set_policy(mix & 4 ? DMA_BUF_POLICY_REMAP : DMA_BUF_POLICY_CACHED);
			stage_up(t, &stage, type, mix & 1, mix & 2, false);
			for (u8 round = 1; round < 5; round++) {
				own_write(t, &stage, 100, round, true);
				KT_EQ(t, test_device_read(t, stage.attach, 100), round);
				KT_EQ(t, cpu_read(t, &stage, 100), round);
				test_device_write(t, stage.attach, 101, round + 10);
				KT_EQ(t, own_read(t, &stage, 101), round + 10);
				cpu_write(t, &stage, 102, round + 20);
				KT_EQ(t, own_read(t, &stage, 102), round + 20);
				own_write(t, &stage, 103, round + 30, true);
				KT_EQ(t, cpu_read(t, &stage, 103), round + 30);
				KT_EQ(t, test_device_read(t, stage.attach, 102), round + 20);
				/* a partial write takes nothing of others' with it */
				KT_EQ(t, cpu_read(t, &stage, 101), round + 10);
			}
			stage_down(&stage);
		}
	}
	dma_buf_set_policy(DMA_BUF_POLICY_CACHED);
}

/* The same bytes with a store of the CPU's in another line between the device's begin and end. */
static void cpu_stores_beside_it_are_kept(struct ktap *t)
{
	struct stage stage;
	u8 value = 5;

	stage_up(t, &stage, machine_type_find("arm"), false, false, false);
	KT_EQ(t, dma_buf_begin_cpu_access(stage.dmabuf, DMA_TO_DEVICE), 0);
	KT_EQ(t,
	      dma_buf_begin_exporter_access(stage.dmabuf, stage.own, &stage.table, DMA_FROM_DEVICE),
	      0);
	WRITE_ONCE(test_bytes(&stage.exporter)[1000], 7);
	KT_EQ(t, dma_engine_write(stage.own, &stage.table, 0, &value, 1), 0);
	dma_buf_end_exporter_access(stage.dmabuf, stage.own, &stage.table, DMA_FROM_DEVICE);
	KT_EQ(t, dma_buf_end_cpu_access(stage.dmabuf, DMA_TO_DEVICE), 0);
	KT_EQ(t, cpu_read(t, &stage, 1000), 7);
	KT_EQ(t, cpu_read(t, &stage, 0), 5);
	KT_EQ(t, test_device_read(t, stage.attach, 1000), 7);
	KT_EQ(t, test_device_read(t, stage.attach, 0), 5);
	stage_down(&stage);
}

/* Of an exporter that says it tells and does not, others read old bytes. */
static void lying_is_stale(struct ktap *t)
{
	struct stage stage;

	stage_up(t, &stage, machine_type_find("arm"), true, false, false);
	KT_EQ(t, test_device_read(t, stage.attach, 100), 0);
	own_write(t, &stage, 100, 9, false);
	KT_EQ(t, test_device_read(t, stage.attach, 100), 0);
	stage_down(&stage);
}

/* One that says nothing may stay silent: write(exporter); begin(nc,R) reads what a fresh map would. */
static void silent_exporter_is_as_with_fresh_mappings(struct ktap *t)
{
	struct dma_costs before, spent;
	struct stage stage;

	stage_up(t, &stage, machine_type_find("arm"), true, false, true);
	KT_EQ(t, test_device_read(t, stage.attach, 100), 0);
	dma_cost_read(&before);
	for (u8 round = 1; round < 5; round++) {
		own_write(t, &stage, 100, round, false);
		KT_EQ(t, test_device_read(t, stage.attach, 100), round);
		test_device_write(t, stage.attach, 200, round);
		KT_EQ(t, test_bytes(&stage.exporter)[200], round);
	}
	dma_cost_since(&before, &spent);
	KT_EQ(t, stage.exporter.maps, 2); /* kept all the same */
	KT_CHECK(t, spent.count[DMA_COST_BYTES_CLEANED] >= 8 * PAGE_SIZE);
	/* a program's bracket does not end it */
	KT_EQ(t, dma_buf_begin_cpu_access(stage.dmabuf, DMA_BIDIRECTIONAL), 0);
	KT_EQ(t, dma_buf_end_cpu_access(stage.dmabuf, DMA_BIDIRECTIONAL), 0);
	KT_EQ(t, dma_buf_end_cpu_access(stage.dmabuf, DMA_BIDIRECTIONAL), 0);
	own_write(t, &stage, 100, 77, false);
	KT_EQ(t, test_device_read(t, stage.attach, 100), 77);
	stage_down(&stage);
}

/*
 * Flushing where nobody is outside C must not say that C is clean: its slots write on past the
 * directory.
 */
static void flush_without_a_directory_hides_no_later_write(struct ktap *t)
{
	struct dma_buf_attachment *snoops;
	struct stage stage;

	stage_up(t, &stage, machine_type_find("arm"), true, false, false);
	snoops = dma_buf_attach(stage.dmabuf, stage.own);
	KT_ASSERT(t, !IS_ERR(snoops));
	for (u8 value = 1; value < 3; value++) {
		struct sg_table *sgt = dma_buf_map_attachment_unlocked(snoops, DMA_FROM_DEVICE);

		KT_ASSERT(t, !IS_ERR(sgt));
		KT_EQ(t, dma_engine_write(stage.own, sgt, 0, &value, 1), 0);
		dma_buf_unmap_attachment_unlocked(snoops, sgt, DMA_FROM_DEVICE);
		if (value == 1)
			KT_EQ(t, cpu_read(t, &stage, 0), 1);
	}
	KT_EQ(t, test_device_read(t, stage.attach, 0), 2);
	dma_buf_detach(stage.dmabuf, snoops);
	stage_down(&stage);
}

static void device_memory_moves_nothing(struct ktap *t)
{
	struct dma_costs before, spent;
	struct stage stage;

	stage_up(t, &stage, machine_type_find("arm"), false, false, false);
	dma_cost_read(&before);
	KT_EQ(t, dma_buf_begin_exporter_access(stage.dmabuf, stage.own, NULL, DMA_BIDIRECTIONAL),
	      0);
	dma_buf_end_exporter_access(stage.dmabuf, stage.own, NULL, DMA_BIDIRECTIONAL);
	dma_cost_since(&before, &spent);
	KT_EQ(t, spent.count[DMA_COST_BYTES_CLEANED], 0);
	KT_EQ(t, spent.count[DMA_COST_BYTES_INVALIDATED], 0);
	stage_down(&stage);
}

static void nonsense_is_refused(struct ktap *t)
{
	struct stage stage;

	stage_up(t, &stage, machine_type_find("pc"), true, true, false);
	for (unsigned int i = 0; i < 3; i++) {
		ktap_expect_warn(t, "begin_exporter_access without");
		ktap_expect_warn(t, "end_exporter_access without");
	}
	KT_EQ(t, dma_buf_begin_exporter_access(NULL, stage.own, NULL, DMA_TO_DEVICE), -EINVAL);
	KT_EQ(t, dma_buf_begin_exporter_access(stage.dmabuf, NULL, NULL, DMA_TO_DEVICE), -EINVAL);
	KT_EQ(t, dma_buf_begin_exporter_access(stage.dmabuf, stage.own, NULL, DMA_NONE), -EINVAL);
	dma_buf_end_exporter_access(NULL, stage.own, NULL, DMA_TO_DEVICE);
	dma_buf_end_exporter_access(stage.dmabuf, NULL, NULL, DMA_TO_DEVICE);
	dma_buf_end_exporter_access(stage.dmabuf, stage.own, NULL, DMA_NONE);
	stage_down(&stage);
}

static void each_failing_allocation_is_undone(struct ktap *t)
{
	struct stage stage;
	int ret;

	stage_up(t, &stage, machine_type_find("arm"), false, false, true);
	for (unsigned int k = 1;; k++) {
		port_fail_nth(PORT_FAULT_ALLOC, k);
		ret = dma_buf_begin_exporter_access(stage.dmabuf, stage.own, &stage.table,
						    DMA_TO_DEVICE);
		port_fail_nth(PORT_FAULT_ALLOC, 0);
		if (!ret)
			break;
		KT_EQ(t, ret, -ENOMEM);
		KT_CHECK(t, k < 10);
	}
	dma_buf_end_exporter_access(stage.dmabuf, stage.own, &stage.table, DMA_TO_DEVICE);
	stage_down(&stage);
}

static void blind_export_out_of_memory(struct ktap *t)
{
	for (unsigned int k = 1; k < 50; k++) {
		struct test_exporter exporter = { .blind = true };
		struct dma_buf *dmabuf;

		port_fail_nth(PORT_FAULT_ALLOC, k);
		dmabuf = test_export(&exporter, 0);
		port_fail_nth(PORT_FAULT_ALLOC, 0);
		if (!IS_ERR(dmabuf)) {
			KT_CHECK(t, k > 2);
			dma_buf_put(dmabuf);
			return;
		}
		KT_EQ(t, PTR_ERR(dmabuf), -ENOMEM);
	}
	KT_CHECK(t, false);
}

KTAP_MAIN(KTAP_CASE(everybody_sees_the_exporters_bytes), KTAP_CASE(cpu_stores_beside_it_are_kept),
	  KTAP_CASE(lying_is_stale), KTAP_CASE(silent_exporter_is_as_with_fresh_mappings),
	  KTAP_CASE(flush_without_a_directory_hides_no_later_write),
	  KTAP_CASE(device_memory_moves_nothing), KTAP_CASE(nonsense_is_refused),
	  KTAP_CASE(each_failing_allocation_is_undone), KTAP_CASE(blind_export_out_of_memory))
