/* SPDX-License-Identifier: MIT */
#include <linux/completion.h>
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "drivers/exporters/system-heap.h"
#include "drivers/job-queue.h"
#include "host/port.h"
#include "tests/ktap.h"

/* A job that waits for its gate, if any, writes down that it ran and answers what it is told to. */
struct step {
	struct job job;
	struct completion *gate;
	int answer;
	struct log *log;
	char name;
};

struct log {
	char ran[64];
	unsigned int count;
	atomic_t ended;
};

static int step_run(struct job *job)
{
	struct step *step = container_of(job, struct step, job);

	if (step->gate)
		wait_for_completion(step->gate);
	step->log->ran[step->log->count++] = step->name;
	return step->answer;
}

static void step_end(struct job *job)
{
	struct step *step = container_of(job, struct step, job);

	atomic_inc(&step->log->ended);
	kfree(step);
}

static const struct job_ops step_ops = { .run = step_run, .end = step_end };

static struct step *new_step(struct log *log, char name, struct dma_buf *dmabuf, bool reads,
			     bool writes)
{
	struct step *step = kzalloc(sizeof(*step), GFP_KERNEL);

	step->job.ops = &step_ops;
	step->job.buffer[0] =
		(struct job_buffer){ .dmabuf = dmabuf, .reads = reads, .writes = writes };
	step->job.buffers = 1;
	step->log = log;
	step->name = name;
	return step;
}

static int wait_and_put(struct dma_fence *fence)
{
	int status;

	dma_fence_wait(fence, false);
	status = dma_fence_get_status(fence);
	dma_fence_put(fence);
	return status;
}

static void one_queue_is_one_timeline(struct ktap *t)
{
	struct job_queue *queue = job_queue_create("queue");
	struct dma_buf *dmabuf = system_heap_allocate(1);
	struct dma_fence *fence[10];
	struct log log = {};

	for (int i = 0; i < 10; i++)
		fence[i] =
			job_queue_submit(queue, &new_step(&log, 'a' + i, dmabuf, true, true)->job);
	for (int i = 1; i < 10; i++)
		KT_CHECK(t, dma_fence_is_later(fence[i], fence[i - 1]));
	KT_CHECK(t, !strcmp(fence[0]->ops->get_timeline_name(fence[0]), "queue"));
	for (int i = 0; i < 10; i++)
		KT_EQ(t, wait_and_put(fence[i]), 1);
	KT_CHECK(t, !strcmp(log.ran, "abcdefghij"));
	KT_EQ(t, atomic_read(&log.ended), 10);
	job_queue_destroy(queue);
	dma_buf_put(dmabuf);
}

/* The writer is held at its gate, so whoever runs before it has not waited. */
static void readers_wait_for_the_writer(struct ktap *t)
{
	struct job_queue *first = job_queue_create("first"), *second = job_queue_create("second");
	struct dma_buf *dmabuf = system_heap_allocate(1), *other = system_heap_allocate(1);
	DECLARE_COMPLETION_ONSTACK(gate);
	struct log log = {}, log_other = {};
	struct step *writer = new_step(&log, 'w', dmabuf, false, true);
	struct dma_fence *write, *read, *apart;

	writer->gate = &gate;
	write = job_queue_submit(first, &writer->job);
	apart = job_queue_submit(second, &new_step(&log_other, 'o', other, true, true)->job);
	read = job_queue_submit(second, &new_step(&log, 'r', dmabuf, true, false)->job);
	KT_EQ(t, wait_and_put(apart), 1);
	KT_EQ(t, dma_fence_get_status(read), 0);
	complete(&gate);
	KT_EQ(t, wait_and_put(read), 1);
	KT_EQ(t, wait_and_put(write), 1);
	KT_CHECK(t, !strcmp(log.ran, "wr"));
	job_queue_destroy(first);
	job_queue_destroy(second);
	dma_buf_put(dmabuf);
	dma_buf_put(other);
}

static void readers_do_not_wait_for_readers(struct ktap *t)
{
	struct job_queue *first = job_queue_create("first"), *second = job_queue_create("second");
	struct job_queue *third = job_queue_create("third");
	struct dma_buf *dmabuf = system_heap_allocate(1);
	DECLARE_COMPLETION_ONSTACK(gate);
	struct log slow_log = {}, log = {};
	struct step *slow = new_step(&slow_log, 's', dmabuf, true, false);
	struct dma_fence *held, *read, *write;

	slow->gate = &gate;
	held = job_queue_submit(first, &slow->job);
	read = job_queue_submit(second, &new_step(&log, 'r', dmabuf, true, false)->job);
	write = job_queue_submit(third, &new_step(&log, 'w', dmabuf, false, true)->job);
	/* Would never return if it waited for the first. */
	KT_EQ(t, wait_and_put(read), 1);
	KT_EQ(t, dma_fence_get_status(write), 0);
	complete(&gate);
	KT_EQ(t, wait_and_put(write), 1);
	KT_EQ(t, dma_fence_get_status(held), 1);
	dma_fence_put(held);
	KT_CHECK(t, !strcmp(log.ran, "rw"));
	job_queue_destroy(first);
	job_queue_destroy(second);
	job_queue_destroy(third);
	dma_buf_put(dmabuf);
}

