/* SPDX-License-Identifier: MIT */
/*
 * scatterlist-test.c - building, walking and freeing lists, chained ones too
 */
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "host/port.h"
#include "tests/ktap.h"

/* Entries around one allocation and more. */
static const unsigned int sizes[] = { 1,
				      2,
				      SG_MAX_SINGLE_ALLOC - 1,
				      SG_MAX_SINGLE_ALLOC,
				      SG_MAX_SINGLE_ALLOC + 1,
				      2 * SG_MAX_SINGLE_ALLOC - 2,
				      2 * SG_MAX_SINGLE_ALLOC - 1,
				      1000 };

static void walks_meet_every_entry_once(struct ktap *t)
{
	unsigned int s, i;

	for (s = 0; s < ARRAY_SIZE(sizes); s++) {
		struct scatterlist *sg;
		struct sg_table table;

		KT_EQ(t, sg_alloc_table(&table, sizes[s], GFP_KERNEL), 0);
		KT_EQ(t, table.nents, sizes[s]);
		KT_EQ(t, table.orig_nents, sizes[s]);
		KT_EQ(t, sg_nents(table.sgl), sizes[s]);
		for_each_sgtable_sg(&table, sg, i) {
			KT_EQ(t, sg->length, 0);
			KT_EQ(t, sg_is_last(sg), i == sizes[s] - 1);
			sg->length = i + 1;
		}
		for_each_sgtable_sg(&table, sg, i)
			KT_EQ(t, sg->length, i + 1);
		KT_CHECK(t, !sg);
		KT_EQ(t, sg_last(table.sgl, table.orig_nents)->length, sizes[s]);
		KT_EQ(t, sg_nents_for_len(table.sgl, 1), 1);
		KT_EQ(t, sg_nents_for_len(table.sgl, 1 + sizes[s] * (sizes[s] + 1) / 2), -EINVAL);
		sg_free_table(&table);
		KT_CHECK(t, !table.sgl && !table.orig_nents);
	}
}

static void failed_tables_leave_nothing(struct ktap *t)
{
	struct sg_table table;
	unsigned int s, k;

	KT_EQ(t, sg_alloc_table(&table, 0, GFP_KERNEL), -EINVAL);
	for (s = 0; s < ARRAY_SIZE(sizes); s++) {
		for (k = 1;; k++) {
			int err;

			port_fail_nth(PORT_FAULT_ALLOC, k);
			err = sg_alloc_table(&table, sizes[s], GFP_KERNEL);
			port_fail_nth(PORT_FAULT_ALLOC, 0);
			if (!err)
				break;
			KT_EQ(t, err, -ENOMEM);
			KT_CHECK(t, !table.sgl && !table.nents && !table.orig_nents);
		}
		KT_CHECK(t, k == 1 + DIV_ROUND_UP(max(sizes[s] - 1, 1U),
						  (unsigned int)SG_MAX_SINGLE_ALLOC - 1));
		sg_free_table(&table);
	}
}

enum { PAGES = 8 };

static void neighbours_are_joined(struct ktap *t)
{
	struct page *block = alloc_pages(GFP_KERNEL, 3), *pages[PAGES];
	struct sg_table table;
	struct scatterlist *sg;
	size_t bytes = 0;
	unsigned int i;

	/* pages 0 1 2 | 5 6 | 3 4 | 7 */
	static const u8 order[PAGES] = { 0, 1, 2, 5, 6, 3, 4, 7 };
	static const u8 run[] = { 3, 2, 2, 1 };

	for (i = 0; i < PAGES; i++)
		pages[i] = block + order[i];
	KT_EQ(t,
	      sg_alloc_table_from_pages(&table, pages, PAGES, 100, PAGES * PAGE_SIZE - 300,
					GFP_KERNEL),
	      0);
	KT_EQ(t, table.orig_nents, 4);
	for_each_sgtable_sg(&table, sg, i) {
		KT_EQ(t, sg->offset, i ? 0 : 100);
		KT_EQ(t, sg->length, run[i] * PAGE_SIZE - (i == 0 ? 100 : i == 3 ? 200 : 0));
		bytes += sg->length;
	}
	KT_EQ(t, bytes, PAGES * PAGE_SIZE - 300);
	KT_CHECK(t, sg_virt(table.sgl) == (char *)page_address(block) + 100);
	KT_EQ(t, sg_phys(table.sgl), page_to_phys(block) + 100);
	sg_free_table(&table);

	KT_EQ(t,
	      sg_alloc_table_from_pages_segment(&table, pages, PAGES, 0, PAGES * PAGE_SIZE,
						2 * PAGE_SIZE, GFP_KERNEL),
	      0);
	KT_EQ(t, table.orig_nents, 5);
	sg_free_table(&table);
	KT_EQ(t,
	      sg_alloc_table_from_pages_segment(&table, pages, PAGES, 0, PAGES * PAGE_SIZE,
						2 * PAGE_SIZE + 1, GFP_KERNEL),
	      0);
	KT_EQ(t, table.orig_nents, 5);
	sg_free_table(&table);
	ktap_expect_warn(t, "max_pages");
	KT_EQ(t,
	      sg_alloc_table_from_pages_segment(&table, pages, PAGES, 0, PAGES * PAGE_SIZE,
						PAGE_SIZE - 1, GFP_KERNEL),
	      -EINVAL);
	KT_CHECK(t, !table.sgl);
	__free_pages(block, 3);
}

