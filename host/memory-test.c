/* SPDX-License-Identifier: MIT */
/* Pages: their names, blocks, references and aliases. */
#include <sys/mman.h>
#include <unistd.h>
#include <linux/dma-map-ops.h>
#include <linux/highmem.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/pfn.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include "host/asan.h"
#include "host/memory.h"
#include "host/port.h"
#include "tests/ktap.h"

static u64 used(void)
{
	struct host_memory_stats stats;

	host_memory_stats(&stats);
	return stats.pages_used;
}

static bool all_bytes(const void *addr, int value, size_t len)
{
	const unsigned char *p = addr;

	return p[0] == value && !memcmp(p, p + 1, len - 1);
}

/* --- names ------------------------------------------------------------------------------------ */

static void names_agree(struct ktap *t)
{
	struct page *page = alloc_pages(GFP_KERNEL, 3);
	char *addr;

	KT_ASSERT(t, page);
	addr = page_address(page);
	KT_CHECK(t, page_to_phys(page) >= 1ULL << 32);
	KT_CHECK(t, page_to_phys(page) % (PAGE_SIZE << 3) == 0);
	for (int i = 0; i < 8; i++) {
		KT_CHECK(t, virt_to_page(addr + i * PAGE_SIZE + 5) == nth_page(page, i));
		KT_CHECK(t, pfn_to_page(page_to_pfn(page) + i) == page + i);
		KT_CHECK(t, phys_to_page(page_to_phys(page + i) + 17) == page + i);
		KT_EQ(t, virt_to_phys(addr + i * PAGE_SIZE + 5), page_to_phys(page + i) + 5);
		KT_CHECK(t, phys_to_virt(page_to_phys(page + i)) == addr + i * PAGE_SIZE);
		KT_CHECK(t, virt_addr_valid(addr + i * PAGE_SIZE));
		KT_EQ(t, PFN_PHYS(page_to_pfn(page + i)), page_to_phys(page + i));
	}
	KT_CHECK(t, host_phys_valid(page_to_phys(page), PAGE_SIZE << 3));
	__free_pages(page, 3);
}

static void foreign_names_are_refused(struct ktap *t)
{
	int local = 0;

	KT_CHECK(t, !virt_addr_valid(&local));
	KT_CHECK(t, !virt_addr_valid(NULL));
	KT_CHECK(t, !pfn_valid(0));
	KT_CHECK(t, !host_phys_valid(HOST_PHYS_BASE - 1, 1));
	KT_CHECK(t, !host_phys_valid(HOST_PHYS_BASE + HOST_MEMORY_BYTES, 1));
	KT_CHECK(t, !host_phys_valid(HOST_PHYS_BASE, SIZE_MAX));
	KT_CHECK(t, !host_phys_valid(U64_MAX, 1));
	KT_CHECK(t, !host_phys_to_virt(4096));
	ktap_expect_warn(t, "is not a linear address");
	KT_CHECK(t, !virt_to_page(&local));
	ktap_expect_warn(t, "is not memory");
	KT_CHECK(t, !phys_to_page(4096));
	ktap_expect_warn(t, "is not memory");
	KT_CHECK(t, !pfn_to_page(1));
	ktap_expect_warn(t, "is not memory");
	KT_CHECK(t, !phys_to_virt(0));
}

/* --- blocks ----------------------------------------------------------------------------------- */

static void zeroed_when_asked(struct ktap *t)
{
	for (unsigned int order = 0; order <= 4; order += 2) {
		struct page *page = alloc_pages(GFP_KERNEL, order), *again;
		size_t bytes = PAGE_SIZE << order;

		KT_ASSERT(t, page);
		memset(page_address(page), 0x5a, bytes);
		__free_pages(page, order);
		again = alloc_pages(GFP_KERNEL | __GFP_ZERO, order);
		KT_ASSERT(t, again);
		KT_CHECK(t, all_bytes(page_address(again), 0, bytes));
		__free_pages(again, order);
	}
}

