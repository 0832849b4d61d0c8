/* SPDX-License-Identifier: MIT */
/*
 * fence-fd-reserved.c - a queue that keeps a reserved descriptor when it cannot make the sync_file
 *
 * Report: freebsd/drm-kmod, dma_buf_export_sync_file(): put_unused_fd() is missing on -ENOMEM
 * Wrong: the number is reserved for ever; 1024 failures and the program can open nothing
 * Rule: each reserved descriptor is installed or put back
 */
#include <linux/file.h>
#include <linux/sync_file.h>

#include "host/file.h"
#include "queue.h"

static int fence_export(struct dma_fence *fence)
{
	int fd = get_unused_fd_flags(O_CLOEXEC);
	struct sync_file *sync_file;

	if (fd < 0)
		return fd;
	sync_file = sync_file_create(fence);
	if (!sync_file) {
#ifdef FIXED
		put_unused_fd(fd);
#endif
		return -ENOMEM;
	}
	fd_install(fd, sync_file->file);
	return fd;
}

static int export_job(struct check_import *import)
{
	struct job *job = job_begin(import);
	int ret;

	if (IS_ERR(job))
		return PTR_ERR(job);
	ret = fence_export(&job->fence);
	if (ret < 0) {
		job_abandon(job);
		goto unlock;
	}
	/* The program has it, and closes it. */
	host_close(ret);
	ret = 0;
	job_submit(job);
unlock:
	dma_resv_unlock(import->dmabuf->resv);
	return ret;
}

DMABUF_CHECK({ .name = "fence-fd-reserved",
	       .dirs = CHECK_DIR(DMA_TO_DEVICE),
	       .open = queue_open,
	       .access = export_job,
	       .close = queue_close });
