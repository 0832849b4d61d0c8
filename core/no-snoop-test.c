/* SPDX-License-Identifier: MIT */
/*
 * no-snoop-test.c - who goes past the CPU's caches by choice: a device for some of its accesses,
 * and a CPU whose mappings are uncached
 */
#include <linux/dma-buf.h>
#include <linux/dma-cost.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>

#include "dma/cache.h"
#include "dma/engine.h"
#include "dma/machine.h"
#include "host/port.h"
#include "test-access.h"
#include "test-exporter.h"
#include "tests/ktap.h"

#define DEVICES 2

struct stage {
	struct machine *machine;
	struct test_exporter exporter;
	struct dma_buf *dmabuf;
	struct device *dev[DEVICES];
	struct dma_buf_attachment *attach[DEVICES];
	u8 *cpu; /* where the CPU finds the bytes */
};

static int uncached_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct test_exporter *exporter = dmabuf->priv;

	iosys_map_set_vaddr(map, cache_behind(page_to_phys(exporter->pages)));
	return 0;
}

static void stage_up(struct ktap *t, struct stage *stage, const struct machine_type *type,
		     bool uncached, bool no_snoop)
{
	KT_EQ(t, cache_prepare(), 0);
	*stage = (struct stage){ .machine = machine_create(type, 0) };
	stage->exporter.ops.cpu_maps_uncached = uncached;
	stage->exporter.ops.vmap = uncached ? uncached_vmap : NULL;
	stage->dmabuf = test_export(&stage->exporter, 0);
	KT_ASSERT(t, !IS_ERR(stage->dmabuf));
	stage->cpu = test_bytes(&stage->exporter);
	if (uncached) {
		/* what dma_alloc_wc() does: no line in any cache, and zeroes in memory */
		cache_maintain(page_to_phys(stage->exporter.pages), PAGE_SIZE,
			       DMA_TABLE_CLEAN_INVALIDATE);
		stage->cpu = cache_behind(page_to_phys(stage->exporter.pages));
	}
	for (unsigned int i = 0; i < DEVICES; i++) {
		stage->dev[i] = machine_add_device(stage->machine, i ? "snoops" : "first",
						   i || type->coherent);
		stage->attach[i] =
			no_snoop && !i
				? dma_buf_attach_no_snoop(stage->dmabuf, stage->dev[i], NULL, NULL)
				: dma_buf_attach(stage->dmabuf, stage->dev[i]);
		KT_ASSERT(t, !IS_ERR(stage->attach[i]));
	}
}

static void stage_down(struct stage *stage)
{
	for (unsigned int i = 0; i < DEVICES; i++)
		dma_buf_detach(stage->dmabuf, stage->attach[i]);
	dma_buf_put(stage->dmabuf);
	for (unsigned int i = 0; i < DEVICES; i++)
		machine_remove_device(stage->dev[i]);
	machine_destroy(stage->machine);
}

/* Everybody writes a line of his own, and everybody reads all of them, again and again. */
static void everybody_reads_everybody(struct ktap *t, struct stage *stage)
{
	for (u8 round = 1; round < 6; round++) {
		test_device_write(t, stage->attach[0], 0, round);
		KT_EQ(t, test_device_read(t, stage->attach[1], 0), round);
		KT_EQ(t, test_cpu_read(t, stage->dmabuf, stage->cpu, 0), round);
		test_device_write(t, stage->attach[1], 100, round + 50);
		KT_EQ(t, test_cpu_read(t, stage->dmabuf, stage->cpu, 100), round + 50);
		KT_EQ(t, test_device_read(t, stage->attach[0], 100), round + 50);
		test_cpu_write(t, stage->dmabuf, stage->cpu, 200, round + 100);
		KT_EQ(t, test_device_read(t, stage->attach[1], 200), round + 100);
		KT_EQ(t, test_device_read(t, stage->attach[0], 200), round + 100);
		KT_EQ(t, test_device_read(t, stage->attach[1], 0), round);
		KT_EQ(t, test_device_read(t, stage->attach[0], 100), round + 50);
		KT_EQ(t, test_cpu_read(t, stage->dmabuf, stage->cpu, 0), round);
	}
}

static void device_that_does_not_snoop_today(struct ktap *t)
{
	for (unsigned int policy = 0; policy < 2; policy++) {
		dma_buf_set_policy(policy ? DMA_BUF_POLICY_REMAP : DMA_BUF_POLICY_CACHED);
		for (const struct machine_type *type = machine_types; type->name; type++) {
			struct stage stage;

			if (type->dma_mask <= DMA_BIT_MASK(32))
				continue;
			stage_up(t, &stage, type, false, true);
			KT_CHECK(t, stage.attach[0]->no_snoop && !stage.attach[1]->no_snoop);
			everybody_reads_everybody(t, &stage);
			stage_down(&stage);
		}
	}
	dma_buf_set_policy(DMA_BUF_POLICY_CACHED);
}

