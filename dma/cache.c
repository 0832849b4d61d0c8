/* SPDX-License-Identifier: MIT */
/*
 * cache.c - see cache.h
 *
 *	view	what the CPU sees: the arena of host/memory.h, plain pointers
 *	behind	memory behind the caches: what devices that do not snoop see
 *	agreed	what view and behind held when they last agreed; where view differs, a line is dirty
 *
 * behind and agreed are sparse and as large as the arena.  CPU stores to the view take no lock and
 * pass no hook, so every function here runs beside them; operations on the same page exclude each
 * other by lock.
 *
 * Invariants
 *   CI1  Between operations, behind differs from agreed only where a device wrote.
 *   CI2  The view is refilled by compare-and-swap in each operation that must lose no store (CA1).
 *
 * The functions that touch the view race with the program's stores on purpose, as hardware does,
 * and are kept from ThreadSanitizer; they call no memcpy() because that would be seen.
 */
#include <sys/mman.h>
#include <linux/atomic.h>
#include <linux/bug.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/spinlock.h>
#include "dma/cache.h"
#include "dma/fault.h"
#include "host/memory.h"
#include "host/port.h"

#define races_by_design __attribute__((no_sanitize("thread")))

#define LINE_WORDS (CACHE_LINE_BYTES / sizeof(u64))
#define FRESH_POISON 0x5bad5bad5bad5badULL

#define CACHE_LOCKS 256 /* power of two */

/* One line of each copy. */
struct cache_line {
	u64 *view, *behind, *agreed;
};

static struct {
	char *behind, *agreed; /* written once under init_lock, then constant; NULL: not made yet */
	atomic64_t seed;       /* of the adversary, 0: none */
	spinlock_t init_lock;
	spinlock_t page_lock[CACHE_LOCKS]; /* by page number: behind and agreed of that page */
} cache = { .init_lock = __SPIN_LOCK_UNLOCKED(cache.init_lock) };

/* Halves of it may be from different moments; bytes never are. */
typedef u64 quad __attribute__((vector_size(16), may_alias));

#define LINE_QUADS (CACHE_LINE_BYTES / sizeof(quad))

races_by_design static void line_copy(void *to, const void *from)
{
	volatile quad *t = to;
	const volatile quad *f = from;
	unsigned int i;

	for (i = 0; i < LINE_QUADS; i++)
		t[i] = f[i];
}

races_by_design static bool line_equal(const void *a, const void *b)
{
	const volatile quad *x = a, *y = b;
	quad differ = x[0] ^ y[0];
	unsigned int i;

	for (i = 1; i < LINE_QUADS; i++)
		differ |= x[i] ^ y[i];
	return !(differ[0] | differ[1]);
}

races_by_design static void line_write_back(const struct cache_line *line)
{
	u64 now[LINE_WORDS] __aligned(CACHE_LINE_BYTES);

	line_copy(now, line->view);
	line_copy(line->behind, now);
	line_copy(line->agreed, now);
}

races_by_design static void line_clean(const struct cache_line *line)
{
	if (!line_equal(line->view, line->agreed))
		line_write_back(line);
}

/*
 * Memory is read once: a device may be writing it, and what is agreed on must be what the view got.
 */
races_by_design static void line_invalidate(const struct cache_line *line)
{
	u64 fetched[LINE_WORDS] __aligned(CACHE_LINE_BYTES);

	line_copy(fetched, line->behind);
	if (!line_equal(line->view, fetched))
		line_copy(line->view, fetched);
	if (!line_equal(line->agreed, fetched))
		line_copy(line->agreed, fetched);
}

/* 0xff in each byte where @a and @b differ */
static u64 bytes_that_differ(u64 a, u64 b)
{
	u64 x = a ^ b;

	x |= x >> 4;
	x |= x >> 2;
	x |= x >> 1;
	return (x & 0x0101010101010101ULL) * 0xff;
}

/* The word held @seen; make it @fresh, except for the bytes that somebody stores meanwhile. */
races_by_design static void word_refill(u64 *word, u64 seen, u64 fresh)
{
	u64 now = seen, want = fresh, stored;

	while (!__atomic_compare_exchange_n(word, &now, want, false, __ATOMIC_RELAXED,
					    __ATOMIC_RELAXED)) {
		stored = bytes_that_differ(now, seen);
		want = (now & stored) | (fresh & ~stored);
	}
}

races_by_design static void line_clean_invalidate(const struct cache_line *line)
{
	u64 fetched[LINE_WORDS] __aligned(CACHE_LINE_BYTES);
	unsigned int i;

	/*
	 * Written back, a line leaves the caches with the bytes it is fetched with again.  No
	 * second look: a store may have made it equal again, and then it would be neither written
	 * back nor fetched.
	 */
	if (!line_equal(line->view, line->agreed)) {
		line_write_back(line);
		return;
	}
	line_copy(fetched, line->behind);
	if (line_equal(line->agreed, fetched))
		return;
	/* it was clean, so what the view held is what was agreed on */
	for (i = 0; i < LINE_WORDS; i++)
		if (fetched[i] != line->agreed[i])
			word_refill(&line->view[i], line->agreed[i], fetched[i]);
	line_copy(line->agreed, fetched);
}

