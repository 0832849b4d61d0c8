/* SPDX-License-Identifier: MIT */
/*
 * contiguous-heap.h - an exporter of memory in one piece
 *
 * For devices that take one address and a length.  Each buffer is one physically contiguous segment
 * of whole pages, zeroed, as of Linux's CMA heap: what has no such piece is refused, never given
 * out in several.  Its CPU-access callbacks sync every mapping over the whole buffer, and it says
 * so with cpu_access_only_syncs.
 */
#ifndef DRIVERS_EXPORTERS_CONTIGUOUS_HEAP_H
#define DRIVERS_EXPORTERS_CONTIGUOUS_HEAP_H

#include <linux/types.h>

struct dma_buf;

/**
 * contiguous_heap_allocate - a new buffer of @bytes, rounded up to pages
 *
 * Context: may sleep.
 * Returns ERR_PTR: -EINVAL for 0; -ENOMEM, also for more than the page allocator's largest block of
 * 4 MiB and where memory is too fragmented.  The caller owns one reference.
 * DIFFERS: Linux sets an area aside at boot and moves pages out of it; here there is none.
 */
struct dma_buf *contiguous_heap_allocate(size_t bytes);

#endif