static void errors_reach_those_who_read(struct ktap *t)
{
	struct job_queue *first = job_queue_create("first"), *second = job_queue_create("second");
	struct dma_buf *dmabuf = system_heap_allocate(1);
	DECLARE_COMPLETION_ONSTACK(gate);
	struct log log = {};
	struct step *writer = new_step(&log, 'w', dmabuf, false, true);
	struct dma_fence *write, *read, *overwrite;

	writer->gate = &gate;
	writer->answer = -EIO;
	write = job_queue_submit(first, &writer->job);
	read = job_queue_submit(second, &new_step(&log, 'r', dmabuf, true, false)->job);
	overwrite = job_queue_submit(second, &new_step(&log, 'o', dmabuf, false, true)->job);
	complete(&gate);
	KT_EQ(t, wait_and_put(write), -EIO);
	KT_EQ(t, wait_and_put(read), -EIO);
	KT_EQ(t, wait_and_put(overwrite), 1);
	KT_CHECK(t, !strcmp(log.ran, "wo"));
	KT_EQ(t, atomic_read(&log.ended), 3);
	job_queue_destroy(first);
	job_queue_destroy(second);
	dma_buf_put(dmabuf);
}

static void a_fence_outlives_its_queue(struct ktap *t)
{
	struct job_queue *queue = job_queue_create("gone");
	struct dma_buf *dmabuf = system_heap_allocate(1);
	struct log log = {};
	struct dma_fence *fence =
		job_queue_submit(queue, &new_step(&log, 'a', dmabuf, false, true)->job);

	/* Also: destroying runs what is queued. */
	job_queue_destroy(queue);
	KT_EQ(t, dma_fence_get_status(fence), 1);
	KT_CHECK(t, !strcmp(fence->ops->get_timeline_name(fence), "gone"));
	dma_fence_put(fence);
	dma_buf_put(dmabuf);
}

static void failing_allocations_leave_the_job_alone(struct ktap *t)
{
	struct job_queue *queue = job_queue_create("queue");
	struct dma_buf *dmabuf = system_heap_allocate(1);
	struct log log = {};
	struct step *step = new_step(&log, 'a', dmabuf, true, true);
	struct dma_fence *fence;
	int k = 0;

	do {
		port_fail_nth(PORT_FAULT_ALLOC, ++k);
		fence = job_queue_submit(queue, &step->job);
		port_fail_nth(PORT_FAULT_ALLOC, 0);
		if (IS_ERR(fence))
			KT_EQ(t, PTR_ERR(fence), -ENOMEM);
	} while (IS_ERR(fence));
	KT_CHECK(t, k > 2);
	KT_EQ(t, wait_and_put(fence), 1);
	KT_CHECK(t, !strcmp(log.ran, "a"));
	job_queue_destroy(queue);
	dma_buf_put(dmabuf);
	for (k = 1;; k++) {
		port_fail_nth(PORT_FAULT_ALLOC, k);
		queue = job_queue_create("queue");
		port_fail_nth(PORT_FAULT_ALLOC, 0);
		if (!IS_ERR(queue))
			break;
	}
	job_queue_destroy(queue);
}

/* Two submitters that take the same two buffers in opposite order, on two queues. */
struct crossing {
	struct job_queue *queue;
	struct dma_buf *first, *second;
	unsigned int count;
	struct completion done;
};

static int count_run(struct job *job)
{
	return 0;
}

static void count_end(struct job *job)
{
	kfree(job);
}

static const struct job_ops count_ops = { .run = count_run, .end = count_end };

static int submit_many(void *data)
{
	struct crossing *crossing = data;
	struct dma_fence *last = NULL;

	for (unsigned int i = 0; i < crossing->count; i++) {
		struct job *job = kzalloc(sizeof(*job), GFP_KERNEL);

		job->ops = &count_ops;
		job->buffer[0] = (struct job_buffer){ .dmabuf = crossing->first, .reads = true };
		job->buffer[1] = (struct job_buffer){ .dmabuf = crossing->second, .writes = true };
		job->buffers = 2;
		dma_fence_put(last);
		last = job_queue_submit(crossing->queue, job);
	}
	dma_fence_wait(last, false);
	dma_fence_put(last);
	complete(&crossing->done);
	return 0;
}

