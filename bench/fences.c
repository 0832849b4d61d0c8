/* SPDX-License-Identifier: MIT */
/*
 * fences.c - rows: fences, arrays, chains, merges, sync files, and RCU that they stand on
 */
#include <linux/dma-fence-array.h>
#include <linux/dma-fence-chain.h>
#include <linux/dma-fence-unwrap.h>
#include <linux/dma-fence.h>
#include <linux/file.h>
#include <linux/poll.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/sync_file.h>
#include <uapi/linux/sync_file.h>

#include <fcntl.h>
#include <stdlib.h>

#include "bench/measure.h"
#include "host/file.h"

static const char *fence_name(struct dma_fence *fence)
{
	return "bench";
}

static const struct dma_fence_ops fence_ops = {
	.get_driver_name = fence_name,
	.get_timeline_name = fence_name,
};

static DEFINE_SPINLOCK(fence_lock);

struct dma_fence *bench_fence(u64 context, u64 seqno)
{
	struct dma_fence *fence = bench_checked(kzalloc(sizeof(*fence), GFP_KERNEL), "a fence");

	dma_fence_init(fence, &fence_ops, &fence_lock, context, seqno);
	return fence;
}

void bench_fence_end(struct dma_fence *fence)
{
	dma_fence_signal(fence);
	dma_fence_put(fence);
}

/* --- what the loops stand on ------------------------------------------------------------------ */

struct fences {
	struct dma_fence **fence; /* n of them, each of a context of its own */
	struct dma_fence_unwrap *cursor;
	struct dma_fence *whole; /* an array or a chain of them */
	struct dma_fence __rcu *shared;
	struct sync_file *file;
	int fd, fd2;
};

/* Unsignaled ones. */
static void setup_fences(struct work *work)
{
	struct fences *f = bench_zeroed(sizeof(*f));
	u64 context = dma_fence_context_alloc(work->n);

	f->fence = bench_zeroed(work->n * sizeof(*f->fence));
	f->cursor = bench_zeroed(work->n * sizeof(*f->cursor));
	for (unsigned int i = 0; i < work->n; i++)
		f->fence[i] = bench_fence(context + i, 1);
	rcu_assign_pointer(f->shared, f->fence[0]);
	work->priv = f;
}

static void teardown_fences(struct work *work)
{
	struct fences *f = work->priv;

	for (unsigned int i = 0; i < work->n; i++)
		bench_fence_end(f->fence[i]);
	dma_fence_put(f->whole);
	free(f->cursor);
	free(f->fence);
	free(f);
}

static void setup_signaled(struct work *work)
{
	struct fences *f;

	setup_fences(work);
	f = work->priv;
	for (unsigned int i = 0; i < work->n; i++)
		dma_fence_signal(f->fence[i]);
}

static struct dma_fence *new_array(struct fences *f, unsigned int n)
{
	struct dma_fence **members = kmalloc_array(n, sizeof(*members), GFP_KERNEL);

	for (unsigned int i = 0; i < n; i++)
		members[i] = dma_fence_get(f->fence[i]);
	return &dma_fence_array_create(n, members, 1, 1, false)->base;
}

static struct dma_fence *new_link(struct dma_fence *prev, struct dma_fence *fence, u64 seqno)
{
	struct dma_fence_chain *chain = dma_fence_chain_alloc();

	dma_fence_chain_init(chain, prev, dma_fence_get(fence), seqno);
	return &chain->base;
}

static void setup_array(struct work *work)
{
	struct fences *f;

	setup_fences(work);
	f = work->priv;
	f->whole = new_array(f, work->n);
}

static void setup_chain(struct work *work)
{
	struct fences *f;

	setup_fences(work);
	f = work->priv;
	for (unsigned int i = 0; i < work->n; i++)
		f->whole = new_link(f->whole, f->fence[i], i + 1);
}

