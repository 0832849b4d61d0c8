/* SPDX-License-Identifier: MIT */
/*
 * iommu-test.c - addresses and permissions of a device behind an IOMMU, and what an engine may
 * reach anywhere
 */
#include "dma/iova.h"
#include "dma/test-bed.h"
#include "host/port.h"

static void faults_are(struct ktap *t, struct bed *bed, u64 count, enum dma_fault_reason reason,
		       bool write)
{
	struct dma_engine_stats stats;

	dma_engine_stats(bed->dev, &stats);
	KT_EQ(t, stats.faults, count);
	KT_EQ(t, stats.last_fault.reason, reason);
	KT_EQ(t, stats.last_fault.write, write);
}

static void engine_reaches_only_what_is_mapped(struct ktap *t)
{
	const struct machine_type *type;

	for_each_machine(type)
	{
		struct bed *bed = bed_up(t, type, 0);
		struct dma_engine_stats stats;
		struct scatterlist wild;
		struct sg_table forged = { .sgl = &wild, .nents = 1, .orig_nents = 1 };
		u8 byte = 0xaa;

		bed_cpu_writes(bed, 1);
		sg_init_table(&wild, 1);
		sg_dma_len(&wild) = 16;
		KT_EQ(t, dma_map_sgtable(bed->dev, &bed->sgt, DMA_TO_DEVICE, 0), 0);

		/* a physical address is no DMA address */
		sg_dma_address(&wild) = page_to_phys(bed->page[0]);
		KT_EQ(t, dma_engine_read(bed->dev, &forged, 0, bed->scratch, 16), -EFAULT);
		faults_are(t, bed, 1, DMA_FAULT_UNMAPPED, false);
		sg_dma_address(&wild) = DMA_MAPPING_ERROR;
		KT_EQ(t, dma_engine_read(bed->dev, &forged, 0, bed->scratch, 1), -EFAULT);

		/* the wrong direction, and no byte of it moved */
		KT_EQ(t, dma_engine_write(bed->dev, &bed->sgt, 5, &byte, 1), -EFAULT);
		faults_are(t, bed, 3, DMA_FAULT_PERMISSION, true);
		KT_EQ(t, bed_device_differs(bed), BED_BYTES);

		/* past the end, by one and by wrapping round */
		KT_EQ(t, dma_engine_read(bed->dev, &bed->sgt, 1, bed->scratch, BED_BYTES), -EINVAL);
		KT_EQ(t, dma_engine_read(bed->dev, &bed->sgt, SIZE_MAX, bed->scratch, 2), -EINVAL);

		dma_engine_stats(bed->dev, &stats);
		KT_EQ(t, stats.bytes_read, BED_BYTES);
		KT_EQ(t, stats.bytes_written, 0);

		dma_unmap_sgtable(bed->dev, &bed->sgt, DMA_TO_DEVICE, 0);
		KT_EQ(t, dma_engine_read(bed->dev, &bed->sgt, 0, bed->scratch, 16), -EFAULT);
		faults_are(t, bed, 4, DMA_FAULT_UNMAPPED, false);
		KT_EQ(t, bed_cpu_differs(bed), BED_BYTES);
		bed_down(bed);
	}
}

static void write_only_is_not_read(struct ktap *t)
{
	const struct machine_type *type;

	for_each_machine(type)
	{
		struct bed *bed = bed_up(t, type, 0);

		KT_EQ(t, dma_map_sgtable(bed->dev, &bed->sgt, DMA_FROM_DEVICE, 0), 0);
		KT_EQ(t, bed_device_writes(bed, 2), 0);
		KT_EQ(t, dma_engine_read(bed->dev, &bed->sgt, 0, bed->scratch, 64), -EFAULT);
		faults_are(t, bed, 1, DMA_FAULT_PERMISSION, false);
		dma_unmap_sgtable(bed->dev, &bed->sgt, DMA_FROM_DEVICE, 0);
		bed_down(bed);
	}
}