/* The same device both ways: two mappings, two domains. */
static void one_device_both_ways(struct ktap *t)
{
	struct dma_buf_attachment *past;
	struct stage stage;

	stage_up(t, &stage, machine_type_find("pc-iommu"), false, false);
	past = dma_buf_attach_no_snoop(stage.dmabuf, stage.dev[0], NULL, NULL);
	KT_ASSERT(t, !IS_ERR(past));
	KT_CHECK(t, past != stage.attach[0] && past->set != stage.attach[0]->set);
	for (u8 round = 1; round < 5; round++) {
		test_device_write(t, past, 7, round);
		KT_EQ(t, test_device_read(t, stage.attach[0], 7), round);
		test_device_write(t, stage.attach[0], 7, round + 10);
		KT_EQ(t, test_device_read(t, past, 7), round + 10);
	}
	dma_buf_detach(stage.dmabuf, past);
	stage_down(&stage);
}

/* Without saying so the same accesses find what lies behind the caches. */
static void unsaid_it_reads_old_bytes(struct ktap *t)
{
	struct stage stage;
	struct sg_table *sgt;
	struct dma_cursor cursor = { .no_snoop = true };
	u8 value = 1;

	stage_up(t, &stage, machine_type_find("pc"), false, false);
	test_cpu_write(t, stage.dmabuf, stage.cpu, 0, 99);
	sgt = dma_buf_map_attachment_unlocked(stage.attach[0], DMA_TO_DEVICE);
	KT_ASSERT(t, !IS_ERR(sgt));
	KT_EQ(t, dma_engine_read_from(stage.dev[0], sgt, &cursor, 0, &value, 1), 0);
	KT_CHECK(t, value != 99);
	dma_buf_unmap_attachment_unlocked(stage.attach[0], sgt, DMA_TO_DEVICE);
	stage_down(&stage);
}

static void bounced_devices_cannot(struct ktap *t)
{
	struct machine *machine = machine_create(machine_type_find("bounce"), 0);
	struct device *dev = machine_add_device(machine, "first", true);
	struct test_exporter exporter = {};
	struct dma_buf *dmabuf = test_export(&exporter, 0);

	KT_EQ(t, PTR_ERR(dma_buf_attach_no_snoop(dmabuf, dev, NULL, NULL)), -EOPNOTSUPP);
	dma_buf_put(dmabuf);
	machine_remove_device(dev);
	machine_destroy(machine);
}

/* --- a CPU past its caches -------------------------------------------------------------------- */

static void uncached_cpu_on_all_machines(struct ktap *t)
{
	for (const struct machine_type *type = machine_types; type->name; type++) {
		struct stage stage;

		stage_up(t, &stage, type, true, false);
		everybody_reads_everybody(t, &stage);
		stage_down(&stage);
	}
}

/* With a device that does not snoop the CPU shares a domain: nothing is ever maintained. */
static void uncached_cpu_beside_a_device_in_memory_is_free(struct ktap *t)
{
	struct dma_costs before, spent;
	struct stage stage;

	stage_up(t, &stage, machine_type_find("arm"), true, false);
	dma_cost_read(&before);
	for (u8 round = 1; round < 5; round++) {
		test_device_write(t, stage.attach[0], 0, round);
		KT_EQ(t, test_cpu_read(t, stage.dmabuf, stage.cpu, 0), round);
		test_cpu_write(t, stage.dmabuf, stage.cpu, 1, round);
		KT_EQ(t, test_device_read(t, stage.attach[0], 1), round);
	}
	dma_cost_since(&before, &spent);
	KT_EQ(t, spent.count[DMA_COST_BYTES_CLEANED], 0);
	KT_EQ(t, spent.count[DMA_COST_BYTES_INVALIDATED], 0);
	stage_down(&stage);
}

/* Bytes that only a cache holds are in memory before the last table that can clean them goes. */
static void what_a_snooping_device_wrote_outlives_it(struct ktap *t)
{
	static const char *const machines[] = { "pc", "pc-iommu", "bounce" };

	for (unsigned int i = 0; i < ARRAY_SIZE(machines); i++) {
		struct stage stage;

		stage_up(t, &stage, machine_type_find(machines[i]), true, false);
		test_device_write(t, stage.attach[1], 300, 77);
		for (unsigned int d = 0; d < DEVICES; d++)
			dma_buf_detach(stage.dmabuf, stage.attach[d]);
		for (unsigned int d = 0; d < DEVICES; d++)
			machine_remove_device(stage.dev[d]);
		KT_EQ(t, test_cpu_read(t, stage.dmabuf, stage.cpu, 300), 77);
		dma_buf_put(stage.dmabuf);
		machine_destroy(stage.machine);
	}
}