/* A page that is not zeroed on request holds its last owner's bytes: a missing __GFP_ZERO shows. */
static void stale_when_not_asked(struct ktap *t)
{
	struct page *page = alloc_page(GFP_KERNEL), *again;

	KT_ASSERT(t, page);
	memset(page_address(page), 0x5a, PAGE_SIZE);
	__free_page(page);
	again = alloc_page(GFP_KERNEL);
	KT_CHECK(t, again == page);
	KT_CHECK(t, all_bytes(page_address(again), 0x5a, PAGE_SIZE));
	__free_page(again);
}

enum { BLOCKS = 200 };

struct block {
	struct page *page;
	unsigned int order;
	unsigned char tag;
};

static bool block_make(struct block *b, u64 random)
{
	b->order = random % 6;
	b->tag = random >> 8;
	b->page = alloc_pages(GFP_KERNEL, b->order);
	if (b->page)
		memset(page_address(b->page), b->tag, PAGE_SIZE << b->order);
	return b->page;
}

static bool block_break(struct block *b)
{
	bool whole = all_bytes(page_address(b->page), b->tag, PAGE_SIZE << b->order);

	__free_pages(b->page, b->order);
	b->page = NULL;
	return whole;
}

/*
 * Blocks of random orders come and go; none may ever overlap another. Returns how many were
 * damaged.
 */
static int churn(unsigned int rounds, u64 seed)
{
	struct block blocks[BLOCKS] = {};
	int damaged = 0;

	for (unsigned int i = 0; i < rounds; i++) {
		struct block *b;

		seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
		b = &blocks[(seed >> 33) % BLOCKS];
		if (b->page)
			damaged += !block_break(b);
		else
			damaged += !block_make(b, seed >> 40);
	}
	for (int i = 0; i < BLOCKS; i++)
		if (blocks[i].page)
			damaged += !block_break(&blocks[i]);
	return damaged;
}

static void blocks_never_overlap(struct ktap *t)
{
	u64 before = used();

	KT_EQ(t, churn(ktap_long ? 200000 : 5000, 1), 0);
	KT_EQ(t, used(), before);
}

struct churner {
	u64 seed;
	int damaged;
};

static void churn_thread(void *arg)
{
	struct churner *c = arg;

	c->damaged = churn(ktap_long ? 100000 : 2000, c->seed);
}

static void blocks_never_overlap_among_threads(struct ktap *t)
{
	struct port_thread *threads[4];
	struct churner churners[4];
	u64 before = used();

	for (int i = 0; i < 4; i++) {
		churners[i] = (struct churner){ .seed = i + 2 };
		threads[i] = port_thread_create(churn_thread, &churners[i], "churn");
		KT_ASSERT(t, threads[i]);
	}
	for (int i = 0; i < 4; i++) {
		port_thread_join(threads[i]);
		KT_EQ(t, churners[i].damaged, 0);
	}
	KT_EQ(t, used(), before);
}

/* Takes all the largest blocks there are; costs no memory, since nobody touches them. */
static int take_everything(void)
{
	struct page *page, *chain = NULL;
	int count = 0;

	while ((page = alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER))) {
		page->private = (unsigned long)chain;
		chain = page;
		count++;
	}
	while (chain) {
		page = chain;
		chain = (struct page *)page->private;
		__free_pages(page, MAX_PAGE_ORDER);
	}
	return count;
}

static void exhaustion_is_null_and_all_merges_again(struct ktap *t)
{
	int blocks = HOST_MEMORY_BYTES / (PAGE_SIZE << MAX_PAGE_ORDER);

	KT_EQ(t, used(), 0);
	KT_EQ(t, take_everything(), blocks);
	churn(2000, 9);
	KT_EQ(t, take_everything(), blocks);
}