static int sync_fd(struct dma_fence *fence)
{
	struct sync_file *file = bench_checked(sync_file_create(fence), "a sync file");
	int fd = get_unused_fd_flags(O_CLOEXEC);

	if (fd < 0)
		bench_checked(NULL, "a descriptor");
	fd_install(fd, file->file);
	return fd;
}

static void setup_sync_files(struct work *work)
{
	struct fences *f;

	setup_fences(work);
	f = work->priv;
	f->fd = sync_fd(f->fence[0]);
	f->fd2 = sync_fd(f->fence[1]);
}

static void teardown_sync_files(struct work *work)
{
	struct fences *f = work->priv;

	host_close(f->fd);
	host_close(f->fd2);
	teardown_fences(work);
}

/* --- one fence -------------------------------------------------------------------------------- */

static noinline void loop_fence(struct work *work)
{
	for (u64 i = 0; i < work->pairs; i++) {
		struct dma_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL);

		dma_fence_init(fence, &fence_ops, &fence_lock, 1, i + 1);
		dma_fence_signal(fence);
		dma_fence_put(fence);
	}
}

static noinline void loop_fence_get(struct work *work)
{
	struct fences *f = work->priv;

	for (u64 i = 0; i < work->pairs; i++)
		dma_fence_put(dma_fence_get(f->fence[0]));
}

static noinline void loop_fence_get_rcu(struct work *work)
{
	struct fences *f = work->priv;

	for (u64 i = 0; i < work->pairs; i++) {
		struct dma_fence *fence;

		rcu_read_lock();
		fence = dma_fence_get_rcu_safe(&f->shared);
		rcu_read_unlock();
		dma_fence_put(fence);
	}
}

static noinline void loop_fence_is_signaled(struct work *work)
{
	struct fences *f = work->priv;
	unsigned int found = 0;

	for (u64 i = 0; i < work->pairs; i++) {
		found += dma_fence_is_signaled(f->fence[0]);
		barrier();
	}
	OPTIMIZER_HIDE_VAR(found);
}

static noinline void loop_fence_status(struct work *work)
{
	struct fences *f = work->priv;

	for (u64 i = 0; i < work->pairs; i++) {
		dma_fence_get_status(f->fence[0]);
		dma_fence_timestamp(f->fence[0]);
	}
}

static void nothing(struct dma_fence *fence, struct dma_fence_cb *cb)
{
}

static noinline void loop_fence_callback(struct work *work)
{
	struct fences *f = work->priv;
	struct dma_fence_cb cb;

	for (u64 i = 0; i < work->pairs; i++) {
		dma_fence_add_callback(f->fence[0], &cb, nothing);
		dma_fence_remove_callback(f->fence[0], &cb);
	}
}

static noinline void loop_fence_signal_callback(struct work *work)
{
	for (u64 i = 0; i < work->pairs; i++) {
		struct dma_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL);
		struct dma_fence_cb cb;

		dma_fence_init(fence, &fence_ops, &fence_lock, 1, i + 1);
		dma_fence_add_callback(fence, &cb, nothing);
		dma_fence_signal(fence);
		dma_fence_put(fence);
	}
}

/* As from an interrupt handler that holds the lock of its fences. */
static noinline void loop_fence_signal_locked(struct work *work)
{
	for (u64 i = 0; i < work->pairs; i++) {
		struct dma_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL);
		unsigned long flags;

		dma_fence_init(fence, &fence_ops, &fence_lock, 1, i + 1);
		spin_lock_irqsave(&fence_lock, flags);
		dma_fence_signal_locked(fence);
		spin_unlock_irqrestore(&fence_lock, flags);
		dma_fence_put(fence);
	}
}

static noinline void loop_fence_signalling(struct work *work)
{
	for (u64 i = 0; i < work->pairs; i++)
		dma_fence_end_signalling(dma_fence_begin_signalling());
}

static noinline void loop_fence_context(struct work *work)
{
	for (u64 i = 0; i < work->pairs; i++)
		dma_fence_context_alloc(1);
}