/*
 * The first pages are mapped, the last is not: nothing of the piece moves, not even its first
 * bytes.
 */
static void a_fault_moves_no_byte_of_its_piece(struct ktap *t)
{
	const struct machine_type *type;

	for_each_machine(type)
	{
		struct bed *bed = bed_up(t, type, 0);
		struct scatterlist wild;
		struct sg_table forged = { .sgl = &wild, .nents = 1, .orig_nents = 1 };
		u8 *zeroes = kzalloc(64 * PAGE_SIZE, GFP_KERNEL);

		bed_cpu_writes(bed, 1);
		KT_EQ(t, dma_map_sgtable(bed->dev, &bed->sgt, DMA_BIDIRECTIONAL, 0), 0);
		sg_init_table(&wild, 1);
		sg_dma_address(&wild) = sg_dma_address(bed->sgt.sgl);
		sg_dma_len(&wild) = 64 * PAGE_SIZE;
		KT_EQ(t, dma_engine_write(bed->dev, &forged, 0, zeroes, 64 * PAGE_SIZE), -EFAULT);
		KT_EQ(t, bed_device_differs(bed), BED_BYTES);
		dma_unmap_sgtable(bed->dev, &bed->sgt, DMA_BIDIRECTIONAL, 0);
		kfree(zeroes);
		bed_down(bed);
	}
}

static void two_mappings_of_one_page_are_two(struct ktap *t)
{
	const struct machine_type *type;

	for_each_machine(type)
	{
		struct bed *bed = bed_up(t, type, 0);
		dma_addr_t reader, writer;
		struct scatterlist sg;
		struct sg_table one = { .sgl = &sg, .nents = 1, .orig_nents = 1 };
		u8 byte = 1;

		reader = dma_map_page(bed->dev, bed->page[0], 0, PAGE_SIZE, DMA_TO_DEVICE);
		writer = dma_map_page(bed->dev, bed->page[0], 0, PAGE_SIZE, DMA_FROM_DEVICE);
		sg_init_table(&sg, 1);
		sg_dma_address(&sg) = writer;
		sg_dma_len(&sg) = PAGE_SIZE;
		KT_EQ(t, dma_engine_write(bed->dev, &one, 0, &byte, 1), 0);
		dma_unmap_page(bed->dev, writer, PAGE_SIZE, DMA_FROM_DEVICE);
		KT_EQ(t, dma_engine_write(bed->dev, &one, 0, &byte, 1), -EFAULT);
		sg_dma_address(&sg) = reader;
		KT_EQ(t, dma_engine_read(bed->dev, &one, 0, &byte, 1), 0);
		dma_unmap_page(bed->dev, reader, PAGE_SIZE, DMA_TO_DEVICE);
		KT_EQ(t, dma_engine_read(bed->dev, &one, 0, &byte, 1), -EFAULT);
		bed_down(bed);
	}
}

