/* SPDX-License-Identifier: MIT */
/*
 * memory.c - the page allocator over one memfd
 *
 * A binary buddy: a free block of order n merges with the neighbour whose frame number differs in
 * bit n only.
 *
 * Invariants
 *   PA1  The first page of a block, free or used, has state PAGE_FREE or PAGE_USED and the block's
 *        order; all other pages have PAGE_INSIDE.  So a block is handed out without touching its
 *        tails, except with __GFP_COMP.  Each page that is lent has PAGE_LENT and order 0.
 *   PA2  known_zero is set only while the memfd has never held anything else there, or holds
 *        nothing.
 *   PA3  No system call happens under the lock but those that make the arena, at the first
 *        allocation, open it once more, and the one that brings 4 MiB more into service.  Frames are
 *        lent and taken back by whoever has them, without it.
 *   PA4  Both descriptors are of the same memfd: they are closed together.
 *
 * Deliberately not here: caches per CPU, zones, reclaim, compaction.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/bug.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/sched/mm.h>
#include <linux/spinlock.h>
#include "host/asan.h"
#include "host/memfd.h"
#include "host/memory.h"
#include "host/port.h"

enum page_state { PAGE_INSIDE, PAGE_FREE, PAGE_USED, PAGE_LENT };

#define ARENA_PAGES (HOST_MEMORY_BYTES >> PAGE_SHIFT)
#define BLOCK_PAGES (1UL << MAX_PAGE_ORDER)

/* Free memory beyond this is given back to the system when it has merged into a largest block. */
#define KEEP_DIRTY_PAGES ((64UL << 20) >> PAGE_SHIFT)

struct page *mem_map;
void *host_memory_base;
void (*host_page_alloc_hook)(struct page *page, unsigned int order);

static int arena_fd = -1;
static int read_only_fd = -1; /* made when first asked for; under lock */

/*
 * Pages that may be touched: a multiple of BLOCK_PAGES, only grows. Written under lock, read
 * anywhere.
 */
static unsigned long pages_in_service;

static DEFINE_SPINLOCK(lock);

/* Under lock. */
static struct list_head free_blocks[NR_PAGE_ORDERS];
static u64 pages_used;
static u64 pages_dirty;

/*
 * Under lock, before the first page is handed out: page_address() and its kin, which take a page,
 * need no check.
 */