static noinline void loop_fence_enable(struct work *work)
{
	struct fences *f = work->priv;

	for (u64 i = 0; i < work->pairs; i++)
		dma_fence_enable_sw_signaling(f->fence[0]);
}

static noinline void loop_fence_wait(struct work *work)
{
	struct fences *f = work->priv;

	for (u64 i = 0; i < work->pairs; i++)
		dma_fence_wait(f->fence[0], false);
}

static noinline void loop_fence_wait_any(struct work *work)
{
	struct fences *f = work->priv;

	for (u64 i = 0; i < work->pairs; i++)
		dma_fence_wait_any_timeout(f->fence, work->n, false, MAX_SCHEDULE_TIMEOUT, NULL);
}

static noinline void loop_fence_stub(struct work *work)
{
	for (u64 i = 0; i < work->pairs; i++)
		dma_fence_put(dma_fence_get_stub());
}

static noinline void loop_fence_later(struct work *work)
{
	struct fences *f = work->priv;
	struct dma_fence *later;

	for (u64 i = 0; i < work->pairs; i++) {
		later = dma_fence_later(f->fence[0], f->fence[0]);
		OPTIMIZER_HIDE_VAR(later);
	}
}

static noinline void loop_fence_deadline(struct work *work)
{
	struct fences *f = work->priv;

	for (u64 i = 0; i < work->pairs; i++)
		dma_fence_set_deadline(f->fence[0], i);
}

/* --- several ---------------------------------------------------------------------------------- */

static noinline void loop_array(struct work *work)
{
	for (u64 i = 0; i < work->pairs; i++) {
		struct fences *f = work->priv;
		struct dma_fence **members = kmalloc_array(work->n, sizeof(*members), GFP_KERNEL);
		struct dma_fence_array *array;

		for (unsigned int j = 0; j < work->n; j++)
			members[j] = dma_fence_get(f->fence[j]);
		array = dma_fence_array_create(work->n, members, 1, 1, false);
		dma_fence_put(&array->base);
	}
}

/* From the first member's signal to the array's callback. */
static noinline void loop_array_signal(struct work *work)
{
	struct dma_fence_cb cb;

	for (u64 i = 0; i < work->pairs; i++) {
		struct dma_fence **members = kmalloc_array(work->n, sizeof(*members), GFP_KERNEL);
		struct dma_fence_array *array;

		for (unsigned int j = 0; j < work->n; j++)
			members[j] = bench_fence(j + 1, 1);
		array = dma_fence_array_create(work->n, members, work->n + 1, 1, false);
		dma_fence_add_callback(&array->base, &cb, nothing);
		work_start(work);
		for (unsigned int j = 0; j < work->n; j++)
			dma_fence_signal(members[j]);
		work_stop(work);
		dma_fence_put(&array->base);
	}
}

static noinline void loop_array_walk(struct work *work)
{
	struct fences *f = work->priv;
	struct dma_fence *fence;
	unsigned int index;

	for (u64 i = 0; i < work->pairs; i++)
		dma_fence_array_for_each(fence, index, f->whole)
			OPTIMIZER_HIDE_VAR(fence);
}

static noinline void loop_chain(struct work *work)
{
	struct fences *f = work->priv;

	for (u64 i = 0; i < work->pairs; i++) {
		struct dma_fence_chain *chain = dma_fence_chain_alloc();

		dma_fence_chain_init(chain, dma_fence_get(f->whole), dma_fence_get(f->fence[0]),
				     work->n + 1);
		dma_fence_put(&chain->base);
	}
}

static noinline void loop_chain_walk(struct work *work)
{
	struct fences *f = work->priv;
	struct dma_fence *fence;

	for (u64 i = 0; i < work->pairs; i++)
		dma_fence_chain_for_each(fence, f->whole)
			OPTIMIZER_HIDE_VAR(fence);
}

static noinline void loop_chain_find(struct work *work)
{
	struct fences *f = work->priv;

	for (u64 i = 0; i < work->pairs; i++) {
		struct dma_fence *fence = dma_fence_get(f->whole);

		dma_fence_chain_find_seqno(&fence, 1);
		dma_fence_put(fence);
	}
}

