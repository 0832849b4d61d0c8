/* SPDX-License-Identifier: MIT */
/*
 * vmap.c - scattered pages at contiguous addresses, and vmalloc() on top
 *
 * An area is one reservation of addresses, with the pages' memfds mapped over it run by run.
 *
 * Invariants
 *   VA1  Areas do not overlap, so a tree that calls overlapping ones equal finds the area of any
 *        address.
 *   VA2  An area is in the tree exactly while its addresses are reserved.
 *   VA3  An area without write permission can be given none: it maps descriptors opened read-only.
 */
#include <search.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <linux/bug.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/vmalloc.h>
#include "host/memory.h"
#include "host/port.h"

struct vmap_area {
	uintptr_t start;
	uintptr_t end; /* without the guard page */
	struct page **pages;
	unsigned int count;
	bool owns_pages; /* VM_MAP_PUT_PAGES */
};

static DEFINE_SPINLOCK(areas_lock);
static void *areas; /* under areas_lock */

static int area_compare(const void *a, const void *b)
{
	const struct vmap_area *x = a, *y = b;

	if (x->end <= y->start)
		return -1;
	return x->start >= y->end;
}

/* Caller holds areas_lock. */
static struct vmap_area *area_find(const void *addr)
{
	struct vmap_area at = { .start = (uintptr_t)addr, .end = (uintptr_t)addr + 1 };
	struct vmap_area **node = tfind(&at, &areas, area_compare);

	return node ? *node : NULL;
}

/*
 * Out of the tree and off the address space; the caller frees it. NULL when @addr starts no area.
 */
static struct vmap_area *area_unmap(const void *addr)
{
	struct vmap_area *area;

	spin_lock(&areas_lock);
	area = area_find(addr);
	if (area && area->start == (uintptr_t)addr)
		tdelete(area, &areas, area_compare);
	else
		area = NULL;
	spin_unlock(&areas_lock);

	if (area)
		munmap((void *)area->start, area->end - area->start + PAGE_SIZE);
	return area;
}

static int map_runs(char *addr, struct page **pages, unsigned int count, bool write)
{
	int prot = write ? PROT_READ | PROT_WRITE : PROT_READ;
	unsigned int run;

	for (unsigned int i = 0; i < count; i += run) {
		off_t offset;
		int fd = host_page_source(pages[i], !write, &offset);

		run = 1;
		while (i + run < count && host_page_follows(pages[i + run - 1], pages[i + run]))
			run++;
		if (fd < 0 || port_mmap(addr + ((size_t)i << PAGE_SHIFT), (size_t)run << PAGE_SHIFT,
					prot, MAP_SHARED | MAP_FIXED, fd, offset) == MAP_FAILED)
			return -ENOMEM;
	}
	return 0;
}

