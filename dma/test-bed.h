/* SPDX-License-Identifier: MIT */
/*
 * test-bed.h - a machine, a device and scattered memory, for the tests of dma/
 *
 * The memory is single pages, an entry each, in an order in which neighbours of the table are not
 * all neighbours in memory.
 */
#ifndef DMA_TEST_BED_H
#define DMA_TEST_BED_H

#include <linux/dma-cost.h>
#include <linux/dma-mapping.h>
#include <linux/dma-table.h>
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "dma/cache.h"
#include "dma/engine.h"
#include "dma/machine.h"
#include "tests/ktap.h"

#define BED_PAGES 6
#define BED_BYTES (BED_PAGES * PAGE_SIZE)

struct bed {
	struct machine *machine;
	struct device *dev;
	struct page *page[BED_PAGES];
	struct sg_table sgt;
	u8 *expected; /* BED_BYTES of what the memory should hold */
	u8 *scratch;  /* BED_BYTES for the device */
};

/* Byte @offset of the memory, as the CPU sees it. */
static inline u8 *bed_cpu(const struct bed *bed, size_t offset)
{
	return (u8 *)page_address(bed->page[offset >> PAGE_SHIFT]) + offset_in_page(offset);
}

/* The first byte that is not as expected, BED_BYTES if all are. */
static inline size_t bed_cpu_differs(const struct bed *bed)
{
	size_t i;

	for (i = 0; i < BED_BYTES; i++)
		if (*bed_cpu(bed, i) != bed->expected[i])
			return i;
	return BED_BYTES;
}

static inline size_t bed_device_differs(const struct bed *bed)
{
	size_t i;

	memset(bed->scratch, 0, BED_BYTES);
	if (dma_engine_read(bed->dev, &bed->sgt, 0, bed->scratch, BED_BYTES))
		return 0;
	for (i = 0; i < BED_BYTES; i++)
		if (bed->scratch[i] != bed->expected[i])
			return i;
	return BED_BYTES;
}

static inline void bed_expect(struct bed *bed, u8 salt)
{
	size_t i;

	for (i = 0; i < BED_BYTES; i++)
		bed->expected[i] = (u8)(salt + i * 7 + (i >> 8));
}

/* The CPU, or the device, writes new bytes everywhere. */
static inline void bed_cpu_writes(struct bed *bed, u8 salt)
{
	size_t i;

	bed_expect(bed, salt);
	for (i = 0; i < BED_BYTES; i++)
		*bed_cpu(bed, i) = bed->expected[i];
}

static inline int bed_device_writes(struct bed *bed, u8 salt)
{
	bed_expect(bed, salt);
	return dma_engine_write(bed->dev, &bed->sgt, 0, bed->expected, BED_BYTES);
}

static inline struct bed *bed_up(struct ktap *t, const struct machine_type *type,
				 size_t bounce_bytes)
{
	struct bed *bed = kzalloc(sizeof(*bed), GFP_KERNEL);
	struct scatterlist *sg;
	unsigned int i;

	bed->machine = machine_create(type, bounce_bytes);
	KT_CHECK(t, !IS_ERR(bed->machine));
	bed->dev = machine_add_device(bed->machine, "probe", type->coherent);
	KT_CHECK(t, !IS_ERR(bed->dev));
	bed->expected = kmalloc(BED_BYTES, GFP_KERNEL);
	bed->scratch = kmalloc(BED_BYTES, GFP_KERNEL);
	for (i = 0; i < BED_PAGES; i++)
		bed->page[i] = alloc_page(GFP_KERNEL);
	/* neighbours in memory must not be neighbours in the table */
	swap(bed->page[0], bed->page[3]);
	KT_CHECK(t, !sg_alloc_table(&bed->sgt, BED_PAGES, GFP_KERNEL));
	for_each_sgtable_sg(&bed->sgt, sg, i)
		sg_set_page(sg, bed->page[i], PAGE_SIZE, 0);
	return bed;
}

static inline void bed_down(struct bed *bed)
{
	unsigned int i;

	sg_free_table(&bed->sgt);
	for (i = 0; i < BED_PAGES; i++)
		__free_page(bed->page[i]);
	machine_remove_device(bed->dev);
	machine_destroy(bed->machine);
	kfree(bed->expected);
	kfree(bed->scratch);
	kfree(bed);
}

#define for_each_machine(type) for (type = machine_types; type->name; type++)

static inline enum dma_domain type_domain(const struct machine_type *type)
{
	if (!type->iommu && type->dma_mask <= DMA_BIT_MASK(32))
		return DMA_DOMAIN_BOUNCE;
	return type->coherent ? DMA_DOMAIN_CACHES : DMA_DOMAIN_MEMORY;
}

#endif
