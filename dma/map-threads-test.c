/* SPDX-License-Identifier: MIT */
/*
 * map-threads-test.c - many threads map, use, widen and unmap for one device at the same time
 */
#include <linux/atomic.h>
#include "dma/test-bed.h"
#include "host/port.h"

enum { THREADS = 4 };

struct worker {
	struct bed *bed; /* whose device all share */
	struct page *page[BED_PAGES];
	atomic_t *wrong;
	u8 salt;
};

/* A table of his own, through the shared device: only his bytes may come and go. */
static void worker_runs(void *arg)
{
	static const enum dma_data_direction dirs[] = { DMA_BIDIRECTIONAL, DMA_TO_DEVICE };
	struct worker *worker = arg;
	struct device *dev = worker->bed->dev;
	unsigned int rounds = ktap_long ? 20000 : 300, round, i;
	struct scatterlist *sg;
	struct sg_table sgt;
	u8 sent[64], got[64];

	if (sg_alloc_table(&sgt, BED_PAGES, GFP_KERNEL))
		return;
	for_each_sgtable_sg(&sgt, sg, i)
		sg_set_page(sg, worker->page[i], PAGE_SIZE, 0);
	for (round = 0; round < rounds; round++) {
		enum dma_data_direction dir = dirs[round & 1];
		size_t at = (round * 1000) % (BED_BYTES - 64);

		if (dma_map_sgtable(dev, &sgt, dir, 0)) {
			atomic_inc(worker->wrong);
			continue;
		}
		if (dir == DMA_TO_DEVICE && dma_table_widen(dev, &sgt, dir, DMA_FROM_DEVICE))
			atomic_inc(worker->wrong);
		memset(sent, worker->salt + round, sizeof(sent));
		if (dma_engine_write(dev, &sgt, at, sent, 64) ||
		    dma_engine_read(dev, &sgt, at, got, 64) || memcmp(sent, got, 64))
			atomic_inc(worker->wrong);
		dma_unmap_sgtable(dev, &sgt, DMA_BIDIRECTIONAL, 0);
		if (*((u8 *)page_address(worker->page[at >> PAGE_SHIFT]) + offset_in_page(at)) !=
		    sent[0])
			atomic_inc(worker->wrong);
	}
	sg_free_table(&sgt);
}

static void threads_share_a_device(struct ktap *t)
{
	const struct machine_type *type;

	for_each_machine(type)
	{
		struct bed *bed = bed_up(t, type, 0);
		struct port_thread *thread[THREADS];
		struct worker worker[THREADS];
		struct dma_engine_stats stats;
		atomic_t wrong = ATOMIC_INIT(0);
		unsigned int i, p;

		cache_adversary(type->iommu ? 5 : 0);
		for (i = 0; i < THREADS; i++) {
			worker[i] = (struct worker){ .bed = bed, .wrong = &wrong, .salt = 50 * i };
			for (p = 0; p < BED_PAGES; p++)
				worker[i].page[p] = alloc_page(GFP_KERNEL | __GFP_ZERO);
			thread[i] = port_thread_create(worker_runs, &worker[i], "worker");
			KT_CHECK(t, thread[i]);
		}
		for (i = 0; i < THREADS; i++)
			port_thread_join(thread[i]);
		cache_adversary(0);
		KT_EQ(t, atomic_read(&wrong), 0);
		dma_engine_stats(bed->dev, &stats);
		KT_EQ(t, stats.faults, 0);
		for (i = 0; i < THREADS; i++)
			for (p = 0; p < BED_PAGES; p++)
				__free_page(worker[i].page[p]);
		bed_down(bed);
	}
}

/*
 * 100000 mappings at once: what one costs must not grow with their number (a test of seconds if it
 * did).
 */
static void many_mappings_of_one_device(struct ktap *t)
{
	unsigned int count = ktap_long ? 400000 : 30000, i;
	const struct machine_type *type;

	for_each_machine(type)
	{
		struct bed *bed = bed_up(t, type, (size_t)1 << 31);
		dma_addr_t *addr = kvcalloc(count, sizeof(*addr), GFP_KERNEL);

		for (i = 0; i < count; i++) {
			addr[i] = dma_map_page_attrs(bed->dev, bed->page[i % BED_PAGES], i % 64, 64,
						     DMA_TO_DEVICE, DMA_ATTR_SKIP_CPU_SYNC);
			if (dma_mapping_error(bed->dev, addr[i]))
				break;
		}
		KT_EQ(t, i, count);
		while (i--)
			dma_unmap_page_attrs(bed->dev, addr[i], 64, DMA_TO_DEVICE,
					     DMA_ATTR_SKIP_CPU_SYNC);
		kvfree(addr);
		bed_down(bed);
	}
}

KTAP_MAIN(KTAP_CASE(threads_share_a_device), KTAP_CASE(many_mappings_of_one_device))
