/* SPDX-License-Identifier: MIT */
/*
 * cache-test.c - clean, invalidate and both, line by line, and beside stores that do not wait
 */
#include <linux/completion.h>
#include "dma/test-bed.h"
#include "host/port.h"

/* A page whose three copies agree on zeroes. */
static u8 *quiet_page(struct ktap *t, struct page **page)
{
	KT_EQ(t, cache_prepare(), 0);
	*page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	cache_maintain(page_to_phys(*page), PAGE_SIZE, DMA_TABLE_CLEAN);
	return page_address(*page);
}

static void fresh_pages_hold_poison_behind(struct ktap *t)
{
	struct page *page;
	u8 *cpu, *behind;

	KT_EQ(t, cache_prepare(), 0);
	page = alloc_pages(GFP_KERNEL | __GFP_ZERO, 2);
	cpu = page_address(page);
	behind = cache_behind(page_to_phys(page));
	KT_CHECK(t, memcmp(cpu, behind, 4 * PAGE_SIZE) != 0);
	KT_CHECK(t, behind[0] != 0 && behind[4 * PAGE_SIZE - 1] != 0);
	/* a fresh page is dirty: clean makes them agree */
	cache_maintain(page_to_phys(page), 4 * PAGE_SIZE, DMA_TABLE_CLEAN);
	KT_CHECK(t, !memcmp(cpu, behind, 4 * PAGE_SIZE));
	__free_pages(page, 2);
}

static void clean_takes_dirty_lines_only(struct ktap *t)
{
	struct page *page;
	u8 *cpu = quiet_page(t, &page), *behind = cache_behind(page_to_phys(page));

	cpu[0] = 1;
	cpu[200] = 2;
	behind[64] = 3; /* a device's, in a line that is clean */
	cache_maintain(page_to_phys(page), PAGE_SIZE, DMA_TABLE_CLEAN);
	KT_EQ(t, behind[0], 1);
	KT_EQ(t, behind[200], 2);
	KT_EQ(t, behind[64], 3);
	KT_EQ(t, cpu[64], 0);
	/* a dirty line goes as a whole: false sharing loses the device's byte */
	cpu[300] = 4;
	behind[301] = 5;
	cache_maintain(page_to_phys(page), PAGE_SIZE, DMA_TABLE_CLEAN);
	KT_EQ(t, behind[301], 0);
	__free_page(page);
}

static void invalidate_loses_dirty_lines(struct ktap *t)
{
	struct page *page;
	u8 *cpu = quiet_page(t, &page), *behind = cache_behind(page_to_phys(page));

	cpu[0] = 1;
	behind[64] = 3;
	cache_maintain(page_to_phys(page), PAGE_SIZE, DMA_TABLE_INVALIDATE);
	KT_EQ(t, cpu[0], 0);
	KT_EQ(t, cpu[64], 3);
	/* they agree again: nothing to clean */
	behind[0] = 7;
	cache_maintain(page_to_phys(page), PAGE_SIZE, DMA_TABLE_CLEAN);
	KT_EQ(t, behind[0], 7);
	__free_page(page);
}

static void both_keep_dirty_and_fetch_clean(struct ktap *t)
{
	struct page *page;
	u8 *cpu = quiet_page(t, &page), *behind = cache_behind(page_to_phys(page));

	cpu[0] = 1;
	behind[64] = 3;
	cache_maintain(page_to_phys(page), PAGE_SIZE, DMA_TABLE_CLEAN_INVALIDATE);
	KT_EQ(t, cpu[0], 1);
	KT_EQ(t, behind[0], 1);
	KT_EQ(t, cpu[64], 3);
	__free_page(page);
}

static void operations_stay_on_their_lines(struct ktap *t)
{
	static const enum dma_table_op ops[] = { DMA_TABLE_CLEAN, DMA_TABLE_INVALIDATE,
						 DMA_TABLE_CLEAN_INVALIDATE };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		struct page *page;
		u8 *cpu = quiet_page(t, &page), *behind = cache_behind(page_to_phys(page));

		cpu[63] = cpu[64] = cpu[191] = cpu[192] = 1;
		/* bytes 127 and 128: rounded out to the lines 1 and 2 */
		cache_maintain(page_to_phys(page) + 127, 2, ops[i]);
		KT_EQ(t, cpu[63], 1);
		KT_EQ(t, behind[63], 0);
		KT_EQ(t, cpu[192], 1);
		KT_EQ(t, behind[192], 0);
		KT_EQ(t, cpu[64], ops[i] != DMA_TABLE_INVALIDATE);
		KT_EQ(t, behind[64], ops[i] != DMA_TABLE_INVALIDATE);
		KT_EQ(t, cpu[191], ops[i] != DMA_TABLE_INVALIDATE);
		cache_maintain(page_to_phys(page), 0, ops[i]);
		KT_EQ(t, behind[63], 0);
		__free_page(page);
	}
}

struct writer {
	volatile u8 *line;
	volatile bool stop;
	u64 stores;
	u8 offset;
};