static void crossing_submitters_back_off(struct ktap *t)
{
	struct dma_buf *a = system_heap_allocate(1), *b = system_heap_allocate(1);
	struct crossing crossing[2] = { { .first = a, .second = b }, { .first = b, .second = a } };

	for (int i = 0; i < 2; i++) {
		crossing[i].queue = job_queue_create(i ? "b first" : "a first");
		crossing[i].count = ktap_long ? 20000 : 500;
		init_completion(&crossing[i].done);
		KT_ASSERT(t, !IS_ERR(kthread_run(submit_many, &crossing[i], "submit")));
	}
	for (int i = 0; i < 2; i++) {
		wait_for_completion(&crossing[i].done);
		job_queue_destroy(crossing[i].queue);
	}
	dma_buf_put(a);
	dma_buf_put(b);
}

static void two_buffers_of_one_reservation(struct ktap *t)
{
	struct job_queue *queue = job_queue_create("queue");
	struct dma_buf *dmabuf = system_heap_allocate(1);
	struct log log = {};
	struct step *step = new_step(&log, 'a', dmabuf, true, false);

	step->job.buffer[1] = (struct job_buffer){ .dmabuf = dmabuf, .writes = true };
	step->job.buffers = 2;
	KT_EQ(t, wait_and_put(job_queue_submit(queue, &step->job)), 1);
	job_queue_destroy(queue);
	dma_buf_put(dmabuf);
}

/* What prepare() finds: reservations held, dependencies under way, no fence of its own yet. */
struct prepared {
	struct job job;
	bool held;
	unsigned int count;
	int answer;
};

static unsigned int count_fences(struct dma_resv *resv)
{
	struct dma_resv_iter walk;
	struct dma_fence *fence;
	unsigned int count = 0;

	dma_resv_for_each_fence(&walk, resv, DMA_RESV_USAGE_BOOKKEEP, fence)
		count++;
	return count;
}

static int prepare(struct job *job)
{
	struct prepared *prepared = container_of(job, struct prepared, job);
	struct dma_resv *resv = job->buffer[0].dmabuf->resv;

	prepared->held = dma_resv_is_locked(resv);
	prepared->count = count_fences(resv);
	return prepared->answer;
}

static int prepared_run(struct job *job)
{
	return 0;
}

/* The test looks at it afterwards. */
static void prepared_end(struct job *job)
{
}

static const struct job_ops prepared_ops = {
	.prepare = prepare,
	.run = prepared_run,
	.end = prepared_end,
};

static void prepares_before_its_fence(struct ktap *t)
{
	struct job_queue *first = job_queue_create("first"), *second = job_queue_create("second");
	struct dma_buf *dmabuf = system_heap_allocate(1);
	DECLARE_COMPLETION_ONSTACK(gate);
	struct log log = {};
	struct step *writer = new_step(&log, 'w', dmabuf, false, true);
	struct prepared prepared = {};
	struct dma_fence *write, *fence;

	writer->gate = &gate;
	write = job_queue_submit(first, &writer->job);
	prepared.job.ops = &prepared_ops;
	prepared.job.buffer[0] = (struct job_buffer){ .dmabuf = dmabuf, .reads = true };
	prepared.job.buffers = 1;

	prepared.answer = -EBUSY;
	KT_EQ(t, PTR_ERR(job_queue_submit(second, &prepared.job)), -EBUSY);
	KT_CHECK(t, !dma_resv_is_locked(dmabuf->resv));
	prepared.answer = 0;
	fence = job_queue_submit(second, &prepared.job);
	KT_CHECK(t, prepared.held);
	KT_EQ(t, prepared.count, 1);
	KT_EQ(t, dma_fence_get_status(write), 0);
	dma_resv_lock(dmabuf->resv, NULL);
	KT_EQ(t, count_fences(dmabuf->resv), 2);
	dma_resv_unlock(dmabuf->resv);
	complete(&gate);
	KT_EQ(t, wait_and_put(fence), 1);
	KT_EQ(t, wait_and_put(write), 1);
	job_queue_destroy(first);
	job_queue_destroy(second);
	dma_buf_put(dmabuf);
}

KTAP_MAIN(KTAP_CASE(one_queue_is_one_timeline), KTAP_CASE(readers_wait_for_the_writer),
	  KTAP_CASE(readers_do_not_wait_for_readers), KTAP_CASE(errors_reach_those_who_read),
	  KTAP_CASE(a_fence_outlives_its_queue), KTAP_CASE(failing_allocations_leave_the_job_alone),
	  KTAP_CASE(crossing_submitters_back_off), KTAP_CASE(two_buffers_of_one_reservation),
	  KTAP_CASE(prepares_before_its_fence))
