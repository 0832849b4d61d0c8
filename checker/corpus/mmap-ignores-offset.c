/* SPDX-License-Identifier: MIT */
/*
 * mmap-ignores-offset.c - an exporter that maps its first page wherever a program asks
 *
 * Report: amd/xdna-driver#1352 and freebsd/drm-kmod's dma_buf_mmap(): vm_pgoff is taken for
 *	something else than pages into the buffer
 * Wrong: a program that maps a part sees and writes the buffer's beginning
 * Rule: ->mmap() begins at page vma->vm_pgoff of the buffer
 */
#include "pages.h"

static int bytes_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
#ifndef FIXED
	/* "vm_pgoff is in bytes." */
	vma->vm_pgoff >>= PAGE_SHIFT;
#endif
	return pages_mmap(dmabuf, vma);
}

static const struct dma_buf_ops bytes_ops = {
	PAGES_DEVICE_OPS,
	.begin_cpu_access = pages_begin_cpu_access,
	.end_cpu_access = pages_end_cpu_access,
	.vmap = pages_vmap,
	.mmap = bytes_mmap,
	.release = pages_release,
};

static int __init bytes_init(void)
{
	return pages_heap_add("mmap-ignores-offset", &bytes_ops);
}
module_init(bytes_init);
MODULE_LICENSE("Dual MIT/GPL");
