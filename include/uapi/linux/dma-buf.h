/* SPDX-License-Identifier: MIT */
/*
 * dma-buf.h - what a program says to a dma-buf's descriptor; names and numbers are Linux's ABI
 *
 * The calls go through host_ioctl() (host/file.h).  Errors beside those named: -EFAULT for a
 * pointer to nowhere, -ENOTTY for an unknown number.
 */
#ifndef _UAPI_DMA_BUF_H
#define _UAPI_DMA_BUF_H

#include <linux/types.h>
#include <linux/ioctl.h>

/*
 * DMA_BUF_IOCTL_SYNC: the program begins (START) or has finished (END) an access through its
 * mapping.
 *
 * START waits for the buffer's fences: writers', and readers' too with WRITE.  -EINVAL without READ
 * and WRITE, or with other bits; -ERESTARTSYS: interrupted, nothing has begun; -ENOMEM; what the
 * exporter said.
 */
struct dma_buf_sync {
	__u64 flags;
};

#define DMA_BUF_SYNC_READ (1 << 0)
#define DMA_BUF_SYNC_WRITE (2 << 0)
#define DMA_BUF_SYNC_RW (DMA_BUF_SYNC_READ | DMA_BUF_SYNC_WRITE)
#define DMA_BUF_SYNC_START (0 << 2)
#define DMA_BUF_SYNC_END (1 << 2)
#define DMA_BUF_SYNC_VALID_FLAGS_MASK (DMA_BUF_SYNC_RW | DMA_BUF_SYNC_END)

/* DMA_BUF_SET_NAME: a string of at most this many bytes, its end included; else -EINVAL. */
#define DMA_BUF_NAME_LEN 32

/* DMA_BUF_IOCTL_EXPORT_SYNC_FILE: the buffer's fences as a sync_file; @fd is the answer. */
struct dma_buf_export_sync_file {
	__u32 flags;
	__s32 fd;
};

/* DMA_BUF_IOCTL_IMPORT_SYNC_FILE: the sync_file's fence becomes one of the buffer's. */
struct dma_buf_import_sync_file {
	__u32 flags;
	__s32 fd;
};

#define DMA_BUF_BASE 'b'
#define DMA_BUF_IOCTL_SYNC _IOW(DMA_BUF_BASE, 0, struct dma_buf_sync)
/* The first depends on the program's word size; the others are its two values. */
#define DMA_BUF_SET_NAME _IOW(DMA_BUF_BASE, 1, const char *)
#define DMA_BUF_SET_NAME_A _IOW(DMA_BUF_BASE, 1, __u32)
#define DMA_BUF_SET_NAME_B _IOW(DMA_BUF_BASE, 1, __u64)
#define DMA_BUF_IOCTL_EXPORT_SYNC_FILE _IOWR(DMA_BUF_BASE, 2, struct dma_buf_export_sync_file)
#define DMA_BUF_IOCTL_IMPORT_SYNC_FILE _IOW(DMA_BUF_BASE, 3, struct dma_buf_import_sync_file)

#endif