void *vmap(struct page **pages, unsigned int count, unsigned long flags, pgprot_t prot)
{
	size_t bytes = (size_t)count << PAGE_SHIFT;
	struct vmap_area *area;
	void *addr, *node;

	might_sleep();
	if (!count)
		return NULL;
	for (unsigned int i = 0; i < count; i++)
		if (WARN(pages[i] < mem_map || !pfn_valid(page_to_pfn(pages[i])),
			 "vmap: entry %u is no page", i))
			return NULL;

	area = kzalloc(sizeof(*area), GFP_KERNEL);
	if (!area)
		return NULL;
	area->count = count;
	area->owns_pages = flags & VM_MAP_PUT_PAGES;
	area->pages = area->owns_pages ? pages : kmemdup(pages, count * sizeof(*pages), GFP_KERNEL);
	if (!area->pages)
		goto free_area;

	addr = port_mmap(NULL, bytes + PAGE_SIZE, PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (addr == MAP_FAILED)
		goto free_pages;
	if (map_runs(addr, pages, count, prot.pgprot))
		goto unmap_addr;
	area->start = (uintptr_t)addr;
	area->end = area->start + bytes;

	spin_lock(&areas_lock);
	node = port_should_fail(PORT_FAULT_ALLOC) ? NULL : tsearch(area, &areas, area_compare);
	spin_unlock(&areas_lock);
	if (!node)
		goto unmap_addr;
	return addr;

unmap_addr:
	munmap(addr, bytes + PAGE_SIZE);
free_pages:
	if (!area->owns_pages)
		kfree(area->pages);
free_area:
	kfree(area);
	return NULL;
}

void vunmap(const void *addr)
{
	struct vmap_area *area;

	might_sleep();
	if (!addr)
		return;
	area = area_unmap(addr);
	if (WARN(!area, "vunmap: this is not the start of an area"))
		return;
	if (!area->owns_pages)
		kfree(area->pages);
	kfree(area);
}

void *vm_map_ram(struct page **pages, unsigned int count, int node)
{
	return vmap(pages, count, VM_MAP, PAGE_KERNEL);
}

void vm_unmap_ram(const void *mem, unsigned int count)
{
	vunmap(mem);
}

static void *vmalloc_flags(unsigned long size, gfp_t gfp)
{
	unsigned int count = PAGE_ALIGN(size) >> PAGE_SHIFT, have;
	struct page **pages;
	void *addr;

	if (!size || size > HOST_MEMORY_BYTES)
		return NULL;
	pages = kvmalloc_array(count, sizeof(*pages), GFP_KERNEL);
	if (!pages)
		return NULL;
	for (have = 0; have < count; have++) {
		pages[have] = alloc_page(gfp);
		if (!pages[have])
			goto put_pages;
	}
	addr = vmap(pages, count, VM_MAP | VM_MAP_PUT_PAGES, PAGE_KERNEL);
	if (addr)
		return addr;

put_pages:
	while (have)
		put_page(pages[--have]);
	kvfree(pages);
	return NULL;
}

void *vmalloc(unsigned long size)
{
	return vmalloc_flags(size, GFP_KERNEL);
}

void *vzalloc(unsigned long size)
{
	return vmalloc_flags(size, GFP_KERNEL | __GFP_ZERO);
}

void *vmalloc_user(unsigned long size)
{
	return vzalloc(size);
}

int remap_vmalloc_range(struct vm_area_struct *vma, void *addr, unsigned long pgoff)
{
	unsigned long count = vma_pages(vma);
	struct page **pages = NULL;
	struct vmap_area *area;
	int ret = 0;

	spin_lock(&areas_lock);
	area = area_find(addr);
	if (area && area->start == (uintptr_t)addr && pgoff < area->count &&
	    count <= area->count - pgoff)
		pages = area->pages + pgoff;
	spin_unlock(&areas_lock);
	if (!pages)
		return -EINVAL;
	for (unsigned long i = 0; i < count && !ret; i++)
		ret = vm_insert_page(vma, vma->vm_start + (i << PAGE_SHIFT), pages[i]);
	return ret;
}

void vfree(const void *addr)
{
	struct vmap_area *area;

	might_sleep();
	if (!addr)
		return;
	area = area_unmap(addr);
	if (WARN(!area, "vfree: this is not the start of an area"))
		return;
	if (area->owns_pages)
		for (unsigned int i = 0; i < area->count; i++)
			put_page(area->pages[i]);
	kvfree(area->pages);
	kfree(area);
}

bool is_vmalloc_addr(const void *addr)
{
	bool found;

	spin_lock(&areas_lock);
	found = area_find(addr);
	spin_unlock(&areas_lock);
	return found;
}

struct page *vmalloc_to_page(const void *addr)
{
	struct page *page = NULL;
	struct vmap_area *area;

	spin_lock(&areas_lock);
	area = area_find(addr);
	if (area)
		page = area->pages[((uintptr_t)addr - area->start) >> PAGE_SHIFT];
	spin_unlock(&areas_lock);
	return page;
}