static void memory_goes_back(struct ktap *t)
{
	enum { COUNT = 32 };
	struct host_memory_stats stats;
	struct page *pages[COUNT];

	for (int i = 0; i < COUNT; i++) {
		pages[i] = alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER);
		KT_ASSERT(t, pages[i]);
		memset(page_address(pages[i]), 1, PAGE_SIZE);
	}
	for (int i = 0; i < COUNT; i++)
		__free_pages(pages[i], MAX_PAGE_ORDER);
	host_memory_stats(&stats);
	KT_CHECK(t, stats.pages_dirty <= (68UL << 20) >> PAGE_SHIFT);

	/* What was given back reads as zero without being cleared. */
	for (int i = 0; i < COUNT; i++) {
		pages[i] = alloc_pages(GFP_KERNEL | __GFP_ZERO, MAX_PAGE_ORDER);
		KT_ASSERT(t, pages[i]);
		KT_CHECK(t, all_bytes(page_address(pages[i]), 0, PAGE_SIZE));
	}
	for (int i = 0; i < COUNT; i++)
		__free_pages(pages[i], MAX_PAGE_ORDER);
}

static void failure_on_demand(struct ktap *t)
{
	struct page *page;

	port_fail_nth(PORT_FAULT_ALLOC, 1);
	KT_CHECK(t, !alloc_page(GFP_KERNEL));
	page = alloc_page(GFP_KERNEL);
	KT_CHECK(t, page);
	__free_page(page);

	port_fail_nth(PORT_FAULT_ALLOC, 1);
	page = alloc_page(GFP_KERNEL | __GFP_NOFAIL);
	KT_CHECK(t, page);
	__free_page(page);
	port_fail_nth(PORT_FAULT_ALLOC, 0);
}

static void too_large_an_order(struct ktap *t)
{
	ktap_expect_warn(t, "exceeds MAX_PAGE_ORDER");
	KT_CHECK(t, !alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER + 1));
	KT_CHECK(t, !alloc_pages(GFP_KERNEL | __GFP_NOWARN, MAX_PAGE_ORDER + 1));
}

static void freed_pages_are_poisoned(struct ktap *t)
{
#ifdef __SANITIZE_ADDRESS__
	struct page *page = alloc_pages(GFP_KERNEL, 1);
	char *addr = page_address(page);

	KT_CHECK(t, !__asan_address_is_poisoned(addr + PAGE_SIZE));
	__free_pages(page, 1);
	KT_CHECK(t, __asan_address_is_poisoned(addr));
	KT_CHECK(t, __asan_address_is_poisoned(addr + 2 * PAGE_SIZE - 1));
#else
	ktap_skip(t, "needs AddressSanitizer");
#endif
}

/* --- references ------------------------------------------------------------------------------- */

static void last_reference_frees(struct ktap *t)
{
	u64 before = used();
	struct page *page = alloc_pages(GFP_KERNEL, 2);

	KT_ASSERT(t, page);
	KT_EQ(t, page_count(page), 1);
	get_page(page);
	__free_pages(page, 2);
	KT_EQ(t, used(), before + 4);
	put_page(page);
	KT_EQ(t, used(), before);
}

static void broken_frees_do_nothing(struct ktap *t)
{
	u64 before = used();
	struct page *page = alloc_pages(GFP_KERNEL, 2);

	KT_ASSERT(t, page);
	ktap_expect_warn(t, "is not the first page of a used block");
	__free_pages(page, 1);
	ktap_expect_warn(t, "is not the first page of a used block");
	__free_pages(page + 1, 0);
	ktap_expect_warn(t, "already free");
	put_page(page + 1);
	ktap_expect_warn(t, "is free");
	get_page(page + 1);
	KT_EQ(t, used(), before + 4);
	__free_pages(page, 2);

	ktap_expect_warn(t, "is not the first page of a used block");
	__free_pages(page, 2);
	ktap_expect_warn(t, "already free");
	put_page(page);
	KT_EQ(t, used(), before);
}

