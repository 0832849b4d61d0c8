/* SPDX-License-Identifier: MIT */
/*
 * heaps.h - our exporters as heaps that programs find below /dev/dma_heap
 *
 *	system			exporters/system-heap.h
 *	default_cma_region	exporters/contiguous-heap.h
 *
 * Names as Linux gives them.  DIFFERS: the second is that of 6.17 and later; in 6.12 it is what the
 * machine calls its area, "reserved", "linux,cma" or "default-pool".
 *
 * Nothing registers them before the first use of the library: whoever opens a heap for a program
 * calls heaps_register() first.
 */
#ifndef DRIVERS_EXPORTERS_HEAPS_H
#define DRIVERS_EXPORTERS_HEAPS_H

#include <linux/types.h>

struct dma_buf;

/**
 * heaps_register - both can be opened, if not yet; a name that a driver took stays the driver's
 *
 * Context: may sleep.  Any thread, any number of times.
 * Returns 0; -ENOMEM, -EBUSY: as dma_heap_add(), and neither is there.
 */
int heaps_register(void);

/** heaps_unregister - they go, if they are there; their buffers live on. Context: may sleep */
void heaps_unregister(void);

/**
 * heaps_vaddr - the CPU's address of the byte at @offset of a buffer of these two exporters
 * @len: set to the bytes contiguous from there
 *
 * Only between dma_buf_begin_cpu_access() and _end_.  Returns NULL past the end, and for buffers of
 * others.
 */
void *heaps_vaddr(struct dma_buf *dmabuf, size_t offset, size_t *len);

/**
 * heaps_map_read_only - the whole of such a buffer at addresses that only read and can be made to do
 * nothing else
 *
 * Context: may sleep.  Valid as the addresses of heaps_vaddr() are; the caller gives it back with
 * vunmap(), before his reference of the buffer.  Returns NULL without memory, and for buffers of
 * others.
 */
void *heaps_map_read_only(struct dma_buf *dmabuf);

#endif