static noinline void loop_unwrap(struct work *work)
{
	struct fences *f = work->priv;
	struct dma_fence_unwrap cursor;
	struct dma_fence *fence;

	for (u64 i = 0; i < work->pairs; i++)
		dma_fence_unwrap_for_each(fence, &cursor, f->whole)
			OPTIMIZER_HIDE_VAR(fence);
}

static noinline void loop_merge(struct work *work)
{
	struct fences *f = work->priv;

	for (u64 i = 0; i < work->pairs; i++)
		dma_fence_put(__dma_fence_unwrap_merge(work->n, f->fence, f->cursor));
}

/* --- sync files ------------------------------------------------------------------------------- */

static noinline void loop_sync_file_create(struct work *work)
{
	struct fences *f = work->priv;

	for (u64 i = 0; i < work->pairs; i++)
		fput(sync_file_create(f->fence[0])->file);
}

static noinline void loop_sync_file_get(struct work *work)
{
	struct fences *f = work->priv;

	for (u64 i = 0; i < work->pairs; i++)
		dma_fence_put(sync_file_get_fence(f->fd));
}

static noinline void loop_sync_file_merge(struct work *work)
{
	struct fences *f = work->priv;

	for (u64 i = 0; i < work->pairs; i++) {
		struct sync_merge_data merge = { .name = "bench", .fd2 = f->fd2 };

		host_ioctl(f->fd, SYNC_IOC_MERGE, (unsigned long)&merge);
		host_close(merge.fence);
	}
}

static noinline void loop_sync_file_info(struct work *work)
{
	struct fences *f = work->priv;

	for (u64 i = 0; i < work->pairs; i++) {
		struct sync_fence_info fence[1];
		struct sync_file_info info = {
			.num_fences = 1,
			.sync_fence_info = (unsigned long)fence,
		};

		host_ioctl(f->fd, SYNC_IOC_FILE_INFO, (unsigned long)&info);
	}
}

static noinline void loop_sync_file_poll(struct work *work)
{
	struct fences *f = work->priv;

	for (u64 i = 0; i < work->pairs; i++)
		host_poll(f->fd, EPOLLIN, 0);
}

/* --- RCU -------------------------------------------------------------------------------------- */

static noinline void loop_rcu_section(struct work *work)
{
	for (u64 i = 0; i < work->pairs; i++) {
		rcu_read_lock();
		rcu_read_unlock();
	}
}

static noinline void loop_rcu_grace_period(struct work *work)
{
	for (u64 i = 0; i < work->pairs; i++)
		synchronize_rcu();
}

static noinline void loop_rcu_callback(struct work *work)
{
	for (u64 i = 0; i < work->pairs; i++) {
		struct dma_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL);

		kfree_rcu(fence, rcu);
		rcu_barrier();
	}
}

/* --- rows ------------------------------------------------------------------------------------- */

#define FENCES(name_, loop_, setup_, n_, ...)                                               \
	{                                                                                   \
		.name = name_, .loop = loop_, .setup = setup_, .teardown = teardown_fences, \
		.n = n_, .threads = 1, .pairs = PAIRS_TIMED, __VA_ARGS__                    \
	}
#define FILES(name_, loop_, ...)                                                             \
	{                                                                                    \
		.name = name_, .loop = loop_, .setup = setup_sync_files,                     \
		.teardown = teardown_sync_files, .n = 2, .threads = 1, .pairs = PAIRS_TIMED, \
		__VA_ARGS__                                                                  \
	}
#define BARE(name_, loop_, ...)                                                           \
	{                                                                                 \
		.name = name_, .loop = loop_, .n = 1, .threads = 1, .pairs = PAIRS_TIMED, \
		__VA_ARGS__                                                               \
	}

