/* SPDX-License-Identifier: MIT */
/*
 * cache-test.c - clean, invalidate and both, line by line, and beside stores that do not wait
 */
#include "dma/fault.h"
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
	u8 *agreed = cache_agreed(page_to_phys(page));

	cpu[0] = 1;
	cpu[200] = 2;
	behind[64] = 3; /* a device's, in a line that is clean */
	KT_CHECK(t, !agreed[0] && !agreed[200]);
	cache_maintain(page_to_phys(page), PAGE_SIZE, DMA_TABLE_CLEAN);
	KT_EQ(t, behind[0], 1);
	KT_EQ(t, behind[200], 2);
	KT_EQ(t, behind[64], 3);
	KT_EQ(t, cpu[64], 0);
	KT_CHECK(t, agreed[0] == 1 && agreed[200] == 2 && !agreed[64]);
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

/* Somebody who stores to one byte of a line, alone in that, and looks whether his stores stay. */
struct writer {
	volatile u8 *byte;
	volatile bool stop, lost;
	volatile u64 stores;
};

__attribute__((no_sanitize("thread"))) static void writer_runs(void *arg)
{
	struct writer *writer = arg;
	u8 value = 0;

	while (!writer->stop) {
		*writer->byte = ++value;
		if (*writer->byte != value)
			writer->lost = true;
		writer->stores++;
	}
}

/*
 * Run @op on the line while @nr writers store to it, and, if @device is set, while other bytes of
 * the line change behind the caches.  Did all stores stay?
 */
__attribute__((no_sanitize("thread"))) static bool stores_stay(struct ktap *t, struct page *page,
							       enum dma_table_op op, u8 *first,
							       u8 *second, volatile u8 *device)
{
	u64 enough = ktap_long ? 2000000 : 100000, i;
	struct writer writer[2] = { { .byte = first }, { .byte = second } };
	struct port_thread *thread[2];
	const volatile u8 *behind = cache_behind(page_to_phys(page)), *cpu = page_address(page);
	unsigned int nr = second ? 2 : 1, w;
	bool stayed = true;

	for (w = 0; w < nr; w++) {
		thread[w] = port_thread_create(writer_runs, &writer[w], "writer");
		if (!KT_CHECK(t, thread[w]))
			return false;
	}
	for (i = 0; i < enough || writer[0].stores < enough || writer[nr - 1].stores < enough;
	     i++) {
		if (device)
			device[0] = device[32] = i;
		cache_maintain(page_to_phys(page), CACHE_LINE_BYTES, op);
		/* either the line was dirty and went out whole, or it came in whole */
		if (device && device[0] != cpu[device - behind])
			stayed = false;
	}
	for (w = 0; w < nr; w++) {
		writer[w].stop = true;
		port_thread_join(thread[w]);
		stayed &= !writer[w].lost;
	}
	return stayed;
}

/* CA1, while nothing changes behind, and while the line really is refilled each time. */
static void clean_invalidate_loses_no_store(struct ktap *t)
{
	struct page *page;
	u8 *cpu = quiet_page(t, &page), *behind = cache_behind(page_to_phys(page));

	KT_CHECK(t, stores_stay(t, page, DMA_TABLE_CLEAN_INVALIDATE, cpu + 1, cpu + 62, NULL));
	cache_maintain(page_to_phys(page), CACHE_LINE_BYTES, DMA_TABLE_CLEAN);
	KT_EQ(t, behind[1], cpu[1]);
	KT_EQ(t, behind[62], cpu[62]);
	KT_CHECK(t, stores_stay(t, page, DMA_TABLE_CLEAN_INVALIDATE, cpu + 5, cpu + 6, behind + 7));
	__free_page(page);
}

/* A device's bytes written while the line is fetched stay: the line must not look dirty for it. */
static void fetch_loses_no_device_write(struct ktap *t)
{
	struct page *page;
	u8 *behind;

	quiet_page(t, &page);
	behind = cache_behind(page_to_phys(page));
	KT_CHECK(t, stores_stay(t, page, DMA_TABLE_INVALIDATE, behind + 9, behind + 10, NULL));
	KT_CHECK(t, stores_stay(t, page, DMA_TABLE_CLEAN_INVALIDATE, behind + 9, NULL, NULL));
	__free_page(page);
}

struct cleaner {
	struct page *page;
	atomic_t *waiting;
	unsigned int offset;
	bool lost;
};

/*
 * What somebody stored and cleaned is behind the caches when his clean returns, whoever else cleans
 * too.
 */
