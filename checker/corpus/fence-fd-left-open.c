/* SPDX-License-Identifier: MIT */
/*
 * fence-fd-left-open.c - a queue that leaves a sync_file descriptor behind with each job
 *
 * Report: NVIDIA/egl-wayland#196 (one a swap, the limit of 1024 after 11 s), quickshell-mirror/quickshell#723,
 *	toyota-connected/ivi-homescreen#593
 * Wrong: the descriptor of the last job is overwritten, not closed
 * Rule: each descriptor is given to a program or closed
 */
#include <linux/file.h>
#include <linux/sync_file.h>

#include "host/file.h"
#include "queue.h"

/* What a program has: the fence of its last frame. */
static int last_fd = -1;

static void last_close(void)
{
	if (last_fd >= 0)
		host_close(last_fd);
	last_fd = -1;
}

static int last_set(struct dma_fence *fence)
{
	int fd = get_unused_fd_flags(O_CLOEXEC);
	struct sync_file *sync_file;

	if (fd < 0)
		return fd;
	sync_file = sync_file_create(fence);
	if (!sync_file) {
		put_unused_fd(fd);
		return -ENOMEM;
	}
	fd_install(fd, sync_file->file);
#ifdef FIXED
	last_close();
#endif
	last_fd = fd;
	return 0;
}

static int swap_job(struct check_import *import)
{
	struct job *job = job_begin(import);
	int ret;

	if (IS_ERR(job))
		return PTR_ERR(job);
	ret = last_set(&job->fence);
	if (ret)
		job_abandon(job);
	else
		job_submit(job);
	dma_resv_unlock(import->dmabuf->resv);
	return ret;
}

static void swap_close(struct check_import *import)
{
	queue_close(import);
	last_close();
}

DMABUF_CHECK({ .name = "fence-fd-left-open",
	       .dirs = CHECK_DIR(DMA_TO_DEVICE),
	       .open = queue_open,
	       .access = swap_job,
	       .close = swap_close });