static void widening_keeps_addresses(struct ktap *t)
{
	const struct machine_type *type;

	for_each_machine(type)
	{
		struct bed *bed = bed_up(t, type, 0);
		struct dma_costs before, delta;
		dma_addr_t addr;
		u8 byte = 3;

		KT_EQ(t, dma_map_sgtable(bed->dev, &bed->sgt, DMA_TO_DEVICE, 0), 0);
		addr = sg_dma_address(bed->sgt.sgl);
		KT_EQ(t, dma_engine_write(bed->dev, &bed->sgt, 0, &byte, 1), -EFAULT);

		dma_cost_read(&before);
		KT_EQ(t, dma_table_widen(bed->dev, &bed->sgt, DMA_TO_DEVICE, DMA_TO_DEVICE), 0);
		dma_cost_since(&before, &delta);
		KT_EQ(t, delta.count[DMA_COST_IOMMU_WRITES], 0);
		KT_EQ(t, delta.count[DMA_COST_TLB_INVALIDATIONS], 0);

		KT_EQ(t, dma_table_widen(bed->dev, &bed->sgt, DMA_TO_DEVICE, DMA_FROM_DEVICE), 0);
		dma_cost_since(&before, &delta);
		KT_EQ(t, delta.count[DMA_COST_IOMMU_WRITES], type->iommu ? BED_PAGES : 0);
		KT_EQ(t, delta.count[DMA_COST_TLB_INVALIDATIONS], type->iommu ? 1 : 0);
		KT_EQ(t, delta.count[DMA_COST_SG_ENTRIES], 0);
		KT_EQ(t,
		      delta.count[DMA_COST_BYTES_CLEANED] +
			      delta.count[DMA_COST_BYTES_INVALIDATED] +
			      delta.count[DMA_COST_BYTES_BOUNCED],
		      0);
		KT_EQ(t, sg_dma_address(bed->sgt.sgl), addr);
		KT_EQ(t, bed_device_writes(bed, 4), 0);
		KT_EQ(t, bed_device_differs(bed), BED_BYTES);

		dma_unmap_sgtable(bed->dev, &bed->sgt, DMA_BIDIRECTIONAL, 0);
		KT_EQ(t, bed_cpu_differs(bed), BED_BYTES);
		/* both permissions went */
		KT_EQ(t, dma_engine_write(bed->dev, &bed->sgt, 0, &byte, 1), -EFAULT);
		KT_EQ(t, dma_engine_read(bed->dev, &bed->sgt, 0, &byte, 1), -EFAULT);
		bed_down(bed);
	}
}

static void widening_needs_a_mapping_and_the_union(struct ktap *t)
{
	const struct machine_type *type;

	for_each_machine(type)
	{
		struct bed *bed = bed_up(t, type, 0);

		KT_EQ(t, dma_table_widen(bed->dev, &bed->sgt, DMA_TO_DEVICE, DMA_FROM_DEVICE),
		      -EINVAL);
		KT_EQ(t, dma_map_sgtable(bed->dev, &bed->sgt, DMA_TO_DEVICE, 0), 0);
		KT_EQ(t, dma_table_widen(bed->dev, &bed->sgt, DMA_FROM_DEVICE, DMA_TO_DEVICE),
		      -EINVAL);
		KT_EQ(t, dma_table_widen(bed->dev, &bed->sgt, DMA_TO_DEVICE, DMA_BIDIRECTIONAL), 0);
		ktap_expect_warn(t, "mapped BIDIRECTIONAL, unmapped TO_DEVICE");
		dma_unmap_sgtable(bed->dev, &bed->sgt, DMA_TO_DEVICE, 0);
		bed_down(bed);
	}
}

