/* SPDX-License-Identifier: MIT */
/* heap-core.c - Linux's dma-heap.c as a module that another can call */
#include <linux/module.h>

#include "drivers/dma-buf/dma-heap.c"

EXPORT_SYMBOL_GPL(dma_heap_add);
EXPORT_SYMBOL_GPL(dma_heap_get_drvdata);
EXPORT_SYMBOL_GPL(dma_heap_get_name);

MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(DMA_BUF);
