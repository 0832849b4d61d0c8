/* SPDX-License-Identifier: MIT */
/* heap.c - a heap that allocates what the library's own system heap does */
#include <linux/dma-heap.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/module.h>

#include "breaks.h"
#include "drivers/exporters/system-heap.h"

static const struct dma_buf_ops *its_ops;

/* A program that may only read maps it shared, and asks for more afterwards. */
static int mmap_writable(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	vm_flags_set(vma, VM_SHARED | VM_MAYWRITE);
	return its_ops->mmap(dmabuf, vma);
}

static struct dma_buf *with_other_mmap(struct dma_buf *dmabuf)
{
	static struct dma_buf_ops ops;

	if (IS_ERR(dmabuf))
		return dmabuf;
	if (!its_ops)
		its_ops = dmabuf->ops;
	ops = *its_ops;
	ops.mmap = mmap_writable;
	dmabuf->ops = &ops;
	return dmabuf;
}

static void leave_bytes(struct dma_buf *dmabuf)
{
	struct iosys_map map;

	if (IS_ERR(dmabuf) || dma_buf_vmap_unlocked(dmabuf, &map))
		return;
	memset(map.vaddr, 0xa5, dmabuf->size);
	dma_buf_vunmap_unlocked(dmabuf, &map);
}

static struct dma_buf *allocate(struct dma_heap *heap, unsigned long len, u32 fd_flags,
				u64 heap_flags)
{
	struct dma_buf *dmabuf;

	if (breaks("EXP-06"))
		return NULL;
	dmabuf = system_heap_allocate_flags(len, breaks("PERM-02") ? fd_flags | O_RDWR : fd_flags);
	if (breaks("PERM-04"))
		leave_bytes(dmabuf);
	return breaks("PERM-03") ? with_other_mmap(dmabuf) : dmabuf;
}

static const struct dma_heap_ops ops = { .allocate = allocate };

static int __init heap_init(void)
{
	static const struct dma_heap_export_info info = { .name = "kept", .ops = &ops };

	return PTR_ERR_OR_ZERO(dma_heap_add(&info));
}
module_init(heap_init);
