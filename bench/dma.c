/* SPDX-License-Identifier: MIT */
/*
 * dma.c - rows: what a driver asks of its device's view of memory, on each machine
 */
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include <stdlib.h>

#include "bench/measure.h"
#include "dma/machine.h"

/* --- what the loops stand on ------------------------------------------------------------------ */

struct seat {
	struct machine *machine;
	struct device *dev;
	struct page *pages;
	unsigned int order;
	struct sg_table sgt; /* an entry for each page */
	dma_addr_t addr;
};

static void setup_memory(struct work *work)
{
	const struct machine_type *type = machine_type_find(work->measure->machine);
	struct seat *s = bench_zeroed(sizeof(*s));
	unsigned int nr = DIV_ROUND_UP(work->measure->bytes, PAGE_SIZE), i;
	struct scatterlist *sg;

	s->machine = bench_checked(machine_create(type, 0), "a machine");
	s->dev = bench_checked(machine_add_device(s->machine, "bench", type->coherent), "a device");
	s->order = get_order(work->measure->bytes);
	s->pages = bench_checked(alloc_pages(GFP_KERNEL | __GFP_ZERO, s->order), "pages");
	if (sg_alloc_table(&s->sgt, nr, GFP_KERNEL))
		bench_checked(NULL, "a table");
	for_each_sgtable_sg(&s->sgt, sg, i)
		sg_set_page(sg, s->pages + i, PAGE_SIZE, 0);
	work->priv = s;
}

static void teardown_memory(struct work *work)
{
	struct seat *s = work->priv;

	sg_free_table(&s->sgt);
	__free_pages(s->pages, s->order);
	machine_remove_device(s->dev);
	machine_destroy(s->machine);
	free(s);
}

static void setup_table(struct work *work)
{
	struct seat *s;

	setup_memory(work);
	s = work->priv;
	if (dma_map_sgtable(s->dev, &s->sgt, DMA_BIDIRECTIONAL, 0))
		bench_checked(NULL, "a mapping");
}

static void teardown_table(struct work *work)
{
	struct seat *s = work->priv;

	dma_unmap_sgtable(s->dev, &s->sgt, DMA_BIDIRECTIONAL, 0);
	teardown_memory(work);
}

static void setup_single(struct work *work)
{
	struct seat *s;

	setup_memory(work);
	s = work->priv;
	s->addr = dma_map_page(s->dev, s->pages, 0, work->measure->bytes, DMA_BIDIRECTIONAL);
	if (dma_mapping_error(s->dev, s->addr))
		bench_checked(NULL, "a mapping");
}

static void teardown_single(struct work *work)
{
	struct seat *s = work->priv;

	dma_unmap_page(s->dev, s->addr, work->measure->bytes, DMA_BIDIRECTIONAL);
	teardown_memory(work);
}

/* --- loops ------------------------------------------------------------------------------------ */

static noinline void loop_map_sgtable(struct work *work)
{
	struct seat *s = work->priv;

	for (u64 i = 0; i < work->pairs; i++) {
		if (dma_map_sgtable(s->dev, &s->sgt, DMA_TO_DEVICE, 0))
			abort();
		dma_unmap_sgtable(s->dev, &s->sgt, DMA_TO_DEVICE, 0);
	}
}

static noinline void loop_map_page(struct work *work)
{
	struct seat *s = work->priv;

	for (u64 i = 0; i < work->pairs; i++) {
		dma_addr_t addr =
			dma_map_page(s->dev, s->pages, 0, work->measure->bytes, DMA_TO_DEVICE);

		if (dma_mapping_error(s->dev, addr))
			abort();
		dma_unmap_page(s->dev, addr, work->measure->bytes, DMA_TO_DEVICE);
	}
}

