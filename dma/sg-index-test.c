/* SPDX-License-Identifier: MIT */
/*
 * sg-index-test.c - parts of long tables: found, maintained, bounced and accessed where they are
 */
#include <linux/err.h>
#include "dma/sg-index.h"
#include "dma/test-bed.h"
#include "host/port.h"

enum { ENTRIES = 3 * SG_INDEX_EVERY + 7 };

/* ENTRIES pages, entry i of them PAGE_SIZE - 64 * (i % 3) bytes. */
struct long_table {
	struct sg_table sgt;
	struct page *page[ENTRIES];
	size_t start[ENTRIES + 1];
};

static struct long_table *long_table(struct ktap *t)
{
	struct long_table *table = kzalloc(sizeof(*table), GFP_KERNEL);
	struct scatterlist *sg;
	unsigned int i;

	KT_CHECK(t, !sg_alloc_table(&table->sgt, ENTRIES, GFP_KERNEL));
	for_each_sgtable_sg(&table->sgt, sg, i) {
		table->page[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		sg_set_page(sg, table->page[i], PAGE_SIZE - 64 * (i % 3), 0);
		table->start[i + 1] = table->start[i] + sg->length;
	}
	return table;
}

static void long_table_free(struct long_table *table)
{
	for (unsigned int i = 0; i < ENTRIES; i++)
		__free_page(table->page[i]);
	sg_free_table(&table->sgt);
	kfree(table);
}

static void short_lists_have_none(struct ktap *t)
{
	struct long_table *table = long_table(t);
	struct sg_index *index;

	KT_CHECK(t, !sg_index_make(table->sgt.sgl, SG_INDEX_EVERY, GFP_KERNEL));
	index = sg_index_make(table->sgt.sgl, SG_INDEX_EVERY + 1, GFP_KERNEL);
	KT_ASSERT(t, !IS_ERR_OR_NULL(index));
	KT_EQ(t, index->nr, 2);
	kvfree(index);
	port_fail_nth(PORT_FAULT_ALLOC, 1);
	KT_EQ(t, PTR_ERR(sg_index_make(table->sgt.sgl, ENTRIES, GFP_KERNEL)), -ENOMEM);
	port_fail_nth(PORT_FAULT_ALLOC, 0);
	long_table_free(table);
}

static void marks_are_the_nearest_before(struct ktap *t)
{
	struct long_table *table = long_table(t);
	struct sg_index *index = sg_index_make(table->sgt.sgl, ENTRIES, GFP_KERNEL);
	const struct sg_mark *mark;
	unsigned int i, nr;

	KT_EQ(t, index->nr, 4);
	for (i = 0; i < ENTRIES; i++) {
		mark = sg_index_find(index, table->start[i], &nr);
		KT_EQ(t, nr, i - i % SG_INDEX_EVERY);
		KT_EQ(t, mark->start, table->start[nr]);
		KT_CHECK(t, sg_page(mark->sg) == table->page[nr]);
		sg_index_find(index, table->start[i + 1] - 1, &nr);
		KT_EQ(t, nr, i - i % SG_INDEX_EVERY);
	}
	sg_index_find(index, U64_MAX, &nr);
	KT_EQ(t, nr, 3 * SG_INDEX_EVERY);
	kvfree(index);
	long_table_free(table);
}

/* One line in the middle: it and nothing else reaches the device, wherever it lies. */
static void parts_are_found_on(struct ktap *t, const struct machine_type *type)
{
	struct bed *bed = bed_up(t, type, 0);
	struct long_table *table = long_table(t);
	enum dma_domain domain = type_domain(type);
	struct dma_costs before, delta;
	unsigned int i;
	size_t len;
	u8 byte;

	KT_EQ(t, dma_map_sgtable(bed->dev, &table->sgt, DMA_BIDIRECTIONAL, 0), 0);
	for (i = 0; i < ENTRIES; i += 5) {
		u8 *cpu = page_address(table->page[i]), *slot;

		cpu[100] = i + 1;
		dma_cost_read(&before);
		dma_table_sync(bed->dev, &table->sgt, table->start[i] + 100, 1, DMA_TABLE_CLEAN);
		dma_cost_since(&before, &delta);
		KT_EQ(t, delta.count[DMA_COST_BYTES_CLEANED],
		      domain == DMA_DOMAIN_MEMORY ? CACHE_LINE_BYTES : 0);
		slot = dma_table_bounce(bed->dev, &table->sgt, table->start[i] + 100, &len);
		KT_EQ(t, !!slot, domain == DMA_DOMAIN_BOUNCE);
		if (slot) {
			KT_CHECK(t, len > 0 && len <= SG_INDEX_EVERY * PAGE_SIZE);
			*slot = i + 1;
		}
		KT_EQ(t, dma_engine_read(bed->dev, &table->sgt, table->start[i] + 100, &byte, 1),
		      0);
		KT_EQ(t, byte, (u8)(i + 1));
	}
	if (domain == DMA_DOMAIN_MEMORY) {
		ktap_expect_warn(t, "sync of 1 bytes past the end");
		dma_table_sync(bed->dev, &table->sgt, table->start[ENTRIES], 1, DMA_TABLE_CLEAN);
	}
	KT_CHECK(t, !dma_table_bounce(bed->dev, &table->sgt, table->start[ENTRIES], &len));
	dma_unmap_sgtable(bed->dev, &table->sgt, DMA_BIDIRECTIONAL, 0);
	long_table_free(table);
	bed_down(bed);
}

static void parts_are_found(struct ktap *t)
{
	const struct machine_type *type;

	for_each_machine(type) parts_are_found_on(t, type);
}

/*
 * Neighbouring slots are one answer, but not for ever: what asks for a byte does not walk a table.
 */
static void answers_end_somewhere(struct ktap *t)
{
	struct bed *bed = bed_up(t, machine_type_find("bounce"), 0);
	struct scatterlist *sg;
	struct sg_table sgt;
	size_t len, at;
	unsigned int i;

	KT_EQ(t, sg_alloc_table(&sgt, ENTRIES, GFP_KERNEL), 0);
	for_each_sgtable_sg(&sgt, sg, i)
		sg_set_page(sg, bed->page[0], PAGE_SIZE, 0);
	KT_EQ(t, dma_map_sgtable(bed->dev, &sgt, DMA_TO_DEVICE, 0), 0);
	for (at = 0, i = 0; at < ENTRIES * PAGE_SIZE; at += len, i++)
		KT_ASSERT(t, dma_table_bounce(bed->dev, &sgt, at, &len));
	KT_EQ(t, i, 4);
	dma_unmap_sgtable(bed->dev, &sgt, DMA_TO_DEVICE, 0);
	sg_free_table(&sgt);
	bed_down(bed);
}

/* Two tables of one memory, so that without an IOMMU both have one address. */
static void tables_of_one_address_are_two(struct ktap *t)
{
	const struct machine_type *type;

	for_each_machine(type)
	{
		struct bed *bed = bed_up(t, type, 0);
		struct long_table *table = long_table(t);
		struct scatterlist *sg, *from = table->sgt.sgl;
		struct dma_costs before, delta;
		struct sg_table other;
		unsigned int i;

		/* the same entries, the first a line shorter */
		KT_EQ(t, sg_alloc_table(&other, ENTRIES, GFP_KERNEL), 0);
		for_each_sgtable_sg(&other, sg, i) {
			sg_set_page(sg, sg_page(from), i ? from->length : 64, 0);
			from = sg_next(from);
		}
		KT_EQ(t, dma_map_sgtable(bed->dev, &table->sgt, DMA_TO_DEVICE, 0), 0);
		KT_EQ(t, dma_map_sgtable(bed->dev, &other, DMA_TO_DEVICE, 0), 0);
		if (type_domain(type) == DMA_DOMAIN_MEMORY) {
			dma_cost_read(&before);
			dma_table_sync(bed->dev, &table->sgt, table->start[ENTRIES] - 1, 1,
				       DMA_TABLE_CLEAN);
			dma_table_sync(bed->dev, &other,
				       table->start[ENTRIES] - 1 - (PAGE_SIZE - 64), 1,
				       DMA_TABLE_CLEAN);
			dma_cost_since(&before, &delta);
			KT_EQ(t, delta.count[DMA_COST_BYTES_CLEANED], 2 * CACHE_LINE_BYTES);
		}
		dma_unmap_sgtable(bed->dev, &other, DMA_TO_DEVICE, 0);
		dma_unmap_sgtable(bed->dev, &table->sgt, DMA_TO_DEVICE, 0);
		sg_free_table(&other);
		long_table_free(table);
		bed_down(bed);
	}
}

/* A cursor goes forward, back, past the end and on again, and reads what the others read. */
static void cursors_read_what_is_there(struct ktap *t)
{
	const struct machine_type *type;

	for_each_machine(type)
	{
		struct bed *bed = bed_up(t, type, 0);
		struct long_table *table = long_table(t);
		size_t total = table->start[ENTRIES], at;
		struct dma_cursor cursor = {};
		unsigned int i;
		u8 want[200], got[200];

		for (i = 0; i < ENTRIES; i++)
			memset(page_address(table->page[i]), i * 3 + 1, PAGE_SIZE);
		KT_EQ(t, dma_map_sgtable(bed->dev, &table->sgt, DMA_BIDIRECTIONAL, 0), 0);
		port_random_seed(5);
		for (i = 0; i < 400; i++) {
			at = i < 200 ? i * 4000 : port_random() % (total - 200);
			KT_EQ(t, dma_engine_read(bed->dev, &table->sgt, at, want, 200), 0);
			KT_EQ(t, dma_engine_read_from(bed->dev, &table->sgt, &cursor, at, got, 200),
			      0);
			KT_CHECK(t, !memcmp(want, got, 200));
		}
		KT_EQ(t, dma_engine_read_from(bed->dev, &table->sgt, &cursor, total - 1, got, 2),
		      -EINVAL);
		KT_EQ(t, dma_engine_read_from(bed->dev, &table->sgt, &cursor, total, got, 1),
		      -EINVAL);
		KT_EQ(t, dma_engine_read_from(bed->dev, &table->sgt, &cursor, total, got, 0), 0);
		got[0] = 77;
		KT_EQ(t, dma_engine_write_from(bed->dev, &table->sgt, &cursor, total - 1, got, 1),
		      0);
		KT_EQ(t, dma_engine_write_from(bed->dev, &table->sgt, &cursor, 0, got, 1), 0);
		KT_EQ(t, dma_engine_read(bed->dev, &table->sgt, total - 1, got + 1, 1), 0);
		KT_EQ(t, got[1], 77);
		dma_unmap_sgtable(bed->dev, &table->sgt, DMA_BIDIRECTIONAL, 0);
		long_table_free(table);
		bed_down(bed);
	}
}

static void limits_are_the_devices(struct ktap *t)
{
	const struct machine_type *type;

	for_each_machine(type)
	{
		struct bed *bed = bed_up(t, type, 0);
		struct page *block = alloc_pages(GFP_KERNEL, 3);
		struct sg_table table;
		struct page *page[8];
		unsigned int i;

		for (i = 0; i < 8; i++)
			page[i] = block + i;
		KT_EQ(t, dma_set_max_seg_size(bed->dev, 3 * PAGE_SIZE + 5), 0);
		KT_EQ(t,
		      sg_alloc_table_from_pages_segment(&table, page, 8, 0, 8 * PAGE_SIZE,
							dma_get_max_seg_size(bed->dev), GFP_KERNEL),
		      0);
		KT_EQ(t, table.orig_nents, 3);
		KT_EQ(t, dma_map_sgtable(bed->dev, &table, DMA_TO_DEVICE, 0), 0);
		dma_unmap_sgtable(bed->dev, &table, DMA_TO_DEVICE, 0);
		dma_set_max_seg_size(bed->dev, 2 * PAGE_SIZE);
		ktap_expect_warn(t, "segment longer than the device takes");
		KT_EQ(t, dma_map_sgtable(bed->dev, &table, DMA_TO_DEVICE, 0), 0);
		dma_unmap_sgtable(bed->dev, &table, DMA_TO_DEVICE, 0);
		dma_set_max_seg_size(bed->dev, UINT_MAX);
		dma_set_seg_boundary(bed->dev, 2 * PAGE_SIZE - 1);
		ktap_expect_warn(t, "segment across a boundary");
		KT_EQ(t, dma_map_sgtable(bed->dev, &table, DMA_TO_DEVICE, 0), 0);
		dma_unmap_sgtable(bed->dev, &table, DMA_TO_DEVICE, 0);
		sg_free_table(&table);
		__free_pages(block, 3);
		bed_down(bed);
	}
}

/* Slots of three pages under a boundary of four: none crosses it, though the pool is one piece. */
static void slots_keep_off_boundaries(struct ktap *t)
{
	struct bed *bed = bed_up(t, machine_type_find("bounce"), 16 * PAGE_SIZE);
	struct page *block = alloc_pages(GFP_KERNEL, 2);
	dma_addr_t addr[5];
	unsigned int i;

	dma_set_seg_boundary(bed->dev, 4 * PAGE_SIZE - 1);
	for (i = 0; i < 5; i++) {
		addr[i] = dma_map_page(bed->dev, block, 0, 3 * PAGE_SIZE, DMA_TO_DEVICE);
		KT_EQ(t, dma_mapping_error(bed->dev, addr[i]), i < 4 ? 0 : -ENOMEM);
		if (i < 4)
			KT_EQ(t, addr[i] % (4 * PAGE_SIZE), 0);
	}
	for (i = 0; i < 4; i++)
		dma_unmap_page(bed->dev, addr[i], 3 * PAGE_SIZE, DMA_TO_DEVICE);
	__free_pages(block, 2);
	bed_down(bed);
}

/* The list is mapped by a part of its entries: too few for an index, and found without one. */
static void a_long_table_mapped_in_part_is_walked(struct ktap *t)
{
	struct bed *bed = bed_up(t, machine_type_find("arm"), 0);
	struct long_table *table = long_table(t);
	u8 *behind = cache_behind(page_to_phys(table->page[5])),
	   *cpu = page_address(table->page[5]);

	KT_CHECK(t, dma_map_sg(bed->dev, table->sgt.sgl, 8, DMA_TO_DEVICE) > 0);
	cpu[70] = 1;
	dma_table_sync(bed->dev, &table->sgt, table->start[5] + 70, 1, DMA_TABLE_CLEAN);
	KT_EQ(t, behind[70], 1);
	dma_unmap_sg(bed->dev, table->sgt.sgl, 8, DMA_TO_DEVICE);
	/* nor is there one when nothing is mapped */
	cpu[70] = 2;
	dma_table_sync(bed->dev, &table->sgt, table->start[5] + 70, 1, DMA_TABLE_CLEAN);
	KT_EQ(t, behind[70], 2);
	long_table_free(table);
	bed_down(bed);
}

/* Also when it is the index that cannot be had. */
static void a_long_map_that_fails_is_undone(struct ktap *t)
{
	const struct machine_type *type;

	for_each_machine(type)
	{
		struct bed *bed = bed_up(t, type, ENTRIES * PAGE_SIZE);
		struct long_table *table = long_table(t);
		unsigned int k;
		int err;

		for (k = 1, err = -1; err && k < 10000; k++) {
			port_fail_nth(PORT_FAULT_ALLOC, k);
			err = dma_map_sgtable(bed->dev, &table->sgt, DMA_TO_DEVICE, 0);
			port_fail_nth(PORT_FAULT_ALLOC, 0);
			KT_CHECK(t, !err || err == -ENOMEM);
		}
		KT_CHECK(t, k > 3 && !err);
		dma_unmap_sgtable(bed->dev, &table->sgt, DMA_TO_DEVICE, 0);
		long_table_free(table);
		bed_down(bed);
	}
}

KTAP_MAIN(KTAP_CASE(short_lists_have_none), KTAP_CASE(marks_are_the_nearest_before),
	  KTAP_CASE(parts_are_found), KTAP_CASE(answers_end_somewhere),
	  KTAP_CASE(tables_of_one_address_are_two), KTAP_CASE(cursors_read_what_is_there),
	  KTAP_CASE(limits_are_the_devices), KTAP_CASE(slots_keep_off_boundaries),
	  KTAP_CASE(a_long_table_mapped_in_part_is_walked),
	  KTAP_CASE(a_long_map_that_fails_is_undone))
