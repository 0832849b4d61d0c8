/* SPDX-License-Identifier: MIT */
/*
 * alloc-test.c - memory that CPU and device use at the same time, on every machine
 */
#include "dma/test-bed.h"
#include "host/memory.h"
#include "host/port.h"

static void nobody_syncs(struct ktap *t)
{
	const struct machine_type *type;

	for_each_machine(type)
	{
		struct bed *bed = bed_up(t, type, 0);
		unsigned int way;

		for (way = 0; way < 2; way++) {
			unsigned long attrs = way ? DMA_ATTR_WRITE_COMBINE : 0;
			size_t size = 3 * PAGE_SIZE - 10;
			struct dma_costs before, delta;
			struct scatterlist sg;
			struct sg_table table = { .sgl = &sg, .nents = 1 };
			dma_addr_t addr;
			unsigned int i;
			u8 *cpu, byte;

			dma_cost_read(&before);
			cpu = dma_alloc_attrs(bed->dev, size, &addr, GFP_KERNEL, attrs);
			KT_ASSERT(t, cpu);
			sg_init_table(&sg, 1);
			sg_dma_address(&sg) = addr;
			sg_dma_len(&sg) = size;
			cache_adversary(3);
			for (i = 0; i < size; i += 61) {
				KT_EQ(t, cpu[i], 0);
				KT_EQ(t, dma_engine_read(bed->dev, &table, i, &byte, 1), 0);
				KT_EQ(t, byte, 0);
				cpu[i] = i + 1;
				KT_EQ(t, dma_engine_read(bed->dev, &table, i, &byte, 1), 0);
				KT_EQ(t, byte, (u8)(i + 1));
				byte = i + 2;
				KT_EQ(t, dma_engine_write(bed->dev, &table, i, &byte, 1), 0);
				KT_EQ(t, cpu[i], (u8)(i + 2));
			}
			cache_adversary(0);
			dma_free_attrs(bed->dev, size, cpu, addr, attrs);
			KT_EQ(t, dma_engine_read(bed->dev, &table, 0, &byte, 1), -EFAULT);
			dma_cost_since(&before, &delta);
			KT_EQ(t,
			      delta.count[DMA_COST_BYTES_CLEANED] +
				      delta.count[DMA_COST_BYTES_INVALIDATED] +
				      delta.count[DMA_COST_BYTES_BOUNCED],
			      0);
		}
		bed_down(bed);
	}
}

static void wrong_sizes_and_frees(struct ktap *t)
{
	const struct machine_type *type;

	for_each_machine(type)
	{
		struct bed *bed = bed_up(t, type, 0);
		dma_addr_t addr;
		void *cpu;

		ktap_expect_warn(t, "nothing is allocated");
		KT_CHECK(t, !dma_alloc_coherent(bed->dev, 0, &addr, GFP_KERNEL));
		KT_CHECK(t, !dma_alloc_coherent(bed->dev, SIZE_MAX, &addr, GFP_KERNEL));
		KT_EQ(t, addr, DMA_MAPPING_ERROR);
		cpu = dma_alloc_coherent(bed->dev, PAGE_SIZE, &addr, GFP_KERNEL);
		KT_ASSERT(t, cpu);
		ktap_expect_warn(t, "free of what was not allocated");
		dma_free_coherent(bed->dev, PAGE_SIZE, (char *)cpu + 1, addr);
		ktap_expect_warn(t, "free of what was not allocated");
		dma_free_coherent(bed->dev, PAGE_SIZE, cpu, 0x1000);
		dma_free_coherent(bed->dev, PAGE_SIZE, NULL, addr);
		dma_free_coherent(bed->dev, PAGE_SIZE, cpu, addr);
		bed_down(bed);
	}
}

/* What a narrower mask for such memory cannot reach is not given out. */
static void coherent_mask_is_kept(struct ktap *t)
{
	struct bed *bed = bed_up(t, machine_type_find("pc"), 0);
	dma_addr_t addr;

	KT_EQ(t, dma_set_coherent_mask(bed->dev, DMA_BIT_MASK(32)), 0);
	KT_CHECK(t, !dma_alloc_coherent(bed->dev, PAGE_SIZE, &addr, GFP_KERNEL));
	bed_down(bed);
}

static void each_failing_allocation_is_undone(struct ktap *t)
{
	const struct machine_type *type;

	for_each_machine(type)
	{
		struct bed *bed = bed_up(t, type, 0);
		struct host_memory_stats before, after;
		void *cpu = NULL;
		dma_addr_t addr;
		unsigned int k;

		host_memory_stats(&before);
		for (k = 1; !cpu && k < 100; k++) {
			port_fail_nth(PORT_FAULT_ALLOC, k);
			cpu = dma_alloc_coherent(bed->dev, PAGE_SIZE, &addr, GFP_KERNEL);
			port_fail_nth(PORT_FAULT_ALLOC, 0);
		}
		KT_CHECK(t, k > 3 && k < 100);
		dma_free_coherent(bed->dev, PAGE_SIZE, cpu, addr);
		host_memory_stats(&after);
		KT_EQ(t, after.pages_used, before.pages_used);
		bed_down(bed);
	}
}

KTAP_MAIN(KTAP_CASE(nobody_syncs), KTAP_CASE(wrong_sizes_and_frees),
	  KTAP_CASE(coherent_mask_is_kept), KTAP_CASE(each_failing_allocation_is_undone))
