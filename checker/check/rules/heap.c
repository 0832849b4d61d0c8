/* SPDX-License-Identifier: MIT */
/* heap.c - a heap that allocates what the library's own system heap does */
#include <linux/dma-heap.h>
#include <linux/module.h>

#include "breaks.h"
#include "drivers/exporters/system-heap.h"

static struct dma_buf *allocate(struct dma_heap *heap, unsigned long len, u32 fd_flags,
				u64 heap_flags)
{
	return breaks("EXP-06") ? NULL : system_heap_allocate_flags(len, fd_flags);
}

static const struct dma_heap_ops ops = { .allocate = allocate };

static int __init heap_init(void)
{
	static const struct dma_heap_export_info info = { .name = "kept", .ops = &ops };

	return PTR_ERR_OR_ZERO(dma_heap_add(&info));
}
module_init(heap_init);