static void a_table_is_one_range_on(struct ktap *t, const struct machine_type *type)
{
	struct bed *bed = bed_up(t, type, 0);
	struct scatterlist *sg;
	unsigned int i;
	size_t bytes;

	bed_cpu_writes(bed, 1);
	KT_EQ(t, dma_map_sgtable(bed->dev, &bed->sgt, DMA_TO_DEVICE, 0), 0);
	KT_EQ(t, bed->sgt.nents, 1);
	KT_EQ(t, sg_dma_len(bed->sgt.sgl), BED_BYTES);
	KT_EQ(t, bed_device_differs(bed), BED_BYTES);
	dma_unmap_sgtable(bed->dev, &bed->sgt, DMA_TO_DEVICE, 0);

	/* segments of at most two pages */
	dma_set_max_seg_size(bed->dev, 2 * PAGE_SIZE);
	KT_EQ(t, dma_map_sgtable(bed->dev, &bed->sgt, DMA_TO_DEVICE, 0), 0);
	KT_EQ(t, bed->sgt.nents, BED_PAGES / 2);
	for_each_sgtable_dma_sg(&bed->sgt, sg, i)
		KT_EQ(t, sg_dma_len(sg), 2 * PAGE_SIZE);
	KT_EQ(t, bed_device_differs(bed), BED_BYTES);
	dma_unmap_sgtable(bed->dev, &bed->sgt, DMA_TO_DEVICE, 0);
	dma_set_max_seg_size(bed->dev, UINT_MAX);

	/* none across a multiple of four pages, with entries that do not fill their pages */
	dma_set_seg_boundary(bed->dev, 4 * PAGE_SIZE - 1);
	for_each_sgtable_sg(&bed->sgt, sg, i)
		sg_set_page(sg, bed->page[i], i == 2 ? PAGE_SIZE - 64 : PAGE_SIZE, 0);
	KT_EQ(t, dma_map_sgtable(bed->dev, &bed->sgt, DMA_TO_DEVICE, 0), 0);
	bytes = 0;
	for_each_sgtable_dma_sg(&bed->sgt, sg, i) {
		dma_addr_t first = sg_dma_address(sg), last = first + sg_dma_len(sg) - 1;

		KT_EQ(t, first / (4 * PAGE_SIZE), last / (4 * PAGE_SIZE));
		bytes += sg_dma_len(sg);
	}
	KT_EQ(t, bed->sgt.nents, 3);
	KT_EQ(t, bytes, BED_BYTES - 64);
	dma_unmap_sgtable(bed->dev, &bed->sgt, DMA_TO_DEVICE, 0);
	bed_down(bed);
}

static void a_table_is_one_range(struct ktap *t)
{
	const struct machine_type *type;

	for_each_machine(type)
	{
		if (type->iommu)
			a_table_is_one_range_on(t, type);
	}
}

/* Entries of three pages under a boundary of four: each starts behind a gap that is nobody's. */
static void gaps_before_boundaries_fault_on(struct ktap *t, const struct machine_type *type)
{
	struct bed *bed = bed_up(t, type, 0);
	struct page *block = alloc_pages(GFP_KERNEL, 3);
	struct scatterlist sg[2], wild;
	struct sg_table table = { .sgl = sg, .nents = 2, .orig_nents = 2 };
	struct sg_table forged = { .sgl = &wild, .nents = 1, .orig_nents = 1 };
	u8 byte = 0;

	sg_init_table(sg, 2);
	sg_set_page(&sg[0], block, 3 * PAGE_SIZE, 0);
	sg_set_page(&sg[1], block + 3, 3 * PAGE_SIZE, 0);
	dma_set_seg_boundary(bed->dev, 4 * PAGE_SIZE - 1);
	KT_EQ(t, dma_map_sgtable(bed->dev, &table, DMA_TO_DEVICE, 0), 0);
	KT_EQ(t, table.nents, 2);
	KT_EQ(t, sg_dma_address(&sg[1]), sg_dma_address(&sg[0]) + 4 * PAGE_SIZE);
	KT_EQ(t, dma_engine_read(bed->dev, &table, 6 * PAGE_SIZE - 1, &byte, 1), 0);
	sg_init_table(&wild, 1);
	sg_dma_address(&wild) = sg_dma_address(&sg[0]) + 3 * PAGE_SIZE;
	sg_dma_len(&wild) = 1;
	KT_EQ(t, dma_engine_read(bed->dev, &forged, 0, &byte, 1), -EFAULT);
	KT_EQ(t, dma_table_widen(bed->dev, &table, DMA_TO_DEVICE, DMA_FROM_DEVICE), 0);
	KT_EQ(t, dma_engine_write(bed->dev, &forged, 0, &byte, 1), -EFAULT);
	KT_EQ(t, dma_engine_write(bed->dev, &table, 3 * PAGE_SIZE, &byte, 1), 0);
	dma_unmap_sgtable(bed->dev, &table, DMA_BIDIRECTIONAL, 0);
	__free_pages(block, 3);
	bed_down(bed);
}

static void gaps_before_boundaries_fault(struct ktap *t)
{
	const struct machine_type *type;

	for_each_machine(type)
	{
		if (type->iommu)
			gaps_before_boundaries_fault_on(t, type);
	}
}

