/* SPDX-License-Identifier: MIT */
/*
 * dma-heap.h - what a program says to a heap's descriptor; names and numbers are Linux's ABI
 *
 * The heap is /dev/dma_heap/NAME, opened with host_open(); calls go through host_ioctl()
 * (host/file.h).
 */
#ifndef _UAPI_LINUX_DMABUF_POOL_H
#define _UAPI_LINUX_DMABUF_POOL_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* What may be in fd_flags: O_CLOEXEC, and how the buffer's descriptor is opened. */
#define DMA_HEAP_VALID_FD_FLAGS (O_CLOEXEC | O_ACCMODE)

/* What may be in heap_flags: nothing yet. */
#define DMA_HEAP_VALID_HEAP_FLAGS (0ULL)

/**
 * struct dma_heap_allocation_data - DMA_HEAP_IOCTL_ALLOC: a new buffer of this heap
 * @len: bytes, rounded up to pages
 * @fd: 0; answer: the buffer's descriptor
 * @fd_flags: of DMA_HEAP_VALID_FD_FLAGS.  One that does not say O_RDWR cannot be mapped writable.
 * @heap_flags: 0
 *
 * The structure may be shorter or longer than this one, as the size in the request's number says:
 * what is missing counts as 0, what is too much is left alone.  Only as much of the answer is
 * written as there is room for, so a program that has none for @fd never learns it.
 *
 * Errors: -EINVAL a @len of 0, or of so much that it wraps; a @fd that is not 0; flags that may not
 * be there; a request with another number than DMA_HEAP_IOCTL_ALLOC's (its letter is not looked
 * at).  -EFAULT a wrong pointer.  -EMFILE, -ENFILE, -ENOMEM.  -ENODEV the heap has gone.  What the
 * heap said.  After each of them nothing was written, and there is no descriptor.
 */
struct dma_heap_allocation_data {
	__u64 len;
	__u32 fd;
	__u32 fd_flags;
	__u64 heap_flags;
};

#define DMA_HEAP_IOC_MAGIC 'H'
#define DMA_HEAP_IOCTL_ALLOC _IOWR(DMA_HEAP_IOC_MAGIC, 0x0, struct dma_heap_allocation_data)

#endif