static noinline void loop_map_single(struct work *work)
{
	struct seat *s = work->priv;
	void *cpu = page_address(s->pages);

	for (u64 i = 0; i < work->pairs; i++) {
		dma_addr_t addr = dma_map_single(s->dev, cpu, work->measure->bytes, DMA_TO_DEVICE);

		if (dma_mapping_error(s->dev, addr))
			abort();
		dma_unmap_single(s->dev, addr, work->measure->bytes, DMA_TO_DEVICE);
	}
}

static noinline void loop_sync_sgtable(struct work *work)
{
	struct seat *s = work->priv;

	for (u64 i = 0; i < work->pairs; i++) {
		dma_sync_sgtable_for_cpu(s->dev, &s->sgt, DMA_BIDIRECTIONAL);
		dma_sync_sgtable_for_device(s->dev, &s->sgt, DMA_BIDIRECTIONAL);
	}
}

static noinline void loop_sync_single(struct work *work)
{
	struct seat *s = work->priv;

	for (u64 i = 0; i < work->pairs; i++) {
		dma_sync_single_for_cpu(s->dev, s->addr, work->measure->bytes, DMA_BIDIRECTIONAL);
		dma_sync_single_for_device(s->dev, s->addr, work->measure->bytes,
					   DMA_BIDIRECTIONAL);
	}
}

static noinline void loop_alloc(struct work *work)
{
	struct seat *s = work->priv;

	for (u64 i = 0; i < work->pairs; i++) {
		dma_addr_t handle;
		void *cpu = dma_alloc_coherent(s->dev, work->measure->bytes, &handle, GFP_KERNEL);

		dma_free_coherent(s->dev, work->measure->bytes, cpu, handle);
	}
}

/* --- rows ------------------------------------------------------------------------------------- */

/* On the first machine against two atomics or clearing as much, on the others against the first. */
#define ROW(machine_, name_, loop_, kind_, bytes_, ...)                              \
	{                                                                            \
		.name = name_, .loop = loop_, .setup = setup_##kind_,                \
		.teardown = teardown_##kind_, .n = 1, .threads = 1, .bytes = bytes_, \
		.machine = machine_, .pairs = PAIRS_TIMED, __VA_ARGS__               \
	}
#define AGAINST_PC(machine_, name_, loop_, kind_, bytes_) \
	ROW(machine_, name_, loop_, kind_, bytes_, BASE(name_, 1, bytes_, 0), .base_machine = "pc")
#define MACHINES(name_, loop_, kind_, bytes_, ...)                     \
	ROW("pc", name_, loop_, kind_, bytes_, __VA_ARGS__),           \
		AGAINST_PC("pc-iommu", name_, loop_, kind_, bytes_),   \
		AGAINST_PC("arm", name_, loop_, kind_, bytes_),        \
		AGAINST_PC("arm-direct", name_, loop_, kind_, bytes_), \
		AGAINST_PC("bounce", name_, loop_, kind_, bytes_)

static const struct measure measures[] = {
	MACHINES("dma_map_sgtable", loop_map_sgtable, memory, 4 * KIB, ATOMIC(1, 0)),
	MACHINES("dma_map_sgtable", loop_map_sgtable, memory, MIB, ATOMIC(1, 0)),
	MACHINES("dma_map_page", loop_map_page, memory, 4 * KIB, ATOMIC(1, 0)),
	MACHINES("dma_map_page", loop_map_page, memory, 64 * KIB, ATOMIC(1, 0)),
	MACHINES("dma_map_single", loop_map_single, memory, 4 * KIB, ATOMIC(1, 0)),
	MACHINES("dma_sync_sgtable", loop_sync_sgtable, table, MIB, ATOMIC(1, 0)),
	MACHINES("dma_sync_single", loop_sync_single, single, 4 * KIB, ATOMIC(1, 0)),
	MACHINES("dma_alloc", loop_alloc, memory, 4 * KIB, BASE("clear", 1, 4 * KIB, 0)),
	MACHINES("dma_alloc", loop_alloc, memory, MIB, BASE("clear", 1, MIB, 0)),
};

const struct bench_group bench_dma = { measures, ARRAY_SIZE(measures) };