static void offsets_in_pages_stay(struct ktap *t)
{
	const struct machine_type *type;

	for_each_machine(type)
	{
		struct bed *bed = bed_up(t, type, 0);
		struct scatterlist *sg;
		u8 got[8], want[8];
		unsigned int i;

		bed_cpu_writes(bed, 1);
		for_each_sgtable_sg(&bed->sgt, sg, i)
			sg_set_page(sg, bed->page[i], 1000, 100 + i);
		KT_EQ(t, dma_map_sgtable(bed->dev, &bed->sgt, DMA_TO_DEVICE, 0), 0);
		for_each_sgtable_dma_sg(&bed->sgt, sg, i)
			KT_EQ(t, offset_in_page(sg_dma_address(sg)), 100 + i);
		/* four bytes of the second entry, four of the third */
		KT_EQ(t, dma_engine_read(bed->dev, &bed->sgt, 1996, got, 8), 0);
		memcpy(want, bed_cpu(bed, PAGE_SIZE + 101 + 996), 4);
		memcpy(want + 4, bed_cpu(bed, 2 * PAGE_SIZE + 102), 4);
		KT_CHECK(t, !memcmp(got, want, 8));
		dma_unmap_sgtable(bed->dev, &bed->sgt, DMA_TO_DEVICE, 0);
		bed_down(bed);
	}
}

/*
 * Blocks of all sizes in random order: aligned, apart from each other, and all space joins again.
 */
static void addresses_are_apart_and_come_back(struct ktap *t)
{
	enum { BLOCKS = 64 };
	struct iova_block *block[BLOCKS] = { NULL }, *whole;
	unsigned int steps = ktap_long ? 100000 : 4000, i, j;
	u64 bytes[BLOCKS];
	struct iova_space space;

	KT_ASSERT(t, !iova_init(&space));
	port_random_seed(3);
	while (steps--) {
		i = port_random() % BLOCKS;
		if (block[i]) {
			iova_free(&space, block[i]);
			block[i] = NULL;
			continue;
		}
		bytes[i] = PAGE_SIZE * (1 + port_random() % 300);
		block[i] = iova_alloc(&space, bytes[i], DMA_BIT_MASK(32));
		KT_ASSERT(t, block[i]);
		KT_CHECK(t, block[i]->start >= 1 << 20);
		KT_CHECK(t, block[i]->start + bytes[i] - 1 <= DMA_BIT_MASK(32));
		KT_EQ(t, block[i]->start % (PAGE_SIZE << block[i]->order), 0);
		for (j = 0; j < BLOCKS; j++)
			if (block[j] && j != i)
				KT_CHECK(t, block[i]->start + bytes[i] <= block[j]->start ||
						    block[j]->start + bytes[j] <= block[i]->start);
	}
	for (i = 0; i < BLOCKS; i++)
		if (block[i])
			iova_free(&space, block[i]);
	KT_EQ(t, space.free_by_start.count, IOVA_BITS - 20);
	whole = iova_alloc(&space, 1ULL << 31, DMA_BIT_MASK(32));
	KT_CHECK(t, whole);
	KT_CHECK(t, !iova_alloc(&space, 1ULL << 31, DMA_BIT_MASK(32)));
	if (whole)
		iova_free(&space, whole);
	iova_fini(&space);
}

static void a_failed_split_gives_all_back(struct ktap *t)
{
	struct iova_space space;
	struct iova_block *block;
	unsigned int k;

	KT_ASSERT(t, !iova_init(&space));
	for (k = 1; k < 100; k++) {
		size_t before = space.free_by_start.count;

		port_fail_nth(PORT_FAULT_ALLOC, k);
		block = iova_alloc(&space, 5 * PAGE_SIZE, DMA_BIT_MASK(48));
		port_fail_nth(PORT_FAULT_ALLOC, 0);
		if (block)
			break;
		KT_EQ(t, space.free_by_start.count, before);
	}
	KT_CHECK(t, k > 1 && block);
	if (block)
		iova_free(&space, block);
	KT_EQ(t, space.free_by_start.count, IOVA_BITS - 20);
	iova_fini(&space);
}