static void compound_is_one_page(struct ktap *t)
{
	u64 before = used();
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_COMP, 3), *plain;

	KT_ASSERT(t, page);
	KT_EQ(t, compound_order(page), 3);
	KT_EQ(t, page_size(page), 8 * PAGE_SIZE);
	KT_CHECK(t, PageCompound(page + 7) && compound_head(page + 7) == page);
	KT_EQ(t, compound_order(page + 7), 0);
	get_page(page + 5);
	KT_EQ(t, page_count(page + 2), 2);
	put_page(page + 1);
	put_page(page + 6);
	KT_EQ(t, used(), before);

	plain = alloc_pages(GFP_KERNEL, 3);
	KT_CHECK(t, plain == page);
	KT_CHECK(t, !PageCompound(plain + 7) && compound_head(plain + 7) == plain + 7);
	__free_pages(plain, 3);
}

static void split_pages_live_on_their_own(struct ktap *t)
{
	u64 before = used();
	struct page *page = alloc_pages(GFP_KERNEL, 2);

	KT_ASSERT(t, page);
	split_page(page, 2);
	for (int i = 3; i >= 0; i--) {
		KT_EQ(t, used(), before + i + 1);
		__free_page(page + i);
	}
	KT_EQ(t, used(), before);
}

static void broken_splits_do_nothing(struct ktap *t)
{
	struct page *page = alloc_pages(GFP_KERNEL, 1), *compound;

	KT_ASSERT(t, page);
	ktap_expect_warn(t, "is not a plain block");
	split_page(page, 2);
	get_page(page);
	ktap_expect_warn(t, "is shared");
	split_page(page, 1);
	put_page(page);
	__free_pages(page, 1);

	compound = alloc_pages(GFP_KERNEL | __GFP_COMP, 1);
	ktap_expect_warn(t, "is not a plain block");
	split_page(compound, 1);
	put_page(compound);
}

static void exact_sizes(struct ktap *t)
{
	u64 before = used();
	char *addr = alloc_pages_exact(5 * PAGE_SIZE - 7, GFP_KERNEL | __GFP_ZERO);

	KT_ASSERT(t, addr);
	KT_EQ(t, used(), before + 5);
	KT_CHECK(t, all_bytes(addr, 0, 5 * PAGE_SIZE));
	free_pages_exact(addr, 5 * PAGE_SIZE - 7);
	KT_EQ(t, used(), before);
	ktap_expect_warn(t, "no size");
	KT_CHECK(t, !alloc_pages_exact(0, GFP_KERNEL));
}

/* The largest block has 1024 pages. */
static void more_than_a_block(struct ktap *t)
{
	unsigned long nr = 2 * 1024 + 5;
	u64 before = used();
	struct page *pages = alloc_contig_pages(nr, GFP_KERNEL, NUMA_NO_NODE, NULL), *again;

	KT_ASSERT(t, pages);
	KT_EQ(t, used(), before + nr);
	memset(page_address(pages), 1, nr << PAGE_SHIFT);
	KT_EQ(t, page_count(pages), 1);
	KT_EQ(t, page_count(pages + nr - 1), 1);
	KT_EQ(t, page_to_pfn(pages + nr - 1), page_to_pfn(pages) + nr - 1);
	free_contig_range(page_to_pfn(pages), nr);
	KT_EQ(t, used(), before);

	again = alloc_contig_pages(nr, GFP_KERNEL | __GFP_ZERO, NUMA_NO_NODE, NULL);
	KT_CHECK(t, again == pages);
	KT_CHECK(t, all_bytes(page_address(again), 0, nr << PAGE_SHIFT));
	/* One page that is not free, and the run lies elsewhere. */
	get_page(again + 1500);
	free_contig_range(page_to_pfn(again), nr);
	KT_EQ(t, used(), before + 1);
	pages = alloc_contig_pages(nr, GFP_KERNEL, NUMA_NO_NODE, NULL);
	KT_CHECK(t, pages > again + 1500 || pages + nr <= again + 1500);
	put_page(again + 1500);
	free_contig_range(page_to_pfn(pages), nr);
	KT_EQ(t, used(), before);

	pages = alloc_contig_pages(5, GFP_KERNEL, NUMA_NO_NODE, NULL);
	KT_EQ(t, used(), before + 5);
	free_contig_range(page_to_pfn(pages), 5);
	KT_EQ(t, used(), before);
}

