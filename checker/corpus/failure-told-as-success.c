/* SPDX-License-Identifier: MIT */
/*
 * failure-told-as-success.c - a queue whose ioctl returns 0 and a fence though nothing was queued
 *
 * Report: NVIDIA/open-gpu-kernel-modules#1318: "propagate errno from semaphore surface fence wait
 *	ioctl"; the caller believes its wait is armed and hangs (#1297)
 * Wrong: every path ends in `return 0`
 * Rule: a fence that others can see signals in bounded time
 */
#include "queue.h"

static int semaphore_job(struct check_import *import)
{
	struct job *job = job_begin(import);
	int ret = 0;

	if (IS_ERR(job))
		return PTR_ERR(job);
	import->fence = dma_fence_get(&job->fence);
	job->command = kzalloc(64, GFP_KERNEL);
	if (!job->command) {
#ifdef FIXED
		ret = -ENOMEM;
		import->fence = NULL;
		dma_fence_put(&job->fence);
		job_abandon(job);
#else
		dma_buf_unmap_attachment(job->queue->base.attach, job->sgt, DMA_TO_DEVICE);
		dma_fence_put(&job->fence);
#endif
		goto unlock;
	}
	job_submit(job);
unlock:
	dma_resv_unlock(import->dmabuf->resv);
	return ret;
}

DMABUF_CHECK({ .name = "failure-told-as-success",
	       .dirs = CHECK_DIR(DMA_TO_DEVICE),
	       .open = queue_open,
	       .access = semaphore_job,
	       .close = queue_close });
