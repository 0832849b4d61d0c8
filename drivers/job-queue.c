/* SPDX-License-Identifier: MIT */
/*
 * job-queue.c - a device's queue: jobs in order, each after the fences it depends on
 *
 * Invariants
 *   JQ1  A sequence number is taken and the job put on the list under one lock, so list and
 *        timeline have one order.
 *   JQ2  A fence outlives its queue: what it needs for life is in struct job_timeline, counted by
 *        the fences.
 *   JQ3  All memory is allocated before the first fence is visible.
 */
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/kref.h>
#include <linux/kthread.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/wait.h>

#include "core/event.h"
#include "drivers/job-queue.h"
#include "drivers/resv-set.h"

struct job_timeline {
	struct kref ref;
	spinlock_t fence_lock;
	u64 context;
	char *name;
};

struct job_fence {
	struct dma_fence base; /* first: dma_fence_free() frees the whole */
	struct job_timeline *timeline;
};

struct job_dependency {
	struct dma_fence *fence;
	bool content; /* the job reads what this fence's work wrote */
};

struct job_queue {
	struct job_timeline *timeline;
	struct task_struct *thread;
	wait_queue_head_t wake;

	spinlock_t lock;
	/* guarded by lock */
	struct list_head jobs;
	u64 seqno; /* of the newest */
};

/* --- fences ----------------------------------------------------------------------------------- */

static void timeline_free(struct kref *ref)
{
	struct job_timeline *timeline = container_of(ref, struct job_timeline, ref);

	kfree(timeline->name);
	kfree(timeline);
}

static struct job_timeline *timeline_create(const char *name)
{
	struct job_timeline *timeline = kzalloc(sizeof(*timeline), GFP_KERNEL);

	if (!timeline)
		return NULL;
	timeline->name = kstrdup(name, GFP_KERNEL);
	if (!timeline->name) {
		kfree(timeline);
		return NULL;
	}
	kref_init(&timeline->ref);
	spin_lock_init(&timeline->fence_lock);
	timeline->context = dma_fence_context_alloc(1);
	return timeline;
}

static struct job_timeline *fence_timeline(struct dma_fence *fence)
{
	return container_of(fence, struct job_fence, base)->timeline;
}

static const char *job_fence_driver_name(struct dma_fence *fence)
{
	return "job-queue";
}

static const char *job_fence_timeline_name(struct dma_fence *fence)
{
	return fence_timeline(fence)->name;
}

static void job_fence_release(struct dma_fence *fence)
{
	kref_put(&fence_timeline(fence)->ref, timeline_free);
	dma_fence_free(fence);
}

static const struct dma_fence_ops job_fence_ops = {
	.get_driver_name = job_fence_driver_name,
	.get_timeline_name = job_fence_timeline_name,
	.release = job_fence_release,
};

/* --- the thread ------------------------------------------------------------------------------- */

static struct job *next_job(struct job_queue *queue)
{
	struct job *job;

	spin_lock(&queue->lock);
	job = list_first_entry_or_null(&queue->jobs, struct job, node);
	if (job)
		list_del_init(&job->node);
	spin_unlock(&queue->lock);
	return job;
}

static void put_dependencies(struct job_dependency *dependency, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		dma_fence_put(dependency[i].fence);
	kfree(dependency);
}

/* Returns the error of the first dependency whose result the job would read, else 0. */
static int wait_dependencies(struct job *job)
{
	int error = 0;

	for (unsigned int i = 0; i < job->dependencies; i++) {
		struct job_dependency *dependency = &job->dependency[i];
		int status;

		dma_fence_wait(dependency->fence, false);
		status = dma_fence_get_status(dependency->fence);
		if (!error && dependency->content && status < 0)
			error = status;
	}
	return error;
}

static void run_job(struct job *job)
{
	struct dma_fence *fence = job->fence;
	int error = wait_dependencies(job);

	put_dependencies(job->dependency, job->dependencies);
	event_tell(EVENT_JOB, fence, NULL, 0, 0, 0);
	if (!error)
		error = job->ops->run(job);
	job->ops->end(job);
	if (error)
		dma_fence_set_error(fence, error);
	dma_fence_signal(fence);
	dma_fence_put(fence);
}

static bool has_jobs(struct job_queue *queue)
{
	bool has;

	spin_lock(&queue->lock);
	has = !list_empty(&queue->jobs);
	spin_unlock(&queue->lock);
	return has;
}

static int queue_thread(void *data)
{
	struct job_queue *queue = data;

	while (!kthread_should_stop()) {
		struct job *job;

		wait_event(queue->wake, has_jobs(queue) || kthread_should_stop());
		job = next_job(queue);
		if (job)
			run_job(job);
	}
	return 0;
}

struct job_queue *job_queue_create(const char *name)
{
	struct job_queue *queue = kzalloc(sizeof(*queue), GFP_KERNEL);
	int ret = -ENOMEM;

	if (!queue)
		return ERR_PTR(-ENOMEM);
	queue->timeline = timeline_create(name);
	if (!queue->timeline)
		goto free_queue;
	init_waitqueue_head(&queue->wake);
	spin_lock_init(&queue->lock);
	INIT_LIST_HEAD(&queue->jobs);
	queue->thread = kthread_run(queue_thread, queue, "%s", name);
	if (IS_ERR(queue->thread)) {
		ret = PTR_ERR(queue->thread);
		goto put_timeline;
	}
	return queue;

put_timeline:
	kref_put(&queue->timeline->ref, timeline_free);
free_queue:
	kfree(queue);
	return ERR_PTR(ret);
}