static void no_such_run(struct ktap *t)
{
	u64 before = used();

	KT_CHECK(t, !alloc_contig_pages(0, GFP_KERNEL, NUMA_NO_NODE, NULL));
	KT_CHECK(t, !alloc_contig_pages((HOST_MEMORY_BYTES >> PAGE_SHIFT) + 1, GFP_KERNEL,
					NUMA_NO_NODE, NULL));
	KT_CHECK(t, !alloc_contig_pages(ULONG_MAX, GFP_KERNEL, NUMA_NO_NODE, NULL));
	port_fail_nth(PORT_FAULT_ALLOC, 1);
	KT_CHECK(t, !alloc_contig_pages(2000, GFP_KERNEL, NUMA_NO_NODE, NULL));
	port_fail_nth(PORT_FAULT_ALLOC, 0);
	KT_EQ(t, used(), before);
}

static struct page *hooked_page;
static unsigned int hooked_order;
static bool hooked_zero;

static void hook(struct page *page, unsigned int order)
{
	hooked_page = page;
	hooked_order = order;
	hooked_zero = all_bytes(page_address(page), 0, PAGE_SIZE << order);
}

static void hook_sees_finished_blocks(struct ktap *t)
{
	struct page *page = alloc_pages(GFP_KERNEL, 1);

	KT_ASSERT(t, page);
	memset(page_address(page), 1, 2 * PAGE_SIZE);
	__free_pages(page, 1);
	host_page_alloc_hook = hook;
	page = alloc_pages(GFP_KERNEL | __GFP_ZERO, 1);
	host_page_alloc_hook = NULL;
	KT_CHECK(t, hooked_page == page);
	KT_EQ(t, hooked_order, 1);
	KT_CHECK(t, hooked_zero);
	__free_pages(page, 1);
}

/* --- aliases ---------------------------------------------------------------------------------- */

/*
 * Can @addr be read, written?  Asked of the system, so a wrong address is an answer and no crash.
 */
static bool readable(const void *addr)
{
	char byte;

	return !copy_from_user(&byte, addr, 1);
}

static bool writable(void *addr)
{
	char byte = 0;

	return !copy_to_user(addr, &byte, 1);
}

enum { MAPPED = 6 };

static bool alloc_some(struct page **pages)
{
	/* A run of four, then the two before it in reverse. */
	struct page *block = alloc_pages(GFP_KERNEL | __GFP_ZERO, 3);

	if (!block)
		return false;
	split_page(block, 3);
	for (int i = 0; i < 4; i++)
		pages[i] = block + 2 + i;
	pages[4] = block + 1;
	pages[5] = block;
	__free_page(block + 6);
	__free_page(block + 7);
	return true;
}

static void free_some(struct page **pages)
{
	for (int i = 0; i < MAPPED; i++)
		__free_page(pages[i]);
}

