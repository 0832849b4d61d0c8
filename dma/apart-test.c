/* SPDX-License-Identifier: MIT */
/*
 * apart-test.c - no byte of one mapping reaches another's device, and no device's byte reaches what
 * is not mapped
 *
 * A device here misbehaves: it reads and writes whole pages at the addresses it was given, and goes
 * on after the unmap.
 */
#include "dma/test-bed.h"
#include "dma/view.h"

#define SECRET 0xa5

/* A piece of the bed's first page, on both sides of which there is more. */
#define AT 100
#define LEN 200

/* @bytes of @dev's addresses from @addr on, as no map gave them. */
static int wild(struct device *dev, dma_addr_t addr, void *bytes, size_t len, bool write)
{
	struct scatterlist sg;
	struct sg_table forged = { .sgl = &sg, .nents = 1, .orig_nents = 1 };

	sg_init_table(&sg, 1);
	sg_dma_address(&sg) = addr;
	sg_dma_len(&sg) = len;
	return write ? dma_engine_write(dev, &forged, 0, bytes, len)
		     : dma_engine_read(dev, &forged, 0, bytes, len);
}

static size_t count_of(const u8 *bytes, size_t len, u8 value)
{
	size_t count = 0;

	while (len)
		count += bytes[--len] == value;
	return count;
}

static void fill(struct bed *bed, u8 value)
{
	for (unsigned int i = 0; i < BED_PAGES; i++)
		memset(page_address(bed->page[i]), value, PAGE_SIZE);
}

/* Somebody's secrets go through every slot there is. */
static void use_all_slots(struct ktap *t, struct bed *bed)
{
	fill(bed, SECRET);
	KT_EQ(t, dma_map_sgtable(bed->dev, &bed->sgt, DMA_TO_DEVICE, 0), 0);
	dma_unmap_sgtable(bed->dev, &bed->sgt, DMA_TO_DEVICE, 0);
	fill(bed, 1);
}

/* What a slot held before, and what of its page is not mapped, the next device does not see. */
static void slots_forget(struct ktap *t)
{
	static const enum dma_data_direction dirs[] = { DMA_TO_DEVICE, DMA_BIDIRECTIONAL };
	enum { COPIED, SKIPPED, OWNED };

	for (unsigned int way = COPIED; way <= OWNED; way++)
		for (unsigned int i = 0; i < ARRAY_SIZE(dirs); i++) {
			struct bed *bed = bed_up(t, machine_type_find("bounce"), BED_BYTES);
			struct device *other = machine_add_device(bed->machine, "other", false);
			unsigned long attrs = way == SKIPPED ? DMA_ATTR_SKIP_CPU_SYNC : 0;
			u8 *seen = bed->scratch;
			dma_addr_t addr;

			use_all_slots(t, bed);
			if (way == OWNED)
				dma_owned_begin();
			addr = dma_map_page_attrs(other, bed->page[0], AT, LEN, dirs[i], attrs);
			if (way == OWNED)
				dma_owned_end();
			KT_ASSERT(t, addr != DMA_MAPPING_ERROR);
			KT_EQ(t, wild(other, addr - AT, seen, PAGE_SIZE, false), 0);
			KT_EQ(t, count_of(seen, PAGE_SIZE, SECRET), 0);
			KT_EQ(t, count_of(seen, PAGE_SIZE, 0), PAGE_SIZE - (way ? 0 : LEN));
			KT_EQ(t, count_of(seen + AT, LEN, 1), way ? 0 : LEN);
			dma_unmap_page_attrs(other, addr, LEN, dirs[i], attrs);
			machine_remove_device(other);
			bed_down(bed);
		}
}

/* What a device writes beside its mapping stays in the slot, and no sync call brings it out. */
static void writes_beside_a_bounced_mapping_stay_out(struct ktap *t)
{
	struct bed *bed = bed_up(t, machine_type_find("bounce"), BED_BYTES);
	u8 *page = page_address(bed->page[0]), *bytes = bed->scratch;
	dma_addr_t addr;

	fill(bed, 1);
	memset(bytes, 2, PAGE_SIZE);
	addr = dma_map_page(bed->dev, bed->page[0], AT, LEN, DMA_FROM_DEVICE);
	KT_ASSERT(t, addr != DMA_MAPPING_ERROR);
	KT_EQ(t, wild(bed->dev, addr - AT, bytes, PAGE_SIZE, true), 0);

	ktap_expect_warn(t, "are not all of the mapping");
	dma_sync_single_for_cpu(bed->dev, addr - 1, LEN, DMA_FROM_DEVICE);
	ktap_expect_warn(t, "are not all of the mapping");
	dma_sync_single_for_cpu(bed->dev, addr + 1, LEN, DMA_FROM_DEVICE);
	KT_EQ(t, count_of(page, PAGE_SIZE, 1), PAGE_SIZE);
	ktap_expect_warn(t, "are not all of the mapping");
	dma_sync_single_for_device(bed->dev, addr - AT, PAGE_SIZE, DMA_TO_DEVICE);

	dma_sync_single_for_cpu(bed->dev, addr + LEN - 1, 1, DMA_FROM_DEVICE);
	KT_EQ(t, count_of(page, PAGE_SIZE, 2), 1);
	dma_unmap_page(bed->dev, addr, LEN, DMA_FROM_DEVICE);
	KT_EQ(t, count_of(page + AT, LEN, 2), LEN);
	KT_EQ(t, count_of(page, PAGE_SIZE, 1), PAGE_SIZE - LEN);
	bed_down(bed);
}