void job_queue_destroy(struct job_queue *queue)
{
	struct job *job;

	/* A kthread that is stopped before it first ran never does. */
	kthread_stop(queue->thread);
	while ((job = next_job(queue)))
		run_job(job);
	kref_put(&queue->timeline->ref, timeline_free);
	kfree(queue);
}

/* --- submitting ------------------------------------------------------------------------------- */

static struct dma_resv *job_resv(const struct job *job, unsigned int i)
{
	return job->buffer[i].dmabuf->resv;
}

static void lock_buffers(const struct job *job, struct resv_set *set,
			 struct dma_resv *resvs[JOB_BUFFERS])
{
	for (unsigned int i = 0; i < job->buffers; i++)
		resvs[i] = job_resv(job, i);
	resv_set_lock(set, resvs, job->buffers);
}

/* J2, and J7 for who moves the buffer. */
static enum dma_resv_usage waits_for(const struct job_buffer *buffer)
{
	return buffer->moves ? DMA_RESV_USAGE_BOOKKEEP : dma_resv_usage_rw(buffer->writes);
}

static enum dma_resv_usage fence_usage(const struct job_buffer *buffer)
{
	return buffer->moves    ? DMA_RESV_USAGE_KERNEL
	       : buffer->writes ? DMA_RESV_USAGE_WRITE
				: DMA_RESV_USAGE_READ;
}

static unsigned int count_dependencies(struct job *job)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < job->buffers; i++) {
		struct dma_resv_iter walk;
		struct dma_fence *fence;

		dma_resv_for_each_fence(&walk, job_resv(job, i), waits_for(&job->buffer[i]), fence)
			count++;
	}
	return count;
}

static int collect_dependencies(struct job *job, gfp_t gfp)
{
	unsigned int count = count_dependencies(job);

	job->dependencies = 0;
	job->dependency = kcalloc(max(count, 1u), sizeof(*job->dependency), gfp);
	if (!job->dependency)
		return -ENOMEM;
	for (unsigned int i = 0; i < job->buffers; i++) {
		struct job_buffer *buffer = &job->buffer[i];
		struct dma_resv_iter walk;
		struct dma_fence *fence;

		dma_resv_for_each_fence(&walk, buffer->dmabuf->resv, waits_for(buffer), fence) {
			enum dma_resv_usage usage = dma_resv_iter_usage(&walk);
			bool content = buffer->reads && usage <= DMA_RESV_USAGE_WRITE;

			job->dependency[job->dependencies++] = (struct job_dependency){
				.fence = dma_fence_get(fence),
				.content = content,
			};
		}
	}
	return 0;
}

static int reserve_slots(struct job *job)
{
	for (unsigned int i = 0; i < job->buffers; i++) {
		/* Two buffers of one reservation need two slots at once. */
		int ret = dma_resv_reserve_fences(job_resv(job, i), job->buffers);

		if (ret)
			return ret;
	}
	return 0;
}

static void add_fence(const struct job *job, struct dma_fence *fence)
{
	for (unsigned int i = 0; i < job->buffers; i++)
		dma_resv_add_fence(job_resv(job, i), fence, fence_usage(&job->buffer[i]));
}

/*
 * The job may have ended when this returns.  Nobody sees the reservations without its fence: they
 * are locked.
 */
static struct dma_fence *queue_job(struct job_queue *queue, struct job *job,
				   struct job_fence *fence)
{
	const struct job submitted = *job;

	kref_get(&queue->timeline->ref);
	fence->timeline = queue->timeline;
	job->fence = &fence->base;
	spin_lock(&queue->lock);
	dma_fence_init(&fence->base, &job_fence_ops, &queue->timeline->fence_lock,
		       queue->timeline->context, ++queue->seqno);
	dma_fence_get(&fence->base);
	list_add_tail(&job->node, &queue->jobs);
	spin_unlock(&queue->lock);
	add_fence(&submitted, &fence->base);
	return &fence->base;
}

struct dma_fence *job_queue_submit(struct job_queue *queue, struct job *job)
{
	struct job_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL);
	struct dma_resv *resvs[JOB_BUFFERS];
	struct resv_set set;
	int ret;

	if (!fence)
		return ERR_PTR(-ENOMEM);
	lock_buffers(job, &set, resvs);
	/* First: a move that it makes may leave a fence. */
	ret = job->ops->prepare ? job->ops->prepare(job) : 0;
	if (!ret)
		ret = collect_dependencies(job, GFP_KERNEL);
	if (ret)
		goto unlock;
	ret = reserve_slots(job);
	if (ret)
		goto put_dependencies;
	queue_job(queue, job, fence);
	resv_set_unlock(&set);
	wake_up(&queue->wake);
	return &fence->base;

put_dependencies:
	put_dependencies(job->dependency, job->dependencies);
unlock:
	resv_set_unlock(&set);
	kfree(fence);
	return ERR_PTR(ret);
}

struct dma_fence *job_queue_push(struct job_queue *queue, struct job *job)
{
	struct job_fence *fence = kzalloc(sizeof(*fence), GFP_NOWAIT);

	if (!fence)
		return ERR_PTR(-ENOMEM);
	if (collect_dependencies(job, GFP_NOWAIT)) {
		kfree(fence);
		return ERR_PTR(-ENOMEM);
	}
	queue_job(queue, job, fence);
	wake_up(&queue->wake);
	return &fence->base;
}
