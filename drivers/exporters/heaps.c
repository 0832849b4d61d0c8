/* SPDX-License-Identifier: MIT */
/*
 * heaps.c - see heaps.h
 *
 * Invariant HS1: registered says that each of ours was added, or a driver had its name; .heap of
 * those added is set.
 */
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "drivers/exporters/contiguous-heap.h"
#include "drivers/exporters/heaps.h"
#include "drivers/exporters/system-heap.h"

static struct dma_buf *allocate_system(struct dma_heap *heap, unsigned long len, u32 fd_flags,
				       u64 heap_flags)
{
	return system_heap_allocate_flags(len, fd_flags);
}

static struct dma_buf *allocate_contiguous(struct dma_heap *heap, unsigned long len, u32 fd_flags,
					   u64 heap_flags)
{
	return contiguous_heap_allocate_flags(len, fd_flags);
}

static const struct dma_heap_ops system_ops = { .allocate = allocate_system };
static const struct dma_heap_ops contiguous_ops = { .allocate = allocate_contiguous };

static DEFINE_MUTEX(lock);

/* .heap and registered: under lock. */
static struct {
	struct dma_heap_export_info info;
	struct dma_heap *heap;
} heaps[] = {
	{ .info = { .name = "system", .ops = &system_ops } },
	{ .info = { .name = "default_cma_region", .ops = &contiguous_ops } },
};
static bool registered;

/* Caller holds lock. */
static void remove_heaps(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(heaps); i++) {
		if (heaps[i].heap)
			dma_heap_remove(heaps[i].heap);
		heaps[i].heap = NULL;
	}
}

/* Caller holds lock. */
static int add_heaps(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(heaps); i++) {
		struct dma_heap *heap = dma_heap_add(&heaps[i].info);

		if (!IS_ERR(heap)) {
			heaps[i].heap = heap;
		} else if (PTR_ERR(heap) != -EINVAL) {
			remove_heaps();
			return PTR_ERR(heap);
		}
	}
	return 0;
}

int heaps_register(void)
{
	int ret = 0;

	mutex_lock(&lock);
	if (!registered)
		ret = add_heaps();
	registered = !ret;
	mutex_unlock(&lock);
	return ret;
}

void heaps_unregister(void)
{
	mutex_lock(&lock);
	remove_heaps();
	registered = false;
	mutex_unlock(&lock);
}

void *heaps_vaddr(struct dma_buf *dmabuf, size_t offset, size_t *len)
{
	*len = 0;
	if (system_heap_owns(dmabuf))
		return system_heap_vaddr(dmabuf, offset, len);
	if (contiguous_heap_owns(dmabuf))
		return contiguous_heap_vaddr(dmabuf, offset, len);
	return NULL;
}

void *heaps_map_read_only(struct dma_buf *dmabuf)
{
	unsigned int count = dmabuf->size >> PAGE_SHIFT, filled = 0;
	struct page **pages = kvmalloc_array(count, sizeof(*pages), GFP_KERNEL);
	void *vaddr = NULL;

	while (pages && filled < count) {
		size_t len, at = 0;
		u8 *bytes = heaps_vaddr(dmabuf, (size_t)filled << PAGE_SHIFT, &len);

		if (!bytes)
			goto free_pages;
		for (; at < len; at += PAGE_SIZE)
			pages[filled++] = virt_to_page(bytes + at);
	}
	if (pages)
		vaddr = vmap(pages, count, VM_MAP, PAGE_KERNEL_RO);
free_pages:
	kvfree(pages);
	return vaddr;
}
