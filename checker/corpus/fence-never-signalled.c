/* SPDX-License-Identifier: MIT */
/*
 * fence-never-signalled.c - a queue that shows a fence and then fails to queue the job
 *
 * Report: NVIDIA/open-gpu-kernel-modules#1290: an unsignaled fence of one driver hangs another one's
 *	display for ever
 * Wrong: the command is allocated after the fence is in the reservation; the error path drops the job
 *	without a signal
 * Rule: a fence that others can see signals in bounded time
 */
#include "queue.h"

static int render_job(struct check_import *import)
{
	struct job *job = job_begin(import);
	int ret = 0;

	if (IS_ERR(job))
		return PTR_ERR(job);
	dma_resv_add_fence(import->dmabuf->resv, &job->fence, DMA_RESV_USAGE_READ);
	job->command = kzalloc(64, GFP_KERNEL);
	if (!job->command) {
		ret = -ENOMEM;
		goto abandon;
	}
	queue_work(job->queue->wq, &job->work);
	goto unlock;

abandon:
#ifdef FIXED
	dma_fence_set_error(&job->fence, ret);
	job_abandon(job);
#else
	dma_buf_unmap_attachment(job->queue->base.attach, job->sgt, DMA_TO_DEVICE);
	dma_fence_put(&job->fence);
#endif
unlock:
	dma_resv_unlock(import->dmabuf->resv);
	return ret;
}

DMABUF_CHECK({ .name = "fence-never-signalled",
	       .dirs = CHECK_DIR(DMA_TO_DEVICE),
	       .open = queue_open,
	       .access = render_job,
	       .close = queue_close });