static void vmap_is_a_true_alias(struct ktap *t)
{
	struct page *pages[MAPPED];
	unsigned char byte;
	char *addr, *other;

	KT_ASSERT(t, alloc_some(pages));
	addr = vmap(pages, MAPPED, VM_MAP, PAGE_KERNEL);
	other = vm_map_ram(pages, MAPPED, 0);
	KT_ASSERT(t, addr && other);
	for (int i = 0; i < MAPPED; i++) {
		*(volatile char *)(addr + i * PAGE_SIZE + i) = i + 1;
		KT_EQ(t, ((volatile char *)page_address(pages[i]))[i], i + 1);
		((volatile char *)page_address(pages[i]))[100] = i + 11;
		KT_EQ(t, *(volatile char *)(other + i * PAGE_SIZE + 100), i + 11);
		KT_EQ(t,
		      pread(host_memory_fd(), &byte, 1,
			    page_to_phys(pages[i]) - HOST_PHYS_BASE + 100),
		      1);
		KT_EQ(t, byte, i + 11);
		KT_CHECK(t, vmalloc_to_page(addr + i * PAGE_SIZE + 9) == pages[i]);
	}
	KT_CHECK(t, is_vmalloc_addr(addr + 1));
	KT_CHECK(t, !is_vmalloc_addr(addr + MAPPED * PAGE_SIZE));
	KT_CHECK(t, !is_vmalloc_addr(page_address(pages[0])));
	KT_CHECK(t, !vmalloc_to_page(page_address(pages[0])));
	KT_CHECK(t, !virt_addr_valid(addr));
	vm_unmap_ram(other, MAPPED);
	vunmap(addr);
	free_some(pages);
}

static void areas_end_where_they_end(struct ktap *t)
{
	struct page *pages[MAPPED];
	char *addr;

	KT_ASSERT(t, alloc_some(pages));
	addr = vmap(pages, MAPPED, VM_MAP, PAGE_KERNEL);
	KT_ASSERT(t, addr);
	KT_CHECK(t, readable(addr + MAPPED * PAGE_SIZE - 1));
	KT_CHECK(t, writable(addr));
	KT_CHECK(t, !readable(addr + MAPPED * PAGE_SIZE));
	vunmap(addr);
	KT_CHECK(t, !readable(addr));
	KT_CHECK(t, readable(page_address(pages[0])));

	addr = vmap(pages, MAPPED, VM_MAP, PAGE_KERNEL_RO);
	KT_ASSERT(t, addr);
	KT_CHECK(t, readable(addr) && !writable(addr));
	vunmap(addr);
	free_some(pages);
}

static void broken_vmaps_do_nothing(struct ktap *t)
{
	struct page *pages[MAPPED], *none[2] = { NULL, NULL };
	char *addr;

	KT_ASSERT(t, alloc_some(pages));
	KT_CHECK(t, !vmap(pages, 0, VM_MAP, PAGE_KERNEL));
	none[0] = pages[0];
	ktap_expect_warn(t, "entry 1 is no page");
	KT_CHECK(t, !vmap(none, 2, VM_MAP, PAGE_KERNEL));

	addr = vmap(pages, MAPPED, VM_MAP, PAGE_KERNEL);
	KT_ASSERT(t, addr);
	ktap_expect_warn(t, "not the start of an area");
	vunmap(addr + PAGE_SIZE);
	KT_CHECK(t, readable(addr));
	vunmap(addr);
	ktap_expect_warn(t, "not the start of an area");
	vunmap(addr);
	ktap_expect_warn(t, "not the start of an area");
	vfree(page_address(pages[0]));
	vunmap(NULL);
	vfree(NULL);
	free_some(pages);
}

static void vmalloc_is_pages(struct ktap *t)
{
	u64 before = used();
	char *addr = vzalloc(3 * PAGE_SIZE + 1), *again;

	KT_ASSERT(t, addr);
	KT_EQ(t, used(), before + 4);
	KT_CHECK(t, all_bytes(addr, 0, 4 * PAGE_SIZE));
	memset(addr, 7, 4 * PAGE_SIZE);
	KT_EQ(t, *((char *)page_address(vmalloc_to_page(addr + 2 * PAGE_SIZE)) + 3), 7);
	vfree(addr);
	again = vmalloc(PAGE_SIZE);
	KT_ASSERT(t, again);
	kvfree(again);
	KT_EQ(t, used(), before);
	KT_CHECK(t, !vmalloc(0));
	KT_CHECK(t, !vmalloc(HOST_MEMORY_BYTES + 1));
}