static const struct measure measures[] = {
	BARE("fence", loop_fence, ATOMIC(1, 0)),
	FENCES("fence_get_put", loop_fence_get, setup_fences, 1, ATOMIC(1, 0)),
	FENCES("fence_get_rcu_safe", loop_fence_get_rcu, setup_fences, 1, ATOMIC(1, 0)),
	FENCES("fence_is_signaled", loop_fence_is_signaled, setup_fences, 1, ATOMIC(1, 0)),
	FENCES("fence_is_signaled_yes", loop_fence_is_signaled, setup_signaled, 1, ATOMIC(1, 0)),
	FENCES("fence_status", loop_fence_status, setup_signaled, 1, ATOMIC(1, 0)),
	FENCES("fence_callback", loop_fence_callback, setup_fences, 1, ATOMIC(1, 0)),
	BARE("fence_signal_callback", loop_fence_signal_callback, BASE("fence", 1, 0, 0)),
	BARE("fence_signal_locked", loop_fence_signal_locked, BASE("fence", 1, 0, 0)),
	BARE("fence_signalling_section", loop_fence_signalling, ATOMIC(1, 0)),
	BARE("fence_context", loop_fence_context, ATOMIC(1, 0)),
	FENCES("fence_enable_signaling", loop_fence_enable, setup_fences, 1, ATOMIC(1, 0)),
	FENCES("fence_wait_signaled", loop_fence_wait, setup_signaled, 1, ATOMIC(1, 0)),
	FENCES("fence_wait_any_signaled", loop_fence_wait_any, setup_signaled, 4, ATOMIC(1, 0)),
	BARE("fence_stub", loop_fence_stub, ATOMIC(1, 0)),
	FENCES("fence_later", loop_fence_later, setup_fences, 1, ATOMIC(1, 0)),
	FENCES("fence_deadline", loop_fence_deadline, setup_fences, 1, ATOMIC(1, 0)),
	FENCES("fence_array", loop_array, setup_fences, 2, BASE("fence", 1, 0, 0)),
	FENCES("fence_array", loop_array, setup_fences, 16, BASE("fence", 1, 0, 0)),
	BARE("fence_array_signal", loop_array_signal, BASE("fence", 1, 0, 0)),
	FENCES("fence_array_walk", loop_array_walk, setup_array, 16, ATOMIC(1, 0)),
	FENCES("fence_chain", loop_chain, setup_chain, 1, BASE("fence", 1, 0, 0)),
	FENCES("fence_chain_walk", loop_chain_walk, setup_chain, 16, ATOMIC(1, 0)),
	FENCES("fence_chain_find", loop_chain_find, setup_chain, 16, ATOMIC(1, 0)),
	FENCES("fence_unwrap_array", loop_unwrap, setup_array, 16,
	       BASE("fence_array_walk", 16, 0, 0)),
	FENCES("fence_unwrap_chain", loop_unwrap, setup_chain, 16,
	       BASE("fence_chain_walk", 16, 0, 0)),
	FENCES("fence_merge", loop_merge, setup_fences, 2, BASE("fence_array", 2, 0, 0)),
	FENCES("fence_merge", loop_merge, setup_fences, 16, BASE("fence_array", 16, 0, 0)),

	FILES("sync_file_create", loop_sync_file_create, BASE("fence", 1, 0, 0)),
	FILES("sync_file_get_fence", loop_sync_file_get, ATOMIC(1, 0)),
	FILES("sync_file_merge", loop_sync_file_merge, BASE("fence_merge", 2, 0, 0)),
	FILES("sync_file_info", loop_sync_file_info, ATOMIC(1, 0)),
	FILES("sync_file_poll", loop_sync_file_poll, ATOMIC(1, 0)),

	BARE("rcu_section", loop_rcu_section, ATOMIC(1, 0)),
	BARE("rcu_grace_period", loop_rcu_grace_period, ATOMIC(1, 0)),
	BARE("rcu_callback", loop_rcu_callback, BASE("rcu_grace_period", 1, 0, 0)),
};

const struct bench_group bench_fences = { measures, ARRAY_SIZE(measures) };
