/* SPDX-License-Identifier: MIT */
/*
 * dma-buf-sync-file.c - a buffer's fences as a sync_file, and a sync_file's as the buffer's
 *
 * A reservation takes no containers (linux/dma-resv.h), so an import adds what the sync_file's
 * fence is made of.  A descriptor is installed last, when nothing can fail any more.
 */
#include <linux/dma-buf.h>
#include <linux/dma-fence-unwrap.h>
#include <linux/dma-resv.h>
#include <linux/file.h>
#include <linux/sync_file.h>
#include <linux/uaccess.h>

#include "dma-buf-sync-file.h"
#include "locking.h"

static bool names_an_access(__u32 flags)
{
	return flags && !(flags & ~(__u32)DMA_BUF_SYNC_RW);
}

long dma_buf_export_sync_file(struct dma_buf *dmabuf, struct dma_buf_export_sync_file __user *arg)
{
	struct dma_buf_export_sync_file request;
	struct sync_file *sync_file;
	struct dma_fence *fence;
	int fd, ret;

	if (lock_rule(dma_buf_export_sync_file, dmabuf->resv))
		return -EDEADLK;

	if (copy_from_user(&request, arg, sizeof(request)))
		return -EFAULT;
	if (!names_an_access(request.flags))
		return -EINVAL;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;

	ret = dma_resv_get_singleton(dmabuf->resv,
				     dma_resv_usage_rw(request.flags & DMA_BUF_SYNC_WRITE), &fence);
	if (ret)
		goto put_fd;
	if (!fence)
		fence = dma_fence_get_stub();

	sync_file = sync_file_create(fence);
	dma_fence_put(fence);
	if (!sync_file) {
		ret = -ENOMEM;
		goto put_fd;
	}

	request.fd = fd;
	if (copy_to_user(arg, &request, sizeof(request))) {
		ret = -EFAULT;
		goto put_sync_file;
	}
	fd_install(fd, sync_file->file);
	return 0;

put_sync_file:
	fput(sync_file->file);
put_fd:
	put_unused_fd(fd);
	return ret;
}

long dma_buf_import_sync_file(struct dma_buf *dmabuf,
			      const struct dma_buf_import_sync_file __user *arg)
{
	struct dma_buf_import_sync_file request;
	struct dma_fence_unwrap cursor;
	struct dma_fence *fence, *part;
	enum dma_resv_usage usage;
	unsigned int count = 0;
	int ret;

	if (lock_rule(dma_buf_import_sync_file, dmabuf->resv))
		return -EDEADLK;

	if (copy_from_user(&request, arg, sizeof(request)))
		return -EFAULT;
	if (!names_an_access(request.flags))
		return -EINVAL;
	fence = sync_file_get_fence(request.fd);
	if (!fence)
		return -EINVAL;

	usage = request.flags & DMA_BUF_SYNC_WRITE ? DMA_RESV_USAGE_WRITE : DMA_RESV_USAGE_READ;
	dma_fence_unwrap_for_each(part, &cursor, fence)
		count++;

	/* A chain may lose links from here on, never win any: there are slots enough. */
	dma_resv_lock(dmabuf->resv, NULL);
	ret = dma_resv_reserve_fences(dmabuf->resv, count);
	if (!ret) {
		dma_fence_unwrap_for_each(part, &cursor, fence)
			dma_resv_add_fence(dmabuf->resv, part, usage);
	}
	dma_resv_unlock(dmabuf->resv);

	dma_fence_put(fence);
	return ret;
}