static void vmalloc_fails_cleanly(struct ktap *t)
{
	u64 before = used();
	char *addr = NULL;
	int failures;

	for (failures = 0; !addr; failures++) {
		port_fail_nth(PORT_FAULT_ALLOC, failures + 1);
		addr = vmalloc(3 * PAGE_SIZE);
		if (!addr)
			KT_EQ(t, used(), before);
	}
	port_fail_nth(PORT_FAULT_ALLOC, 0);
	/* The array, three pages, the area, its place in the tree. */
	KT_EQ(t, failures - 1, 6);
	vfree(addr);
	KT_EQ(t, used(), before);
}

/* --- areas, registers ------------------------------------------------------------------------- */

static void pages_of_an_area(struct ktap *t)
{
	struct cma *cma = dev_get_cma_area(NULL);
	u64 before = used();

	for (unsigned int count = 1; count < 1200; count = 3 * count + 1) {
		unsigned int order = min(get_order(count * PAGE_SIZE), CONFIG_CMA_ALIGNMENT);
		struct page *page = cma_alloc(cma, count, order, false);
		struct page *aligned = cma_alloc(cma, count, 8, false);

		KT_ASSERT(t, page && aligned);
		KT_EQ(t, page_to_pfn(page) % (1u << order), 0);
		KT_EQ(t, page_to_pfn(aligned) % 256, 0);
		KT_EQ(t, used(), before + 2 * count);
		memset(page_address(page), 1, count * PAGE_SIZE);
		KT_CHECK(t, cma_release(cma, page, count));
		KT_CHECK(t, cma_release(cma, aligned, count));
	}
	KT_EQ(t, used(), before);
	KT_CHECK(t, !cma_alloc(cma, 0, 0, false));
	KT_CHECK(t, !cma_alloc(cma, 2 * HOST_MEMORY_BYTES >> PAGE_SHIFT, 0, true));
	KT_CHECK(t, !cma_release(cma, NULL, 1));
	KT_CHECK(t, !strcmp(cma_get_name(cma), "reserved"));
}

static void no_registers(struct ktap *t)
{
	KT_CHECK(t, !ioremap(HOST_PHYS_BASE, PAGE_SIZE));
	iounmap(NULL);
}

KTAP_MAIN(KTAP_CASE(names_agree), KTAP_CASE(foreign_names_are_refused),
	  KTAP_CASE(zeroed_when_asked), KTAP_CASE(stale_when_not_asked),
	  KTAP_CASE(blocks_never_overlap), KTAP_CASE(blocks_never_overlap_among_threads),
	  KTAP_CASE(exhaustion_is_null_and_all_merges_again), KTAP_CASE(memory_goes_back),
	  KTAP_CASE(failure_on_demand), KTAP_CASE(too_large_an_order),
	  KTAP_CASE(freed_pages_are_poisoned), KTAP_CASE(last_reference_frees),
	  KTAP_CASE(broken_frees_do_nothing), KTAP_CASE(compound_is_one_page),
	  KTAP_CASE(split_pages_live_on_their_own), KTAP_CASE(broken_splits_do_nothing),
	  KTAP_CASE(exact_sizes), KTAP_CASE(more_than_a_block), KTAP_CASE(no_such_run),
	  KTAP_CASE(hook_sees_finished_blocks), KTAP_CASE(vmap_is_a_true_alias),
	  KTAP_CASE(areas_end_where_they_end), KTAP_CASE(broken_vmaps_do_nothing),
	  KTAP_CASE(vmalloc_is_pages), KTAP_CASE(vmalloc_fails_cleanly),
	  KTAP_CASE(pages_of_an_area), KTAP_CASE(no_registers))