__attribute__((no_sanitize("thread"))) static void cleaner_runs(void *arg)
{
	struct cleaner *cleaner = arg;
	volatile u8 *cpu = page_address(cleaner->page);
	volatile u8 *behind = cache_behind(page_to_phys(cleaner->page));
	unsigned int rounds = ktap_long ? 10000000 : 500000, i;

	/* not before the other one is there */
	atomic_dec(cleaner->waiting);
	while (atomic_read(cleaner->waiting))
		port_yield();
	for (i = 0; i < rounds; i++) {
		cpu[cleaner->offset] = i;
		cache_maintain(page_to_phys(cleaner->page), CACHE_LINE_BYTES, DMA_TABLE_CLEAN);
		if (behind[cleaner->offset] != (u8)i)
			cleaner->lost = true;
	}
}

static void cleans_of_one_line_exclude_each_other(struct ktap *t)
{
	struct port_thread *thread[2];
	atomic_t waiting = ATOMIC_INIT(2);
	struct cleaner cleaner[2];
	struct page *page;
	unsigned int i;

	quiet_page(t, &page);
	for (i = 0; i < 2; i++) {
		cleaner[i] = (struct cleaner){ .page = page,
					       .waiting = &waiting,
					       .offset = 10 + 40 * i };
		thread[i] = port_thread_create(cleaner_runs, &cleaner[i], "cleaner");
		KT_CHECK(t, thread[i]);
	}
	for (i = 0; i < 2; i++) {
		port_thread_join(thread[i]);
		KT_CHECK(t, !cleaner[i].lost);
	}
	__free_page(page);
}

/* What clean and invalidate in two calls do to a store between them. */
static void two_calls_lose_the_store_between(struct ktap *t)
{
	struct page *page;
	u8 *cpu = quiet_page(t, &page);

	cpu[5] = 1;
	cache_maintain(page_to_phys(page), CACHE_LINE_BYTES, DMA_TABLE_CLEAN);
	cpu[5] = 2;
	cache_maintain(page_to_phys(page), CACHE_LINE_BYTES, DMA_TABLE_INVALIDATE);
	KT_EQ(t, cpu[5], 1);
	__free_page(page);
}

static unsigned int steps;

static void count_step(void)
{
	steps++;
}

static void others_get_a_turn_before_and_after(struct ktap *t)
{
	struct page *page;

	quiet_page(t, &page);
	dma_between_steps = count_step;
	cache_maintain(page_to_phys(page), PAGE_SIZE, DMA_TABLE_CLEAN);
	dma_between_steps = NULL;
	cache_maintain(page_to_phys(page), PAGE_SIZE, DMA_TABLE_CLEAN);
	KT_EQ(t, steps, 2);
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

/*
 * First of all cases, before there are copies: each mapping that the system refuses is told, and
 * the next attempt finds nothing half made.
 */
static void without_addresses_there_are_no_copies(struct ktap *t)
{
	struct machine *machine = machine_create(machine_type_find("arm"), 0);
	struct page *page = alloc_page(GFP_KERNEL);

	KT_CHECK(t, !IS_ERR(machine));
	for (int k = 1; k <= 2; k++) {
		port_fail_nth(PORT_FAULT_MAP, k);
		KT_EQ(t, cache_prepare(), -ENOMEM);
		port_fail_nth(PORT_FAULT_MAP, k);
		KT_CHECK(t, !cache_behind(page_to_phys(page)));
		port_fail_nth(PORT_FAULT_MAP, k);
		cache_maintain(page_to_phys(page), CACHE_LINE_BYTES, DMA_TABLE_CLEAN);
		port_fail_nth(PORT_FAULT_MAP, k);
		KT_EQ(t, PTR_ERR(machine_add_device(machine, "probe", false)), -ENOMEM);
	}
	port_fail_nth(PORT_FAULT_MAP, 1);
	KT_EQ(t, PTR_ERR(machine_create(machine_type_find("arm"), 0)), -ENOMEM);
	port_fail_nth(PORT_FAULT_MAP, 0);
	KT_EQ(t, cache_prepare(), 0);
	machine_destroy(machine);
	__free_page(page);
}

KTAP_MAIN(KTAP_CASE(without_addresses_there_are_no_copies),
	  KTAP_CASE(fresh_pages_hold_poison_behind), KTAP_CASE(clean_takes_dirty_lines_only),
	  KTAP_CASE(invalidate_loses_dirty_lines), KTAP_CASE(both_keep_dirty_and_fetch_clean),
	  KTAP_CASE(operations_stay_on_their_lines), KTAP_CASE(clean_invalidate_loses_no_store),
	  KTAP_CASE(fetch_loses_no_device_write), KTAP_CASE(cleans_of_one_line_exclude_each_other),
	  KTAP_CASE(two_calls_lose_the_store_between),
	  KTAP_CASE(others_get_a_turn_before_and_after), KTAP_CASE(adversary_touches_about_half))