/* Does the adversary pick this line? Half of them, for ever the same for a seed. */
static bool line_is_picked(u64 seed, phys_addr_t phys)
{
	u64 x = (phys / CACHE_LINE_BYTES) ^ seed;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return (x ^ (x >> 31)) & 1;
}

static void page_operation(phys_addr_t phys, size_t len, u64 seed, const enum dma_table_op *op)
{
	u64 offset = phys - HOST_PHYS_BASE;
	struct cache_line line = { .view = host_phys_to_virt(phys),
				   .behind = (u64 *)(cache.behind + offset),
				   .agreed = (u64 *)(cache.agreed + offset) };

	for (; len; len -= CACHE_LINE_BYTES, phys += CACHE_LINE_BYTES) {
		if (seed && line_is_picked(seed, phys))
			line_clean_invalidate(&line);
		if (op && *op == DMA_TABLE_CLEAN)
			line_clean(&line);
		else if (op && *op == DMA_TABLE_INVALIDATE)
			line_invalidate(&line);
		else if (op)
			line_clean_invalidate(&line);
		line.view += LINE_WORDS;
		line.behind += LINE_WORDS;
		line.agreed += LINE_WORDS;
	}
}

/* The adversary's turn, then @op if there is one, on all lines that the range touches. */
static void cache_operation(phys_addr_t phys, size_t len, const enum dma_table_op *op)
{
	u64 seed = atomic64_read(&cache.seed);
	phys_addr_t end = ALIGN(phys + len, CACHE_LINE_BYTES), stop;

	if (!len || (!op && !seed))
		return;
	phys = ALIGN_DOWN(phys, CACHE_LINE_BYTES);
	if (WARN_ON(!host_phys_valid(phys, end - phys)) || cache_prepare())
		return;
	if (op)
		dma_step();
	for (; phys < end; phys = stop) {
		spinlock_t *lock = &cache.page_lock[(phys >> PAGE_SHIFT) % CACHE_LOCKS];

		stop = min(end, ALIGN_DOWN(phys, PAGE_SIZE) + PAGE_SIZE);
		spin_lock(lock);
		page_operation(phys, stop - phys, seed, op);
		spin_unlock(lock);
	}
	if (op)
		dma_step();
}

void cache_maintain(phys_addr_t phys, size_t len, enum dma_table_op op)
{
	cache_operation(phys, len, &op);
}

void cache_passes(phys_addr_t phys, size_t len)
{
	cache_operation(phys, len, NULL);
}

void *cache_behind(phys_addr_t phys)
{
	if (WARN_ON(!host_phys_valid(phys, 1)) || cache_prepare())
		return NULL;
	return cache.behind + (phys - HOST_PHYS_BASE);
}

void *cache_agreed(phys_addr_t phys)
{
	return cache.agreed + (phys - HOST_PHYS_BASE);
}

void cache_adversary(u64 seed)
{
	atomic64_set(&cache.seed, seed);
}

/* Nobody but the caller of alloc_pages() has the block yet, so no lock. */
races_by_design static void cache_poison_fresh(struct page *page, unsigned int order)
{
	u64 offset = page_to_phys(page) - HOST_PHYS_BASE;
	u64 *behind = (u64 *)(cache.behind + offset), *agreed = (u64 *)(cache.agreed + offset);
	size_t i;

	for (i = 0; i < (PAGE_SIZE << order) / sizeof(u64); i++) {
		WRITE_ONCE(behind[i], FRESH_POISON);
		WRITE_ONCE(agreed[i], FRESH_POISON);
	}
}

static char *cache_copy(void)
{
	char *copy;

	copy = port_mmap(NULL, HOST_MEMORY_BYTES, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return copy == MAP_FAILED ? NULL : copy;
}

int cache_prepare(void)
{
	char *behind, *agreed;
	unsigned int i;
	int err = 0;

	if (likely(smp_load_acquire(&cache.behind)))
		return 0;
	spin_lock(&cache.init_lock);
	if (cache.behind)
		goto out;
	err = -ENOMEM;
	behind = cache_copy();
	if (!behind)
		goto out;
	agreed = cache_copy();
	if (!agreed) {
		munmap(behind, HOST_MEMORY_BYTES);
		goto out;
	}
	for (i = 0; i < CACHE_LOCKS; i++)
		spin_lock_init(&cache.page_lock[i]);
	cache.agreed = agreed;
	smp_store_release(&cache.behind, behind);
	WRITE_ONCE(host_page_alloc_hook, cache_poison_fresh);
	err = 0;
out:
	spin_unlock(&cache.init_lock);
	return err;
}
