/* SPDX-License-Identifier: MIT */
/*
 * dma-buf-sync-file.h - between a buffer's implicit fences and a program's explicit ones
 *
 * What the two ioctls of a dma-buf's descriptor do.  Semantics: Linux 6.12.
 *
 * Context of both: may sleep; dmabuf->resv not held.
 */
#ifndef CORE_DMA_BUF_SYNC_FILE_H
#define CORE_DMA_BUF_SYNC_FILE_H

#include <linux/compiler.h>
#include <linux/types.h>
#include <uapi/linux/dma-buf.h>

struct dma_buf;

/**
 * dma_buf_export_sync_file - a sync_file of what an access must wait for
 * @arg: flags say which access: DMA_BUF_SYNC_READ waits for writers, with DMA_BUF_SYNC_WRITE it
 * waits for readers, too.  fd is the answer, with O_CLOEXEC; signaled when there is nothing to wait
 * for.
 *
 * Fences that the buffer gets later are not in it.
 * Returns 0; -EFAULT; -EINVAL for other flags or neither of the two; -ENOMEM; -EMFILE; -ENFILE.  On
 * error no descriptor is left.
 */
long dma_buf_export_sync_file(struct dma_buf *dmabuf, struct dma_buf_export_sync_file __user *arg);

/**
 * dma_buf_import_sync_file - let later accesses wait for the sync_file's fences
 * @arg: fd is a sync_file; flags say what its work does with the buffer: with DMA_BUF_SYNC_WRITE
 * it writes, else it reads.
 *
 * All fences are added under one lock, or none.
 * Returns 0; -EFAULT; -EINVAL for other flags, neither of the two, or an @arg->fd that is no
 * sync_file; -ENOMEM.
 */
long dma_buf_import_sync_file(struct dma_buf *dmabuf,
			      const struct dma_buf_import_sync_file __user *arg);

#endif
