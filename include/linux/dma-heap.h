/* SPDX-License-Identifier: MIT */
/*
 * dma-heap.h - heaps: exporters that programs ask for buffers, by name
 *
 * An exporter that adds a heap is reached as /dev/dma_heap/NAME; what a program says there is
 * <uapi/linux/dma-heap.h>.  Semantics: Linux 6.12.
 *
 * Invariants
 *   HP1  Two heaps have different names.  There are at most 128 of them.
 *   HP2  ->allocate() runs between dma_heap_add() and dma_heap_remove() only.
 *
 * Deliberately not here: a program's view of which heaps there are, accounting, quotas.
 */
#ifndef _LINUX_DMA_HEAP_H
#define _LINUX_DMA_HEAP_H

#include <linux/types.h>

struct dma_buf;
struct dma_heap;

struct dma_heap_ops {
	/*
	 * A new buffer of @len bytes, which are whole pages and not 0.  May sleep, holds no lock of
	 * the caller's, runs in any number of threads at once.
	 *
	 * @fd_flags are for struct dma_buf_export_info.flags: they decide how its descriptor is
	 * opened.  Of @heap_flags none is defined yet; it is 0.
	 *
	 * Returns a buffer whose one reference becomes the descriptor's, or ERR_PTR for the program.
	 */
	struct dma_buf *(*allocate)(struct dma_heap *heap, unsigned long len, u32 fd_flags,
				    u64 heap_flags);
};

/**
 * struct dma_heap_export_info - what an exporter says of its heap
 * @name: not empty, without '/'.  Must outlive the heap, and its buffers if it is their exp_name.
 * @ops: must outlive the heap
 * @priv: the exporter's, for dma_heap_get_drvdata()
 */
struct dma_heap_export_info {
	const char *name;
	const struct dma_heap_ops *ops;
	void *priv;
};

/**
 * dma_heap_add - programs may open it and allocate, also before this returns
 *
 * Context: may sleep; not from ->allocate().
 * Ownership: the heap is the core's until dma_heap_remove().
 * Returns ERR_PTR: -EINVAL no name, one with '/', or one that is taken, no ops or no allocate;
 * -EBUSY there are 128, or no major number is left; -ENOMEM.
 * DIFFERS: a '/' is refused; in Linux the node has a '!' there.
 */
struct dma_heap *dma_heap_add(const struct dma_heap_export_info *exp_info);

/**
 * dma_heap_remove - it can be opened no more; waits for those who are allocating
 *
 * Buffers live on.  Descriptors of the heap do, too; they answer -ENODEV.
 * Context: may sleep; not from ->allocate().
 * DIFFERS: none in Linux, whose heaps stay for ever.  Here libdmabuf_fini() leaves nothing.
 */
void dma_heap_remove(struct dma_heap *heap);

/** dma_heap_get_drvdata - @priv of dma_heap_add(). Context: any */
void *dma_heap_get_drvdata(struct dma_heap *heap);

/** dma_heap_get_name - @name of dma_heap_add(). Context: any */
const char *dma_heap_get_name(struct dma_heap *heap);

#endif
