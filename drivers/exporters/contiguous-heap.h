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
 * Returns ERR_PTR: -EINVAL for 0; -ENOMEM, also for 4 GiB and more and where memory is too
 * fragmented.  The caller owns one reference.
 * DIFFERS: Linux sets an area aside at boot and moves pages out of it; here there is none.
 */
struct dma_buf *contiguous_heap_allocate(size_t bytes);

/** contiguous_heap_allocate_flags - the same; @flags say how its descriptors are opened */
struct dma_buf *contiguous_heap_allocate_flags(size_t bytes, int flags);

/** contiguous_heap_owns - is it a buffer of this heap? Context: any */
bool contiguous_heap_owns(const struct dma_buf *dmabuf);

/**
 * contiguous_heap_vaddr - the CPU's address of the buffer's byte at @offset, NULL past the end
 * @len: set to the bytes from there to the end
 *
 * Only between dma_buf_begin_cpu_access() and _end_.  WARN, and NULL, for other buffers.
 */
void *contiguous_heap_vaddr(struct dma_buf *dmabuf, size_t offset, size_t *len);

#endif