static void page_walks_meet_every_page(struct ktap *t)
{
	struct page *block = alloc_pages(GFP_KERNEL, 3);
	struct sg_dma_page_iter dma;
	struct sg_page_iter iter;
	struct scatterlist sg[2];
	struct sg_table table = { .sgl = sg, .nents = 2, .orig_nents = 2 };
	unsigned int n = 0;

	sg_init_table(sg, 2);
	sg_set_page(&sg[0], block + 2, 2 * PAGE_SIZE, 0);
	sg_set_page(&sg[1], block + 5, 3 * PAGE_SIZE, 0);
	for_each_sgtable_page(&table, &iter, 0)
	{
		KT_CHECK(t, sg_page_iter_page(&iter) == block + (n < 2 ? 2 + n : 3 + n));
		n++;
	}
	KT_EQ(t, n, 5);
	n = 0;
	for_each_sgtable_page(&table, &iter, 3) n++;
	KT_EQ(t, n, 2);

	/* the device sees one segment */
	table.nents = 1;
	sg_dma_address(sg) = 0x100000;
	sg_dma_len(sg) = 5 * PAGE_SIZE;
	n = 0;
	for_each_sgtable_dma_page(&table, &dma, 0)
	{
		KT_EQ(t, sg_page_iter_dma_address(&dma), 0x100000 + n * PAGE_SIZE);
		n++;
	}
	KT_EQ(t, n, 5);
	__free_pages(block, 3);
}

static void copies_go_through_the_list(struct ktap *t)
{
	struct page *block = alloc_pages(GFP_KERNEL, 1);
	struct scatterlist sg[2];
	char buf[] = "0123456789", got[16] = "";

	sg_init_table(sg, 2);
	sg_set_buf(&sg[0], (char *)page_address(block) + 4090, 4);
	sg_set_page(&sg[1], block + 1, 6, 100);
	KT_EQ(t, sg_copy_from_buffer(sg, 2, buf, 10), 10);
	KT_EQ(t, sg_copy_to_buffer(sg, 2, got, sizeof(got)), 10);
	KT_CHECK(t, !memcmp(got, buf, 10));
	KT_EQ(t, *((char *)page_address(block) + PAGE_SIZE + 100), '4');
	KT_EQ(t, sg_copy_to_buffer(sg, 1, got, sizeof(got)), 4);
	sg_init_one(sg, page_address(block), 7);
	KT_EQ(t, sg_nents(sg), 1);
	__free_pages(block, 1);
}

/* A count larger than the list: walks end with the list. */
static void walks_end_with_a_list_too_short(struct ktap *t)
{
	struct page *block = alloc_pages(GFP_KERNEL, 1);
	struct scatterlist sg[2];
	struct sg_page_iter iter;
	unsigned int n = 0;

	sg_init_table(sg, 2);
	sg_set_page(&sg[0], block, PAGE_SIZE, 0);
	sg_set_page(&sg[1], block + 1, PAGE_SIZE, 0);
	for (__sg_page_iter_start(&iter, sg, 5, 0); __sg_page_iter_next(&iter);)
		n++;
	KT_EQ(t, n, 2);
	KT_CHECK(t, !__sg_page_iter_next(&iter));
	/* as many as there are, and once more after the end; none; no list */
	for (__sg_page_iter_start(&iter, sg, 2, 0), n = 0; __sg_page_iter_next(&iter);)
		n++;
	KT_EQ(t, n, 2);
	KT_CHECK(t, !__sg_page_iter_next(&iter));
	__sg_page_iter_start(&iter, sg, 0, 0);
	KT_CHECK(t, !__sg_page_iter_next(&iter));
	__sg_page_iter_start(&iter, NULL, 1, 0);
	KT_CHECK(t, !__sg_page_iter_next(&iter));
	KT_EQ(t, sg_nents_for_len(sg, 0), 0);
	KT_EQ(t, sg_nents_for_len(sg, PAGE_SIZE + 1), 2);
	KT_EQ(t, sg_nents_for_len(sg, 2 * PAGE_SIZE + 1), -EINVAL);
	__free_pages(block, 1);
}

static void tables_of_no_pages_or_memory(struct ktap *t)
{
	struct page *page = alloc_page(GFP_KERNEL);
	struct scatterlist sg = { .length = 5 };
	struct sg_table table;

	KT_EQ(t, sg_alloc_table_from_pages_segment(&table, &page, 0, 0, 0, PAGE_SIZE, GFP_KERNEL),
	      -EINVAL);
	KT_CHECK(t, !table.sgl);
	port_fail_nth(PORT_FAULT_ALLOC, 1);
	KT_EQ(t,
	      sg_alloc_table_from_pages_segment(&table, &page, 1, 0, PAGE_SIZE, PAGE_SIZE,
						GFP_KERNEL),
	      -ENOMEM);
	port_fail_nth(PORT_FAULT_ALLOC, 0);
	KT_CHECK(t, !table.sgl);
	ktap_expect_warn(t, "nents");
	sg_init_table(&sg, 0);
	KT_EQ(t, sg.length, 5);
	__free_page(page);
}

KTAP_MAIN(KTAP_CASE(walks_meet_every_entry_once), KTAP_CASE(failed_tables_leave_nothing),
	  KTAP_CASE(neighbours_are_joined), KTAP_CASE(page_walks_meet_every_page),
	  KTAP_CASE(copies_go_through_the_list), KTAP_CASE(walks_end_with_a_list_too_short),
	  KTAP_CASE(tables_of_no_pages_or_memory))
