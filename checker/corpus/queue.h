/* SPDX-License-Identifier: MIT */
/*
 * queue.h - what the corpus's devices with fences have in common: a queue of jobs that read buffers
 *
 * A driver takes the steps it has no bug in and brings the others.
 *
 * Invariants
 *   QU1  A job's fence is in the buffer's reservation before the job is queued, and signals when the
 *	  device has ended, whatever became of the job.
 *   QU2  On the way to the signal no reservation is taken and nothing allocated: the unmap is later.
 */
#ifndef CORPUS_QUEUE_H
#define CORPUS_QUEUE_H

#include <linux/dma-fence.h>
#include <linux/workqueue.h>

#include "importer.h"

struct queue {
	struct importer base;
	struct workqueue_struct *wq;      /* the device */
	struct workqueue_struct *cleanup; /* what may take reservations */
	u64 context, seqno;
	spinlock_t lock; /* for the driver's own lists */
};

struct job {
	struct dma_fence fence;
	struct queue *queue;
	struct check_import *import;
	struct sg_table *sgt;
	spinlock_t lock; /* of the fence, which outlives the queue */
	struct work_struct work, unmap;
	void *command; /* freed with the job */
};

static inline const char *queue_name(struct dma_fence *fence)
{
	return "corpus";
}

static inline void job_release(struct dma_fence *fence)
{
	struct job *job = container_of(fence, struct job, fence);

	kfree(job->command);
	dma_fence_free(fence);
}

static const struct dma_fence_ops job_fence_ops __maybe_unused = {
	.get_driver_name = queue_name,
	.get_timeline_name = queue_name,
	.release = job_release,
};

static inline int queue_open(struct check_import *import)
{
	struct queue *queue = kzalloc(sizeof(*queue), GFP_KERNEL);
	int ret = -ENOMEM;

	if (!queue)
		return ret;
	queue->wq = alloc_ordered_workqueue("corpus", 0);
	if (!queue->wq)
		goto free_queue;
	queue->cleanup = alloc_ordered_workqueue("corpus-cleanup", 0);
	if (!queue->cleanup)
		goto destroy_workqueue;
	queue->context = dma_fence_context_alloc(1);
	spin_lock_init(&queue->lock);
	ret = importer_init(&queue->base, import, NULL);
	if (ret)
		goto destroy_cleanup;
	return 0;

destroy_cleanup:
	destroy_workqueue(queue->cleanup);
destroy_workqueue:
	destroy_workqueue(queue->wq);
free_queue:
	kfree(queue);
	return ret;
}

/* All jobs have ended when it returns. */
static inline void queue_close(struct check_import *import)
{
	struct queue *queue = import->own;

	destroy_workqueue(queue->wq);
	destroy_workqueue(queue->cleanup);
	importer_close(import);
}

static inline void job_unmap(struct work_struct *work)
{
	struct job *job = container_of(work, struct job, unmap);

	dma_buf_unmap_attachment_unlocked(job->queue->base.attach, job->sgt, DMA_TO_DEVICE);
	dma_fence_put(&job->fence);
}

/* The device: runs a job and signals. */
static inline void job_run(struct work_struct *work)
{
	struct job *job = container_of(work, struct job, work);

	check_device_runs(job->import, job->sgt);
	dma_fence_signal(&job->fence);
	queue_work(job->queue->cleanup, &job->unmap);
}

/*
 * A job that nobody knows yet, with its mapping. Reservation held.
 * @lock: of its fence; NULL: its own
 */
static inline struct job *job_create(struct check_import *import, spinlock_t *lock)
{
	struct queue *queue = import->own;
	struct job *job = kzalloc(sizeof(*job), GFP_KERNEL);

	if (!job)
		return ERR_PTR(-ENOMEM);
	job->sgt = dma_buf_map_attachment(queue->base.attach, DMA_TO_DEVICE);
	if (IS_ERR(job->sgt)) {
		struct sg_table *error = job->sgt;

		kfree(job);
		return ERR_CAST(error);
	}
	job->queue = queue;
	job->import = import;
	INIT_WORK(&job->work, job_run);
	INIT_WORK(&job->unmap, job_unmap);
	spin_lock_init(&job->lock);
	dma_fence_init(&job->fence, &job_fence_ops, lock ? lock : &job->lock, queue->context,
		       ++queue->seqno);
	return job;
}

/* One that is not run. Reservation held. */
static inline void job_abandon(struct job *job)
{
	dma_buf_unmap_attachment(job->queue->base.attach, job->sgt, DMA_TO_DEVICE);
	dma_fence_signal(&job->fence);
	dma_fence_put(&job->fence);
}

/* Waits for who writes the buffer, and makes room for a fence. The reservation is held on success. */
static inline int queue_lock(struct check_import *import)
{
	struct dma_resv *resv = import->dmabuf->resv;
	int ret;

	dma_resv_lock(resv, NULL);
	dma_resv_wait_timeout(resv, DMA_RESV_USAGE_WRITE, false, MAX_SCHEDULE_TIMEOUT);
	ret = dma_resv_reserve_fences(resv, 1);
	if (ret)
		dma_resv_unlock(resv);
	return ret;
}

/* A job with room for its fence in the reservation, which is held on success. */
static inline struct job *job_begin(struct check_import *import)
{
	int ret = queue_lock(import);
	struct job *job;

	if (ret)
		return ERR_PTR(ret);
	job = job_create(import, NULL);
	if (IS_ERR(job))
		dma_resv_unlock(import->dmabuf->resv);
	return job;
}

/* Shows the job to others and starts it. Reservation held. */
static inline void job_submit(struct job *job)
{
	dma_resv_add_fence(job->import->dmabuf->resv, &job->fence, DMA_RESV_USAGE_READ);
	queue_work(job->queue->wq, &job->work);
}

static inline int queue_job(struct check_import *import)
{
	struct job *job = job_begin(import);

	if (IS_ERR(job))
		return PTR_ERR(job);
	job_submit(job);
	dma_resv_unlock(import->dmabuf->resv);
	return 0;
}

#endif