/* Lists that say more than was mapped, or where nothing is mapped: nothing moves. */
static void wrong_lists_move_nothing(struct ktap *t)
{
	struct bed *bed = bed_up(t, machine_type_find("bounce"), BED_BYTES);
	struct scatterlist *second;
	dma_addr_t addr, now;

	fill(bed, 1);
	bed->sgt.orig_nents = 2;
	second = sg_next(bed->sgt.sgl);
	KT_EQ(t, dma_map_sgtable(bed->dev, &bed->sgt, DMA_FROM_DEVICE, 0), 0);
	addr = sg_dma_address(second);
	memset(bed->scratch, 2, BED_BYTES);
	KT_EQ(t, wild(bed->dev, addr, bed->scratch, PAGE_SIZE, true), 0);

	/* no slot; the neighbour's too; one that is free */
	sg_dma_address(second) = 16;
	ktap_expect_warn(t, "are not all of the mapping");
	dma_sync_sgtable_for_cpu(bed->dev, &bed->sgt, DMA_FROM_DEVICE);
	sg_dma_address(second) = addr + BED_BYTES;
	ktap_expect_warn(t, "are not all of the mapping");
	dma_sync_sgtable_for_cpu(bed->dev, &bed->sgt, DMA_FROM_DEVICE);
	sg_dma_address(second) = addr + PAGE_SIZE;
	ktap_expect_warn(t, "are not all of the mapping");
	dma_sync_sgtable_for_cpu(bed->dev, &bed->sgt, DMA_FROM_DEVICE);
	sg_dma_address(second) = addr - 1;
	ktap_expect_warn(t, "are not all of the mapping");
	dma_sync_sgtable_for_cpu(bed->dev, &bed->sgt, DMA_FROM_DEVICE);
	/* half in a slot that is free, half behind the last one */
	sg_dma_address(second) = addr + 1;
	ktap_expect_warn(t, "are not all of the mapping");
	dma_sync_sgtable_for_cpu(bed->dev, &bed->sgt, DMA_FROM_DEVICE);
	sg_dma_address(second) = BOUNCE_BASE + (bed->machine->bounce.slots << PAGE_SHIFT) - 1;
	ktap_expect_warn(t, "are not all of the mapping");
	dma_sync_sgtable_for_cpu(bed->dev, &bed->sgt, DMA_FROM_DEVICE);
	KT_EQ(t, count_of(page_address(bed->page[1]), PAGE_SIZE, 1), PAGE_SIZE);

	/* a run that was somebody's */
	sg_dma_address(second) = addr;
	now = dma_map_page(bed->dev, bed->page[2], 0, PAGE_SIZE, DMA_FROM_DEVICE);
	KT_EQ(t, wild(bed->dev, now, bed->scratch, PAGE_SIZE, true), 0);
	dma_unmap_page(bed->dev, now, PAGE_SIZE, DMA_FROM_DEVICE);
	fill(bed, 1);
	sg_dma_address(second) = now;
	ktap_expect_warn(t, "are not all of the mapping");
	dma_sync_sgtable_for_cpu(bed->dev, &bed->sgt, DMA_FROM_DEVICE);
	KT_EQ(t, count_of(page_address(bed->page[2]), PAGE_SIZE, 1), PAGE_SIZE);

	sg_dma_address(second) = addr;
	dma_unmap_sgtable(bed->dev, &bed->sgt, DMA_FROM_DEVICE, 0);
	KT_EQ(t, count_of(page_address(bed->page[1]), PAGE_SIZE, 2), PAGE_SIZE);
	bed->sgt.orig_nents = BED_PAGES;
	bed_down(bed);
}

