/* SPDX-License-Identifier: MIT */
/*
 * system-heap.h - an exporter of ordinary memory
 *
 * Pages of up to 1 MiB, as Linux's system heap; zeroed; a table for each mapping.  Its CPU-access
 * callbacks sync every mapping over the whole buffer, as Linux's do, and it says so with
 * cpu_access_only_syncs.
 */
#ifndef DRIVERS_EXPORTERS_SYSTEM_HEAP_H
#define DRIVERS_EXPORTERS_SYSTEM_HEAP_H

#include <linux/types.h>

struct dma_buf;

/**
 * system_heap_allocate - a new buffer of @bytes, rounded up to pages
 *
 * Context: may sleep.  Returns ERR_PTR: -EINVAL for 0, -ENOMEM.  The caller owns one reference.
 */
struct dma_buf *system_heap_allocate(size_t bytes);

/** system_heap_allocate_flags - the same; @flags say how its descriptors are opened */
struct dma_buf *system_heap_allocate_flags(size_t bytes, int flags);

/** system_heap_owns - is it a buffer of this heap? Context: any */
bool system_heap_owns(const struct dma_buf *dmabuf);

/**
 * system_heap_vaddr - the CPU's address of the buffer's byte at @offset
 * @len: set to the bytes contiguous from there
 *
 * Only between dma_buf_begin_cpu_access() and _end_.  For who has no descriptor to map.
 */
void *system_heap_vaddr(struct dma_buf *dmabuf, size_t offset, size_t *len);

#endif
