/* SPDX-License-Identifier: MIT */
/*
 * job-queue.h - a device's queue: jobs in order, each after the fences it depends on
 *
 * A driver fills in a job, names the buffers it uses and submits it.  Submitting puts the job's
 * out-fence into the buffers' reservations, so everybody who comes later waits for it without
 * knowing the driver.  One kthread for each queue runs the jobs.
 *
 * Invariants
 *   J1  Jobs of a queue run in the order of their submission, one at a time; their fences are one
 *       timeline.
 *   J2  A job runs after the fences that its buffers' reservations held at submit: the writers' for
 *       a job that reads, all for a job that writes.
 *   J3  The access lies between those fences and the out-fence, and its mapping has ended by then,
 *       so the bytes are coherent for whoever has waited for it.
 *   J4  Errors travel: a job that reads what a failed job was to write is not run and fails alike.
 *       A reservation forgets signaled fences (R4 of dma-resv.h), so a submitter who must know asks
 *       the fences he got.
 *   J5  A map in run() that is not a hit takes the reservation on the way to the signal, which F5
 *       of dma-fence.h forbids where memory moves or is reclaimed: who holds a reservation of the
 *       job's buffers must not wait for its out-fence.  Hits take no lock.  Who moves buffers waits
 *       so, and their importers map in prepare() and unmap in none of a job's callbacks.
 *       Who moves them by a job of his own (J7) does not wait, and static importers, who hold the
 *       buffer where it is, may unmap in end().
 *   J6  What prepare() finds of a buffer's place holds until the out-fence has signaled: whoever
 *       moves the buffer has the reservation before prepare() or waits for the fence.
 *   J7  A job that moves a buffer runs after all fences of its reservation, and its own is of usage
 *       KERNEL: everybody who comes later waits for it.
 *
 * Deliberately not here: priorities, several jobs at a time, cancelling, time limits.
 */
#ifndef DRIVERS_JOB_QUEUE_H
#define DRIVERS_JOB_QUEUE_H

#include <linux/list.h>
#include <linux/types.h>

struct dma_buf;
struct dma_fence;
struct job;
struct job_dependency;
struct job_queue;

#define JOB_BUFFERS 2

struct job_ops {
	/*
	 * Optional.  Validate and map, with the reservations of all the job's buffers held, before
	 * the out-fence is in them and before the fences it depends on have signaled.  Submitter's
	 * thread, may sleep.  Returns 0, or -errno that job_queue_submit() passes on.
	 */
	int (*prepare)(struct job *job);

	/*
	 * The work.  Queue's thread, may sleep, holds nothing.  Returns 0 or -errno.  Not called if
	 * a dependency failed.
	 */
	int (*run)(struct job *job);

	/*
	 * Undo what came before submit and free the job.  Always called, same thread, before the
	 * out-fence signals.
	 */
	void (*end)(struct job *job);
};

struct job_buffer {
	struct dma_buf *dmabuf;
	bool reads;
	bool writes;
	bool moves; /* to another place (J7) */
};

struct job {
	/* The driver's, set before submit. */
	const struct job_ops *ops;
	struct job_buffer buffer[JOB_BUFFERS];
	unsigned int buffers;

	/* The queue's. */
	struct list_head node;
	struct dma_fence *fence;
	struct job_dependency *dependency;
	unsigned int dependencies;
};

/**
 * job_queue_create - a queue and its thread
 * @name: its timeline's, copied
 *
 * Context: may sleep.  Returns ERR_PTR: -ENOMEM or what kthread_run() said.
 */
struct job_queue *job_queue_create(const char *name);

/**
 * job_queue_destroy - run what is queued, then end
 *
 * Context: may sleep; nobody submits any more.  Its fences may live on.
 */
void job_queue_destroy(struct job_queue *queue);

/**
 * job_queue_submit - let @job run
 *
 * Context: may sleep; no reservation of its buffers held.
 * Ownership: on success the queue ends the job and the caller owns one reference to the fence
 * returned; the buffers must live until it has signaled.  On failure the job stays the caller's,
 * and so does what prepare() did.
 * Returns ERR_PTR: -ENOMEM, or what prepare() said.
 * Ordering: submissions that share a buffer are ordered by its reservation's lock.
 */
struct dma_fence *job_queue_submit(struct job_queue *queue, struct job *job);

/**
 * job_queue_push - the same for a caller who holds the reservations and has reserved a fence in each
 *
 * Does not call prepare() and waits for nothing, for memory neither: between the begin and the end
 * of a move nobody may.
 * Context: reservations of all its buffers held.  Ownership: as job_queue_submit().
 * Returns ERR_PTR(-ENOMEM).
 */
struct dma_fence *job_queue_push(struct job_queue *queue, struct job *job);

#endif
