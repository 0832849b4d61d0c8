/* SPDX-License-Identifier: MIT */
/*
 * double-free-on-error.c - an exporter whose error path frees what the buffer's release has freed
 *
 * Report: NVIDIA/NV-Kernels#583, Linux commit e98137f0a874 "vfio/pci: Fix double free in dma-buf
 *	feature"
 * Wrong: once dma_buf_export() has succeeded the last put frees the driver's structure; the path that
 *	puts the buffer goes on to free it again
 * Rule: after dma_buf_export() the driver's memory ends in release, and there only
 */
#include <linux/string.h>

#include "pages.h"

static void twice_release(struct dma_buf *dmabuf)
{
	struct pages *pages = dmabuf->priv;

	kfree(pages->own);
	pages_free(pages);
}

static const struct dma_buf_ops twice_ops = {
	PAGES_DEVICE_OPS,
	PAGES_CPU_OPS,
	.release = twice_release,
};

static struct dma_buf *twice_allocate(struct dma_heap *heap, unsigned long len, u32 fd_flags,
				      u64 heap_flags)
{
	struct pages *pages = pages_alloc(len);
	struct dma_buf *dmabuf;

	if (IS_ERR(pages))
		return ERR_CAST(pages);
	dmabuf = pages_export(pages, &twice_ops, fd_flags);
	if (IS_ERR(dmabuf))
		return dmabuf;
	pages->own = kstrdup("for a debugging list", GFP_KERNEL);
	if (!pages->own)
		goto put_buffer;
	return dmabuf;

put_buffer:
	dma_buf_put(dmabuf);
#ifndef FIXED
	pages_free(pages);
#endif
	return ERR_PTR(-ENOMEM);
}

static const struct dma_heap_ops twice_heap_ops = {
	.allocate = twice_allocate,
};

static int __init twice_init(void)
{
	struct dma_heap_export_info info = {
		.name = "double-free-on-error",
		.ops = &twice_heap_ops,
	};

	return PTR_ERR_OR_ZERO(dma_heap_add(&info));
}
module_init(twice_init);
MODULE_LICENSE("Dual MIT/GPL");