/* Every store must be there when the writer looks again: nobody else writes his bytes. */
__attribute__((no_sanitize("thread"))) static void writer_runs(void *arg)
{
	struct writer *writer = arg;
	u8 value = 0;

	while (!writer->stop) {
		value++;
		writer->line[writer->offset] = value;
		port_yield();
		if (writer->line[writer->offset] != value)
			break;
		writer->stores++;
	}
	if (!writer->stop)
		writer->stores = 0; /* a store was lost */
}

/*
 * CA1: stores to bytes 1 and 62 of a line, the device writes nothing, and clean+invalidate runs all the time;
 * then memory's other bytes change beside the stores.
 */
static void clean_invalidate_loses_no_store(struct ktap *t)
{
	unsigned int rounds = ktap_long ? 3000000 : 60000, i;
	struct writer writer[2] = { { .offset = 1 }, { .offset = 62 } };
	struct port_thread *thread[2];
	struct page *page;
	u8 *cpu = quiet_page(t, &page);

	for (i = 0; i < 2; i++) {
		writer[i].line = cpu;
		thread[i] = port_thread_create(writer_runs, &writer[i], "writer");
		KT_CHECK(t, thread[i]);
	}
	for (i = 0; i < rounds; i++)
		cache_maintain(page_to_phys(page), CACHE_LINE_BYTES, DMA_TABLE_CLEAN_INVALIDATE);
	for (i = 0; i < 2; i++) {
		writer[i].stop = true;
		port_thread_join(thread[i]);
		KT_CHECK(t, writer[i].stores > 0);
	}
	cache_maintain(page_to_phys(page), CACHE_LINE_BYTES, DMA_TABLE_CLEAN);
	KT_EQ(t, ((u8 *)cache_behind(page_to_phys(page)))[1], cpu[1]);
	KT_EQ(t, ((u8 *)cache_behind(page_to_phys(page)))[62], cpu[62]);
	__free_page(page);
}

/* The same while the line really is refilled: memory differs each time, in bytes nobody stores to. */
__attribute__((no_sanitize("thread"))) static void refill_loses_no_store(struct ktap *t)
{
	unsigned int rounds = ktap_long ? 3000000 : 60000, i;
	struct writer writer = { .offset = 5 };
	struct port_thread *thread;
	struct page *page;
	u8 *cpu = quiet_page(t, &page);
	volatile u8 *behind = cache_behind(page_to_phys(page));

	writer.line = cpu;
	thread = port_thread_create(writer_runs, &writer, "writer");
	KT_ASSERT(t, thread);
	for (i = 0; i < rounds; i++) {
		behind[3] = i;
		behind[40] = i >> 8;
		cache_maintain(page_to_phys(page), CACHE_LINE_BYTES, DMA_TABLE_CLEAN_INVALIDATE);
	}
	writer.stop = true;
	port_thread_join(thread);
	KT_CHECK(t, writer.stores > 0);
	__free_page(page);
}

/* And that the check above can fail: a plain invalidate beside the same writer loses stores. */
__attribute__((no_sanitize("thread"))) static void plain_invalidate_loses_stores(struct ktap *t)
{
	struct page *page;
	u8 *cpu = quiet_page(t, &page);

	cpu[5] = 1;
	cache_maintain(page_to_phys(page), CACHE_LINE_BYTES, DMA_TABLE_CLEAN);
	cpu[5] = 2; /* "between" clean and invalidate */
	cache_maintain(page_to_phys(page), CACHE_LINE_BYTES, DMA_TABLE_INVALIDATE);
	KT_EQ(t, cpu[5], 1);
	__free_page(page);
}

static void adversary_touches_about_half(struct ktap *t)
{
	unsigned int seed, line, evicted;
	struct page *page;
	u8 *cpu = quiet_page(t, &page), *behind = cache_behind(page_to_phys(page));

	for (seed = 1; seed < 20; seed++) {
		memset(cpu, seed, PAGE_SIZE);
		cache_adversary(seed);
		cache_passes(page_to_phys(page), PAGE_SIZE);
		cache_adversary(0);
		for (line = 0, evicted = 0; line < PAGE_SIZE; line += CACHE_LINE_BYTES) {
			evicted += behind[line] == seed;
			KT_EQ(t, cpu[line], seed);
			KT_EQ(t, behind[line], behind[line + CACHE_LINE_BYTES - 1]);
		}
		KT_CHECK(t, evicted > 12 && evicted < 52);
		cache_maintain(page_to_phys(page), PAGE_SIZE, DMA_TABLE_CLEAN);
	}
	__free_page(page);
}

KTAP_MAIN(KTAP_CASE(fresh_pages_hold_poison_behind), KTAP_CASE(clean_takes_dirty_lines_only),
	  KTAP_CASE(invalidate_loses_dirty_lines), KTAP_CASE(both_keep_dirty_and_fetch_clean),
	  KTAP_CASE(operations_stay_on_their_lines), KTAP_CASE(clean_invalidate_loses_no_store),
	  KTAP_CASE(refill_loses_no_store), KTAP_CASE(plain_invalidate_loses_stores),
	  KTAP_CASE(adversary_touches_about_half))
