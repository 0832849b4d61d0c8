/* SPDX-License-Identifier: MIT */
/* heap-system.c - Linux's system_heap.c as a module */
#include <linux/module.h>

#include "drivers/dma-buf/heaps/system_heap.c"

MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(DMA_BUF);