/* A vmap nobody brackets is an access in M that stays open. */
static void uncached_vmap_needs_no_brackets(struct ktap *t)
{
	for (const struct machine_type *type = machine_types; type->name; type++) {
		struct iosys_map map;
		struct stage stage;

		stage_up(t, &stage, type, true, false);
		KT_EQ(t, dma_buf_vmap_unlocked(stage.dmabuf, &map), 0);
		for (u8 round = 1; round < 5; round++) {
			WRITE_ONCE(((u8 *)map.vaddr)[0], round);
			KT_EQ(t, test_device_read(t, stage.attach[1], 0), round);
			KT_EQ(t, test_device_read(t, stage.attach[0], 0), round);
			test_device_write(t, stage.attach[1], 128, round);
			KT_EQ(t, READ_ONCE(((u8 *)map.vaddr)[128]), round);
		}
		dma_buf_vunmap_unlocked(stage.dmabuf, &map);
		stage_down(&stage);
	}
}

static void stray_ends_and_partial_brackets(struct ktap *t)
{
	struct stage stage;

	stage_up(t, &stage, machine_type_find("pc"), true, false);
	test_device_write(t, stage.attach[1], 0, 5);
	WRITE_ONCE(stage.cpu[1000], 9);
	KT_EQ(t, dma_buf_end_cpu_access(stage.dmabuf, DMA_TO_DEVICE), 0);
	KT_EQ(t, test_device_read(t, stage.attach[1], 1000), 9);
	KT_EQ(t, test_device_read(t, stage.attach[1], 0), 5);
	KT_EQ(t, dma_buf_begin_cpu_access_partial(stage.dmabuf, DMA_TO_DEVICE, 1000, 1), 0);
	WRITE_ONCE(stage.cpu[1000], 10);
	KT_EQ(t, dma_buf_end_cpu_access_partial(stage.dmabuf, DMA_TO_DEVICE, 1000, 1), 0);
	KT_EQ(t, test_device_read(t, stage.attach[1], 1000), 10);
	KT_EQ(t, test_cpu_read(t, stage.dmabuf, stage.cpu, 0), 5);
	stage_down(&stage);
}

/* The exporter's own device, wherever it is, beside such a CPU. */
static void exporters_device_beside_an_uncached_cpu(struct ktap *t)
{
	for (const struct machine_type *type = machine_types; type->name; type++) {
		struct sg_table table;
		struct stage stage;
		u8 value;

		stage_up(t, &stage, type, true, false);
		KT_EQ(t, sg_alloc_table(&table, 1, GFP_KERNEL), 0);
		sg_set_page(table.sgl, stage.exporter.pages, PAGE_SIZE, 0);
		KT_EQ(t, dma_map_sgtable(stage.dev[0], &table, DMA_BIDIRECTIONAL, 0), 0);
		for (u8 round = 1; round < 5; round++) {
			test_cpu_write(t, stage.dmabuf, stage.cpu, 64, round);
			KT_EQ(t,
			      dma_buf_begin_exporter_access(stage.dmabuf, stage.dev[0], &table,
							    DMA_BIDIRECTIONAL),
			      0);
			KT_EQ(t, dma_engine_read(stage.dev[0], &table, 64, &value, 1), 0);
			KT_EQ(t, value, round);
			KT_EQ(t, dma_engine_write(stage.dev[0], &table, 256, &value, 1), 0);
			dma_buf_end_exporter_access(stage.dmabuf, stage.dev[0], &table,
						    DMA_BIDIRECTIONAL);
			KT_EQ(t, test_cpu_read(t, stage.dmabuf, stage.cpu, 256), round);
			KT_EQ(t, test_device_read(t, stage.attach[1], 256), round);
		}
		dma_unmap_sgtable(stage.dev[0], &table, DMA_BIDIRECTIONAL, 0);
		sg_free_table(&table);
		stage_down(&stage);
	}
}

static void exports_that_cannot_be(struct ktap *t)
{
	struct test_exporter moves = {
		.ops = { .cpu_maps_uncached = true, .pin = test_pin, .unpin = test_unpin }
	};
	struct test_exporter silent = { .ops = { .cpu_maps_uncached = true }, .blind = true };

	ktap_expect_warn(t, "cpu_maps_uncached");
	KT_EQ(t, PTR_ERR(test_export(&moves, 0)), -EINVAL);
	ktap_expect_warn(t, "cpu_maps_uncached");
	KT_EQ(t, PTR_ERR(test_export(&silent, 0)), -EINVAL);
}

KTAP_MAIN(KTAP_CASE(device_that_does_not_snoop_today), KTAP_CASE(one_device_both_ways),
	  KTAP_CASE(unsaid_it_reads_old_bytes), KTAP_CASE(bounced_devices_cannot),
	  KTAP_CASE(uncached_cpu_on_all_machines),
	  KTAP_CASE(uncached_cpu_beside_a_device_in_memory_is_free),
	  KTAP_CASE(what_a_snooping_device_wrote_outlives_it),
	  KTAP_CASE(uncached_vmap_needs_no_brackets), KTAP_CASE(stray_ends_and_partial_brackets),
	  KTAP_CASE(exporters_device_beside_an_uncached_cpu), KTAP_CASE(exports_that_cannot_be))