/* The same of a mapping that ends in the middle of a later page. */
static void long_pieces_end_where_they_end(struct ktap *t)
{
	struct bed *bed = bed_up(t, machine_type_find("bounce"), BED_BYTES);
	u8 *memory = alloc_pages_exact(BED_BYTES, GFP_KERNEL | __GFP_ZERO), *bytes = bed->scratch;
	size_t len = 2 * PAGE_SIZE;
	dma_addr_t addr;

	memset(bytes, 2, BED_BYTES);
	addr = dma_map_single(bed->dev, memory + AT, len, DMA_FROM_DEVICE);
	KT_ASSERT(t, addr != DMA_MAPPING_ERROR);
	KT_EQ(t, wild(bed->dev, addr - AT, bytes, 3 * PAGE_SIZE, true), 0);
	KT_EQ(t, wild(bed->dev, addr - AT, bytes, 3 * PAGE_SIZE + 1, true), -EFAULT);
	dma_unmap_single(bed->dev, addr, len, DMA_FROM_DEVICE);
	KT_EQ(t, count_of(memory + AT, len, 2), len);
	KT_EQ(t, count_of(memory, BED_BYTES, 2), len);
	free_pages_exact(memory, BED_BYTES);
	bed_down(bed);
}

/*
 * Permission is given for pages, as in hardware: where nothing bounces, what else is on the page of
 * a piece can be reached, and nothing beyond the page.  So who shares buffers shares whole pages.
 */
static void a_page_is_reached_whole(struct ktap *t)
{
	const struct machine_type *type;

	for_each_machine(type)
	{
		struct bed *bed = bed_up(t, type, 0);
		bool bounced = type_domain(type) == DMA_DOMAIN_BOUNCE;
		dma_addr_t addr;

		fill(bed, SECRET);
		addr = dma_map_page(bed->dev, bed->page[0], AT, LEN, DMA_TO_DEVICE);
		KT_ASSERT(t, addr != DMA_MAPPING_ERROR);
		/* the line beside what was cleaned may be the device's old one */
		cache_maintain(page_to_phys(bed->page[0]), PAGE_SIZE, DMA_TABLE_CLEAN);
		KT_EQ(t, wild(bed->dev, addr - AT, bed->scratch, PAGE_SIZE, false), 0);
		KT_EQ(t, count_of(bed->scratch, PAGE_SIZE, SECRET), bounced ? LEN : PAGE_SIZE);
		KT_EQ(t, wild(bed->dev, addr - AT, bed->scratch, PAGE_SIZE + 1, false), -EFAULT);
		KT_EQ(t, wild(bed->dev, addr - AT - 1, bed->scratch, 1, false), -EFAULT);
		KT_EQ(t, wild(bed->dev, addr - AT, bed->scratch, 1, true), -EFAULT);
		dma_unmap_page(bed->dev, addr, LEN, DMA_TO_DEVICE);
		bed_down(bed);
	}
}

/* Whatever it was allowed, and though its memory is another's now. */
static void after_the_unmap_nobody_answers(struct ktap *t)
{
	static const enum dma_data_direction dirs[] = { DMA_TO_DEVICE, DMA_FROM_DEVICE,
							DMA_BIDIRECTIONAL };
	const struct machine_type *type;

	for_each_machine(type)
	{
		for (unsigned int i = 0; i < ARRAY_SIZE(dirs); i++) {
			struct bed *bed = bed_up(t, type, 0);
			struct device *other =
				machine_add_device(bed->machine, "other", type->coherent);
			dma_addr_t addr =
				dma_map_page(bed->dev, bed->page[0], 0, PAGE_SIZE, dirs[i]);
			dma_addr_t now;
			u8 byte = 0;

			dma_unmap_page(bed->dev, addr, PAGE_SIZE, dirs[i]);
			now = dma_map_page(other, bed->page[0], 0, PAGE_SIZE, DMA_BIDIRECTIONAL);
			KT_EQ(t, wild(bed->dev, addr, &byte, 1, false), -EFAULT);
			KT_EQ(t, wild(bed->dev, addr, &byte, 1, true), -EFAULT);
			/* nor at the address that the other was given */
			KT_EQ(t, wild(bed->dev, now, &byte, 1, false), -EFAULT);
			KT_EQ(t, wild(bed->dev, now, &byte, 1, true), -EFAULT);
			dma_unmap_page(other, now, PAGE_SIZE, DMA_BIDIRECTIONAL);
			machine_remove_device(other);
			bed_down(bed);
		}
	}
}

KTAP_MAIN(KTAP_CASE(slots_forget), KTAP_CASE(writes_beside_a_bounced_mapping_stay_out),
	  KTAP_CASE(wrong_lists_move_nothing), KTAP_CASE(long_pieces_end_where_they_end),
	  KTAP_CASE(a_page_is_reached_whole), KTAP_CASE(after_the_unmap_nobody_answers))