static void arena_create(void)
{
	const char *call = "memfd_create";
	void *base, *map;
	int fd;

	for (int order = 0; order < NR_PAGE_ORDERS; order++)
		INIT_LIST_HEAD(&free_blocks[order]);

	if (sysconf(_SC_PAGESIZE) != PAGE_SIZE) {
		pr_err_once("libdmabuf needs pages of %lu bytes, here they have %ld\n", PAGE_SIZE,
			    sysconf(_SC_PAGESIZE));
		return;
	}
	fd = port_memfd_create("libdmabuf-memory", MFD_CLOEXEC);
	if (fd < 0)
		goto refused;
	call = "ftruncate";
	if (port_ftruncate(fd, HOST_MEMORY_BYTES))
		goto close_fd;
	call = "mmap";
	base = port_mmap(NULL, HOST_MEMORY_BYTES, PROT_NONE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (base == MAP_FAILED)
		goto close_fd;
	map = port_mmap(NULL, ARENA_PAGES * sizeof(struct page), PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (map == MAP_FAILED)
		goto unmap_base;

	host_memory_base = base;
	mem_map = map;
	arena_fd = fd;
	return;

unmap_base:
	munmap(base, HOST_MEMORY_BYTES);
close_fd:
	close(fd);
refused:
	pr_err_once("libdmabuf gets no memory: %s: %s\n", call, strerror(errno));
}

int host_memory_fd(void)
{
	int fd;

	spin_lock(&lock);
	if (!mem_map)
		arena_create();
	fd = arena_fd;
	spin_unlock(&lock);
	return fd;
}

int host_memory_read_only_fd(void)
{
	char path[64];
	int fd = -ENOMEM;

	spin_lock(&lock);
	if (!mem_map)
		arena_create();
	if (mem_map && read_only_fd < 0) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", arena_fd);
		read_only_fd = port_open(path, O_RDONLY | O_CLOEXEC);
		fd = read_only_fd < 0 ? -errno : 0;
	}
	if (read_only_fd >= 0)
		fd = read_only_fd;
	spin_unlock(&lock);
	return fd;
}

bool host_memory_fini(bool leave)
{
	host_memfd_fini(leave);
	if (leave)
		spin_lock_init(&lock);
	spin_lock(&lock);
	if (!mem_map || (pages_used && !leave)) {
		spin_unlock(&lock);
		return !mem_map;
	}
	ASAN_UNPOISON_MEMORY_REGION(host_memory_base, pages_in_service << PAGE_SHIFT);
	munmap(host_memory_base, HOST_MEMORY_BYTES);
	munmap(mem_map, ARENA_PAGES * sizeof(struct page));
	close(arena_fd);
	if (read_only_fd >= 0)
		close(read_only_fd);
	host_memory_base = NULL;
	mem_map = NULL;
	arena_fd = -1;
	read_only_fd = -1;
	__atomic_store_n(&pages_in_service, 0, __ATOMIC_RELEASE);
	pages_used = 0;
	pages_dirty = 0;
	spin_unlock(&lock);
	return true;
}

/* --- names of a page -------------------------------------------------------------------------- */

bool host_phys_valid(phys_addr_t phys, size_t len)
{
	u64 bytes = (u64)__atomic_load_n(&pages_in_service, __ATOMIC_ACQUIRE) << PAGE_SHIFT;

	phys -= HOST_PHYS_BASE; /* below memory: wraps beyond its end */
	return len <= bytes && phys <= bytes - len && phys < bytes;
}

void *host_phys_to_virt(phys_addr_t phys)
{
	return host_phys_valid(phys, 1) ? (char *)host_memory_base + (phys - HOST_PHYS_BASE) : NULL;
}

/* Wraps round to something invalid for an address below the arena. */
static phys_addr_t linear_to_phys(const volatile void *addr)
{
	return HOST_PHYS_BASE + ((uintptr_t)addr - (uintptr_t)host_memory_base);
}

bool virt_addr_valid(const volatile void *addr)
{
	return host_phys_valid(linear_to_phys(addr), 1);
}

bool pfn_valid(unsigned long pfn)
{
	return host_phys_valid((phys_addr_t)pfn << PAGE_SHIFT, 1);
}

struct page *phys_to_page(phys_addr_t phys)
{
	if (WARN(!host_phys_valid(phys, 1), "physical address %#llx is not memory",
		 (unsigned long long)phys))
		return NULL;
	return mem_map + ((phys - HOST_PHYS_BASE) >> PAGE_SHIFT);
}

struct page *pfn_to_page(unsigned long pfn)
{
	return phys_to_page((phys_addr_t)pfn << PAGE_SHIFT);
}

phys_addr_t virt_to_phys(const volatile void *addr)
{
	phys_addr_t phys = linear_to_phys(addr);

	if (WARN(!host_phys_valid(phys, 1), "virt_to_phys: this is not a linear address of a page"))
		return 0;
	return phys;
}

struct page *virt_to_page(const volatile void *addr)
{
	phys_addr_t phys = virt_to_phys(addr);

	return phys ? mem_map + ((phys - HOST_PHYS_BASE) >> PAGE_SHIFT) : NULL;
}

void *phys_to_virt(phys_addr_t phys)
{
	void *virt = host_phys_to_virt(phys);

	WARN(!virt, "physical address %#llx is not memory", (unsigned long long)phys);
	return virt;
}

/* --- blocks ----------------------------------------------------------------------------------- */

/* All of this section runs under lock. */

static void block_insert(struct page *page, unsigned int order, bool known_zero)
{
	page->state = PAGE_FREE;
	page->order = order;
	page->known_zero = known_zero;
	/* Memory the system has given goes out again first, or a block would go back and forth. */
	if (known_zero) {
		list_add_tail(&page->lru, &free_blocks[order]);
	} else {
		pages_dirty += 1UL << order;
		list_add(&page->lru, &free_blocks[order]);
	}
}

static void block_remove(struct page *page)
{
	list_del(&page->lru);
	if (!page->known_zero)
		pages_dirty -= 1UL << page->order;
	page->state = PAGE_INSIDE;
}

/* The next block of the arena that was never used. */
static bool arena_grow(void)
{
	unsigned long first = pages_in_service;

	if (!mem_map || first == ARENA_PAGES)
		return false;
	if (port_mprotect((char *)host_memory_base + (first << PAGE_SHIFT),
			  BLOCK_PAGES << PAGE_SHIFT, PROT_READ | PROT_WRITE))
		return false;
	block_insert(mem_map + first, MAX_PAGE_ORDER, true);
	__atomic_store_n(&pages_in_service, first + BLOCK_PAGES, __ATOMIC_RELEASE);
	return true;
}

static struct page *block_take(unsigned int order)
{
	unsigned int have = order;
	struct page *page;
	bool known_zero;

	if (!mem_map)
		return NULL;
	while (have <= MAX_PAGE_ORDER && list_empty(&free_blocks[have]))
		have++;
	if (have > MAX_PAGE_ORDER) {
		if (!arena_grow())
			return NULL;
		have = MAX_PAGE_ORDER;
	}
	page = list_first_entry(&free_blocks[have], struct page, lru);
	known_zero = page->known_zero;
	block_remove(page);
	while (have > order) {
		have--;
		block_insert(page + (1UL << have), have, known_zero);
	}
	page->state = PAGE_USED;
	page->order = order;
	pages_used += 1UL << order;
	return page;
}

static struct page *buddy_of(struct page *page, unsigned int order)
{
	return mem_map + ((unsigned long)(page - mem_map) ^ (1UL << order));
}

/* Returns the block that @page ended in; not on any list yet, its order in @order. */
static struct page *block_merge(struct page *page, unsigned int *order)
{
	page->state = PAGE_INSIDE;
	while (*order < MAX_PAGE_ORDER) {
		struct page *buddy = buddy_of(page, *order);

		if (buddy->state != PAGE_FREE || buddy->order != *order)
			break;
		block_remove(buddy);
		page = min(page, buddy);
		(*order)++;
	}
	return page;
}

/* --- allocation and references ---------------------------------------------------------------- */

static void compound_set(struct page *page, unsigned int order)
{
	for (unsigned long i = 0; i < 1UL << order; i++) {
		page[i].compound = 1;
		page[i].head_distance = i;
	}
}

static void compound_clear(struct page *page, unsigned int order)
{
	for (unsigned long i = 0; i < 1UL << order; i++) {
		page[i].compound = 0;
		page[i].head_distance = 0;
	}
}

/* As block_take(), of an arena that may have to be made first; NULL: no room, or no arena. */
static struct page *block_alloc(unsigned int order)
{
	struct page *page;

	spin_lock(&lock);
	if (!mem_map)
		arena_create();
	page = block_take(order);
	spin_unlock(&lock);
	return page;
}

struct page *alloc_pages(gfp_t gfp, unsigned int order)
{
	struct page *page;
	size_t bytes;

	might_alloc(gfp);
	if (order > MAX_PAGE_ORDER) {
		WARN(!(gfp & __GFP_NOWARN), "alloc_pages: order %u exceeds MAX_PAGE_ORDER", order);
		return NULL;
	}
	if (!(gfp & __GFP_NOFAIL) && port_should_fail(PORT_FAULT_ALLOC))
		return NULL;

	page = block_alloc(order);
	if (!page)
		return NULL;

	bytes = PAGE_SIZE << order;
	ASAN_UNPOISON_MEMORY_REGION(page_address(page), bytes);
	if ((gfp & __GFP_ZERO) && !page->known_zero)
		memset(page_address(page), 0, bytes);
	page->private = 0;
	page->mapping = NULL;
	page->index = 0;
	if ((gfp & __GFP_COMP) && order)
		compound_set(page, order);
	atomic_set(&page->_refcount, 1);
	if (host_page_alloc_hook)
		host_page_alloc_hook(page, order);
	return page;
}

/* The last reference of @page, a head, is gone. */
static void block_free(struct page *page)
{
	unsigned int order = page->order;
	bool known_zero = false;

	ASAN_POISON_MEMORY_REGION(page_address(page), PAGE_SIZE << order);
	if (page->compound)
		compound_clear(page, order);

	spin_lock(&lock);
	pages_used -= 1UL << order;
	page = block_merge(page, &order);
	if (order < MAX_PAGE_ORDER || pages_dirty < KEEP_DIRTY_PAGES) {
		block_insert(page, order, false);
		spin_unlock(&lock);
		return;
	}
	spin_unlock(&lock);

	/* On no list, so nobody else's: PA3 lets it go back without the lock. */
	known_zero = !port_fallocate(arena_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				     (off_t)(page - mem_map) << PAGE_SHIFT, PAGE_SIZE << order);

	spin_lock(&lock);
	block_insert(page, order, known_zero);
	spin_unlock(&lock);
}

void get_page(struct page *page)
{
	struct page *head = compound_head(page);

	if (WARN(atomic_read(&head->_refcount) <= 0, "get_page: pfn %#lx is free",
		 page_to_pfn(page)))
		return;
	atomic_inc(&head->_refcount);
}

void put_page(struct page *page)
{
	struct page *head = compound_head(page);
	int count = atomic_read(&head->_refcount);

	do {
		if (WARN(count <= 0, "put_page: pfn %#lx is already free", page_to_pfn(page)))
			return;
	} while (!atomic_try_cmpxchg(&head->_refcount, &count, count - 1));
	if (count != 1)
		return;
	if (head->state == PAGE_LENT)
		host_memfd_put(head);
	else
		block_free(head);
}

void __free_pages(struct page *page, unsigned int order)
{
	if (WARN(page->state != PAGE_USED || page->order != order,
		 "__free_pages: pfn %#lx is not the first page of a used block of order %u",
		 page_to_pfn(page), order))
		return;
	put_page(page);
}

void split_page(struct page *page, unsigned int order)
{
	if (WARN(page->state != PAGE_USED || page->order != order || page->compound,
		 "split_page: pfn %#lx is not a plain block of order %u", page_to_pfn(page), order))
		return;
	if (WARN(atomic_read(&page->_refcount) != 1, "split_page: pfn %#lx is shared",
		 page_to_pfn(page)))
		return;

	spin_lock(&lock);
	for (unsigned long i = 0; i < 1UL << order; i++) {
		page[i].state = PAGE_USED;
		page[i].order = 0;
		atomic_set(&page[i]._refcount, 1);
	}
	spin_unlock(&lock);
}

/* --- by address ------------------------------------------------------------------------------- */

unsigned long __get_free_pages(gfp_t gfp, unsigned int order)
{
	struct page *page = alloc_pages(gfp, order);

	return page ? (unsigned long)page_address(page) : 0;
}

void free_pages(unsigned long addr, unsigned int order)
{
	struct page *page = addr ? virt_to_page((void *)addr) : NULL;

	if (page)
		__free_pages(page, order);
}

void *alloc_pages_exact(size_t size, gfp_t gfp)
{
	unsigned long pages = PAGE_ALIGN(size) >> PAGE_SHIFT;
	unsigned int order;
	struct page *page;

	if (WARN(!size || (gfp & __GFP_COMP), "alloc_pages_exact: no size, or __GFP_COMP"))
		return NULL;
	order = get_order(size);
	page = alloc_pages(gfp, order);
	if (!page)
		return NULL;
	split_page(page, order);
	for (unsigned long i = pages; i < 1UL << order; i++)
		__free_page(page + i);
	return page_address(page);
}

void free_pages_exact(void *addr, size_t size)
{
	struct page *page = virt_to_page(addr);

	for (unsigned long i = 0; page && i < PAGE_ALIGN(size) >> PAGE_SHIFT; i++)
		__free_page(page + i);
}

/* --- more than the largest block -------------------------------------------------------------- */

/* The first of @blocks largest blocks in a row, all free; the arena grows if need be. Under lock. */
static struct page *run_find(unsigned long blocks)
{
	unsigned long found = 0, at;

	for (at = 0; found < blocks; at += BLOCK_PAGES) {
		const struct page *page = mem_map + at;

		if (at == pages_in_service &&
		    (blocks - found > (ARENA_PAGES - at) / BLOCK_PAGES || !arena_grow()))
			return NULL;
		if (page->state == PAGE_FREE && page->order == MAX_PAGE_ORDER)
			found++;
		else
			found = 0;
	}
	return mem_map + at - blocks * BLOCK_PAGES;
}

/* Each page of the run is a used block of order 0 then. */
static struct page *run_take(unsigned long blocks)
{
	struct page *run;

	spin_lock(&lock);
	if (!mem_map)
		arena_create();
	run = mem_map ? run_find(blocks) : NULL;
	for (unsigned long i = 0; run && i < blocks * BLOCK_PAGES; i++) {
		if (!(i % BLOCK_PAGES))
			block_remove(run + i);
		run[i].state = PAGE_USED;
		run[i].order = 0;
		pages_used++;
	}
	spin_unlock(&lock);
	return run;
}

struct page *alloc_contig_pages(unsigned long nr_pages, gfp_t gfp, int nid, nodemask_t *nodemask)
{
	unsigned long blocks = DIV_ROUND_UP(nr_pages, BLOCK_PAGES), i;
	struct page *run;

	if (!nr_pages || nr_pages > ARENA_PAGES)
		return NULL;
	if (blocks == 1) {
		void *addr = alloc_pages_exact(nr_pages << PAGE_SHIFT, gfp);

		return addr ? virt_to_page(addr) : NULL;
	}
	might_alloc(gfp);
	if (port_should_fail(PORT_FAULT_ALLOC))
		return NULL;
	run = run_take(blocks);
	if (!run)
		return NULL;
	for (i = 0; i < blocks * BLOCK_PAGES; i += BLOCK_PAGES) {
		struct page *block = run + i;

		ASAN_UNPOISON_MEMORY_REGION(page_address(block), BLOCK_PAGES << PAGE_SHIFT);
		if ((gfp & __GFP_ZERO) && !block->known_zero)
			memset(page_address(block), 0, BLOCK_PAGES << PAGE_SHIFT);
		if (host_page_alloc_hook)
			host_page_alloc_hook(block, MAX_PAGE_ORDER);
	}
	for (i = 0; i < blocks * BLOCK_PAGES; i++) {
		run[i].private = 0;
		run[i].mapping = NULL;
		run[i].index = 0;
		atomic_set(&run[i]._refcount, 1);
	}
	for (i = nr_pages; i < blocks * BLOCK_PAGES; i++)
		__free_page(run + i);
	return run;
}

void free_contig_range(unsigned long pfn, unsigned long nr_pages)
{
	for (; nr_pages--; pfn++)
		__free_page(pfn_to_page(pfn));
}

/* --- frames with another file's memory -------------------------------------------------------- */

static void lent_mark(struct page *page, unsigned int order, enum page_state state)
{
	spin_lock(&lock);
	for (unsigned long i = 0; i < 1UL << order; i++) {
		page[i].state = state;
		page[i].order = 0;
	}
	spin_unlock(&lock);
}

/* Nobody else's block, in the state of its first page when it was taken. */
static void lent_end(struct page *page, unsigned int order)
{
	bool known_zero = page->known_zero;

	ASAN_POISON_MEMORY_REGION(page_address(page), PAGE_SIZE << order);
	lent_mark(page, order, PAGE_INSIDE);
	spin_lock(&lock);
	pages_used -= 1UL << order;
	page = block_merge(page, &order);
	block_insert(page, order, known_zero);
	spin_unlock(&lock);
}

struct page *host_memory_lend(unsigned int order, int fd, off_t offset)
{
	size_t bytes = PAGE_SIZE << order;
	struct page *page = NULL;
	int ret;

	if (port_should_fail(PORT_FAULT_ALLOC))
		return ERR_PTR(-ENOMEM);
	page = block_alloc(order);
	if (!page)
		return ERR_PTR(-ENOMEM);
	if (port_mmap(page_address(page), bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
		      offset) == MAP_FAILED) {
		ret = -errno;
		lent_end(page, order);
		return ERR_PTR(ret);
	}
	ASAN_UNPOISON_MEMORY_REGION(page_address(page), bytes);
	lent_mark(page, order, PAGE_LENT);
	return page;
}

int host_memory_take_back(struct page *page, unsigned int order)
{
	off_t offset = (off_t)(page - mem_map) << PAGE_SHIFT;

	/* The system's: who unpins has nobody to tell. */
	if (mmap(page_address(page), PAGE_SIZE << order, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_FIXED, arena_fd, offset) == MAP_FAILED)
		return -ENOMEM;
	lent_end(page, order);
	return 0;
}

int host_page_source(const struct page *page, bool read_only, off_t *offset)
{
	if (page->state == PAGE_LENT)
		return host_memfd_source(page, read_only, offset);
	*offset = (off_t)(page - mem_map) << PAGE_SHIFT;
	return read_only ? host_memory_read_only_fd() : arena_fd;
}

bool host_page_follows(const struct page *page, const struct page *next)
{
	if (next != page + 1 || (page->state == PAGE_LENT) != (next->state == PAGE_LENT))
		return false;
	return page->state != PAGE_LENT || page->mapping == next->mapping;
}

void host_memory_stats(struct host_memory_stats *stats)
{
	spin_lock(&lock);
	stats->pages_used = pages_used;
	stats->pages_dirty = pages_dirty;
	spin_unlock(&lock);
}
