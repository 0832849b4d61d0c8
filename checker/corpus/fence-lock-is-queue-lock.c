/* SPDX-License-Identifier: MIT */
/*
 * fence-lock-is-queue-lock.c - a queue whose fences have the lock that guards its jobs
 *
 * Report: raspberrypi/linux#7112: v3d, "create a dedicated lock for dma fence"; the Pi 5 freezes with
 *	several tabs open
 * Wrong: the interrupt signals with the queue's lock held, for it is the fence's; the callback that
 *	makes the next job ready takes the queue's lock
 * Rule: callbacks run with the fence's lock held, so nothing they need is under that lock
 */
#include "queue.h"

/* Two jobs of one frame: the second waits for the first. */
struct frame {
	struct queue *queue;
	struct job *first, *second;
	bool ready; /* guarded by queue->lock */
	struct dma_fence_cb cb;
};

static void first_done(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	struct frame *frame = container_of(cb, struct frame, cb);
	unsigned long flags;

	spin_lock_irqsave(&frame->queue->lock, flags);
	frame->ready = true;
	queue_work(frame->queue->wq, &frame->second->work);
	spin_unlock_irqrestore(&frame->queue->lock, flags);
}

static int frame_job(struct check_import *import)
{
	struct queue *queue = import->own;
	struct frame *frame = kzalloc(sizeof(*frame), GFP_KERNEL);
	spinlock_t *lock = &queue->lock;
	int ret;

	if (!frame)
		return -ENOMEM;
#ifdef FIXED
	lock = NULL;
#endif
	ret = queue_lock(import);
	if (ret)
		goto free_frame;
	frame->queue = queue;
	frame->first = job_create(import, lock);
	if (IS_ERR(frame->first)) {
		ret = PTR_ERR(frame->first);
		goto unlock;
	}
	frame->second = job_create(import, lock);
	if (IS_ERR(frame->second)) {
		ret = PTR_ERR(frame->second);
		job_abandon(frame->first);
		goto unlock;
	}
	frame->second->command = frame; /* freed with it */
	dma_resv_add_fence(import->dmabuf->resv, &frame->second->fence, DMA_RESV_USAGE_READ);
	dma_fence_add_callback(&frame->first->fence, &frame->cb, first_done);
	queue_work(queue->wq, &frame->first->work);
	dma_resv_unlock(import->dmabuf->resv);
	return 0;

unlock:
	dma_resv_unlock(import->dmabuf->resv);
free_frame:
	kfree(frame);
	return ret;
}

/* The second job is queued by the first. */
static void frame_close(struct check_import *import)
{
	dma_resv_wait_timeout(import->dmabuf->resv, DMA_RESV_USAGE_READ, false,
			      MAX_SCHEDULE_TIMEOUT);
	queue_close(import);
}

DMABUF_CHECK({ .name = "fence-lock-is-queue-lock",
	       .dirs = CHECK_DIR(DMA_TO_DEVICE),
	       .open = queue_open,
	       .access = frame_job,
	       .close = frame_close });