/* No byte of nothing is at the end of a table, and none is past it. */
static void reading_nothing_stops_at_the_end(struct ktap *t)
{
	struct bed *bed = bed_up(t, machine_type_find("arm"), 0);
	u8 byte;

	KT_EQ(t, dma_map_sgtable(bed->dev, &bed->sgt, DMA_TO_DEVICE, 0), 0);
	KT_EQ(t, dma_engine_read(bed->dev, &bed->sgt, BED_BYTES, &byte, 0), 0);
	KT_EQ(t, dma_engine_read(bed->dev, &bed->sgt, BED_BYTES + 1, &byte, 0), -EINVAL);
	KT_EQ(t, dma_engine_read(bed->dev, NULL, 0, &byte, 1), -EINVAL);
	dma_unmap_sgtable(bed->dev, &bed->sgt, DMA_TO_DEVICE, 0);
	bed_down(bed);
}

/* The next page is not only unmapped: there is no page table for it. */
static void a_device_stops_where_the_page_tables_end(struct ktap *t)
{
	const u64 table_bytes = (u64)PAGE_SIZE << 9;
	const struct machine_type *type;

	for_each_machine(type)
	{
		struct bed *bed = bed_up(t, type, 0);
		struct page *block = alloc_pages(GFP_KERNEL, 9);
		struct scatterlist sg;
		struct sg_table forged = { .sgl = &sg, .nents = 1, .orig_nents = 1 };
		struct dma_engine_stats stats;
		dma_addr_t addr;
		u8 *bytes;

		if (!block) {
			bed_down(bed);
			ktap_skip(t, "no 2 MiB of neighbouring pages");
			return;
		}
		bytes = vmalloc(table_bytes + 1);
		addr = dma_map_page(bed->dev, block, 0, table_bytes, DMA_FROM_DEVICE);
		KT_EQ(t, dma_mapping_error(bed->dev, addr), 0);
		sg_init_table(&sg, 1);
		sg_dma_address(&sg) = addr;
		sg_dma_len(&sg) = table_bytes + 1;
		memset(page_address(block), 0, table_bytes);
		memset(bytes, 1, table_bytes + 1);
		KT_EQ(t, dma_engine_write(bed->dev, &forged, 0, bytes, table_bytes + 1), -EFAULT);
		dma_engine_stats(bed->dev, &stats);
		KT_EQ(t, stats.last_fault.reason, DMA_FAULT_UNMAPPED);
		KT_EQ(t, stats.last_fault.addr, addr + table_bytes);
		dma_unmap_page(bed->dev, addr, table_bytes, DMA_FROM_DEVICE);
		KT_CHECK(t, !memchr(page_address(block), 1, table_bytes));
		vfree(bytes);
		__free_pages(block, 9);
		bed_down(bed);
	}
}

KTAP_MAIN(KTAP_CASE(engine_reaches_only_what_is_mapped), KTAP_CASE(write_only_is_not_read),
	  KTAP_CASE(a_fault_moves_no_byte_of_its_piece),
	  KTAP_CASE(two_mappings_of_one_page_are_two), KTAP_CASE(widening_keeps_addresses),
	  KTAP_CASE(widening_needs_a_mapping_and_the_union), KTAP_CASE(a_table_is_one_range),
	  KTAP_CASE(gaps_before_boundaries_fault), KTAP_CASE(offsets_in_pages_stay),
	  KTAP_CASE(addresses_are_apart_and_come_back), KTAP_CASE(a_failed_split_gives_all_back),
	  KTAP_CASE(reading_nothing_stops_at_the_end),
	  KTAP_CASE(a_device_stops_where_the_page_tables_end))
