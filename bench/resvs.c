/* SPDX-License-Identifier: MIT */
/*
 * resvs.c - rows: reservations, one and several, their fences, and what programs ask of them
 */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/file.h>
#include <linux/slab.h>
#include <linux/sync_file.h>
#include <uapi/linux/dma-buf.h>

#include <fcntl.h>
#include <stdlib.h>

#include "bench/measure.h"
#include "drivers/exporters/system-heap.h"
#include "host/file.h"

#define MAX_RESVS 4

/* --- what the loops stand on ------------------------------------------------------------------ */

struct resvs {
	struct dma_resv resv[MAX_RESVS];
	struct dma_resv *first; /* &resv[0], or a buffer's */
	struct dma_fence **fence;
	struct dma_buf *dmabuf;
	int fd, sync_fd;
};

static void add_fences(struct resvs *r, unsigned int n)
{
	dma_resv_lock(r->first, NULL);
	if (dma_resv_reserve_fences(r->first, n))
		bench_checked(NULL, "slots");
	for (unsigned int i = 0; i < n; i++)
		dma_resv_add_fence(r->first, r->fence[i], DMA_RESV_USAGE_READ);
	dma_resv_unlock(r->first);
}

/* n unsignaled fences of as many contexts, in the first reservation. */
static void setup_resvs(struct work *work)
{
	struct resvs *r = bench_zeroed(sizeof(*r));
	u64 context = dma_fence_context_alloc(work->n);

	for (unsigned int i = 0; i < MAX_RESVS; i++)
		dma_resv_init(&r->resv[i]);
	r->first = &r->resv[0];
	r->fence = bench_zeroed(work->n * sizeof(*r->fence));
	for (unsigned int i = 0; i < work->n; i++)
		r->fence[i] = bench_fence(context + i, 1);
	work->priv = r;
	add_fences(r, work->n);
}

static void teardown_resvs(struct work *work)
{
	struct resvs *r = work->priv;

	for (unsigned int i = 0; i < work->n; i++)
		bench_fence_end(r->fence[i]);
	for (unsigned int i = 0; i < MAX_RESVS; i++)
		dma_resv_fini(&r->resv[i]);
	free(r->fence);
	free(r);
}

static void setup_signaled(struct work *work)
{
	struct resvs *r;

	setup_resvs(work);
	r = work->priv;
	for (unsigned int i = 0; i < work->n; i++)
		dma_fence_signal(r->fence[i]);
}

/* A program's buffer with one fence in its reservation, and a sync file of that fence. */
static void setup_program(struct work *work)
{
	struct resvs *r;
	struct sync_file *file;

	setup_resvs(work);
	r = work->priv;
	r->dmabuf = bench_checked(system_heap_allocate(PAGE_SIZE), "a buffer");
	r->first = r->dmabuf->resv;
	add_fences(r, 1);
	r->fd = dma_buf_fd(r->dmabuf, O_CLOEXEC);
	file = bench_checked(sync_file_create(r->fence[0]), "a sync file");
	r->sync_fd = get_unused_fd_flags(O_CLOEXEC);
	if (r->fd < 0 || r->sync_fd < 0)
		bench_checked(NULL, "descriptors");
	fd_install(r->sync_fd, file->file);
}

static void teardown_program(struct work *work)
{
	struct resvs *r = work->priv;

	dma_fence_signal(r->fence[0]);
	host_close(r->sync_fd);
	host_close(r->fd);
	teardown_resvs(work);
}

/* --- the lock --------------------------------------------------------------------------------- */

static noinline void loop_resv_lock(struct work *work)
{
	struct resvs *r = work->priv;

	for (u64 i = 0; i < work->pairs; i++) {
		dma_resv_lock(r->first, NULL);
		dma_resv_unlock(r->first);
	}
}

static noinline void loop_resv_lock_interruptible(struct work *work)
{
	struct resvs *r = work->priv;

	for (u64 i = 0; i < work->pairs; i++)
		if (!dma_resv_lock_interruptible(r->first, NULL))
			dma_resv_unlock(r->first);
}

static noinline void loop_resv_trylock(struct work *work)
{
	struct resvs *r = work->priv;

	for (u64 i = 0; i < work->pairs; i++)
		if (dma_resv_trylock(r->first))
			dma_resv_unlock(r->first);
}

static noinline void loop_resv_lock_together(struct work *work)
{
	struct resvs *r = work->priv;

	for (u64 i = 0; i < work->pairs; i++) {
		struct ww_acquire_ctx ctx;

		ww_acquire_init(&ctx, &reservation_ww_class);
		for (unsigned int j = 0; j < work->n; j++)
			if (dma_resv_lock(&r->resv[j], &ctx))
				abort();
		ww_acquire_done(&ctx);
		for (unsigned int j = 0; j < work->n; j++)
			dma_resv_unlock(&r->resv[j]);
		ww_acquire_fini(&ctx);
	}
}

/* --- fences ----------------------------------------------------------------------------------- */

static noinline void loop_resv_add(struct work *work)
{
	struct resvs *r = work->priv;

	for (u64 i = 0; i < work->pairs; i++) {
		dma_resv_lock(r->first, NULL);
		if (dma_resv_reserve_fences(r->first, work->n))
			abort();
		for (unsigned int j = 0; j < work->n; j++)
			dma_resv_add_fence(r->first, r->fence[j], DMA_RESV_USAGE_READ);
		dma_resv_unlock(r->first);
	}
}

static noinline void loop_resv_replace(struct work *work)
{
	struct resvs *r = work->priv;

	dma_resv_lock(r->first, NULL);
	for (u64 i = 0; i < work->pairs; i++)
		dma_resv_replace_fences(r->first, r->fence[0]->context, r->fence[0],
					DMA_RESV_USAGE_READ);
	dma_resv_unlock(r->first);
}

static noinline void loop_resv_copy(struct work *work)
{
	struct resvs *r = work->priv;

	dma_resv_lock(&r->resv[1], NULL);
	for (u64 i = 0; i < work->pairs; i++)
		if (dma_resv_copy_fences(&r->resv[1], r->first))
			abort();
	dma_resv_unlock(&r->resv[1]);
}

static noinline void loop_resv_walk(struct work *work)
{
	struct resvs *r = work->priv;
	struct dma_resv_iter cursor;
	struct dma_fence *fence;

	dma_resv_lock(r->first, NULL);
	for (u64 i = 0; i < work->pairs; i++)
		dma_resv_for_each_fence(&cursor, r->first, DMA_RESV_USAGE_READ, fence)
			OPTIMIZER_HIDE_VAR(fence);
	dma_resv_unlock(r->first);
}

static noinline void loop_resv_walk_unlocked(struct work *work)
{
	struct resvs *r = work->priv;
	struct dma_resv_iter cursor;
	struct dma_fence *fence;

	for (u64 i = 0; i < work->pairs; i++) {
		dma_resv_iter_begin(&cursor, r->first, DMA_RESV_USAGE_READ);
		dma_resv_for_each_fence_unlocked(&cursor, fence)
			OPTIMIZER_HIDE_VAR(fence);
		dma_resv_iter_end(&cursor);
	}
}

static noinline void loop_resv_test_signaled(struct work *work)
{
	struct resvs *r = work->priv;

	for (u64 i = 0; i < work->pairs; i++)
		dma_resv_test_signaled(r->first, DMA_RESV_USAGE_READ);
}

static noinline void loop_resv_wait(struct work *work)
{
	struct resvs *r = work->priv;

	for (u64 i = 0; i < work->pairs; i++)
		dma_resv_wait_timeout(r->first, DMA_RESV_USAGE_READ, false, MAX_SCHEDULE_TIMEOUT);
}

static noinline void loop_resv_get_fences(struct work *work)
{
	struct resvs *r = work->priv;

	for (u64 i = 0; i < work->pairs; i++) {
		struct dma_fence **fences;
		unsigned int count;

		if (dma_resv_get_fences(r->first, DMA_RESV_USAGE_READ, &count, &fences))
			abort();
		while (count)
			dma_fence_put(fences[--count]);
		kfree(fences);
	}
}

static noinline void loop_resv_singleton(struct work *work)
{
	struct resvs *r = work->priv;

	for (u64 i = 0; i < work->pairs; i++) {
		struct dma_fence *fence;

		if (dma_resv_get_singleton(r->first, DMA_RESV_USAGE_READ, &fence))
			abort();
		dma_fence_put(fence);
	}
}

static noinline void loop_resv_deadline(struct work *work)
{
	struct resvs *r = work->priv;

	for (u64 i = 0; i < work->pairs; i++)
		dma_resv_set_deadline(r->first, DMA_RESV_USAGE_READ, i);
}

/* --- programs --------------------------------------------------------------------------------- */

static noinline void loop_export_sync_file(struct work *work)
{
	struct resvs *r = work->priv;

	for (u64 i = 0; i < work->pairs; i++) {
		struct dma_buf_export_sync_file export = { .flags = DMA_BUF_SYNC_RW };

		host_ioctl(r->fd, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, (unsigned long)&export);
		host_close(export.fd);
	}
}

static noinline void loop_import_sync_file(struct work *work)
{
	struct resvs *r = work->priv;

	for (u64 i = 0; i < work->pairs; i++) {
		struct dma_buf_import_sync_file import = { .flags = DMA_BUF_SYNC_READ,
							   .fd = r->sync_fd };

		host_ioctl(r->fd, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, (unsigned long)&import);
	}
}

/* --- rows ------------------------------------------------------------------------------------- */

#define RESVS(name_, loop_, setup_, n_, ...)                                               \
	{                                                                                  \
		.name = name_, .loop = loop_, .setup = setup_, .teardown = teardown_resvs, \
		.n = n_, .threads = 1, .pairs = PAIRS_TIMED, __VA_ARGS__                   \
	}
#define PROGRAM(name_, loop_, ...)                                                    \
	{                                                                             \
		.name = name_, .loop = loop_, .setup = setup_program,                 \
		.teardown = teardown_program, .n = 1, .threads = 1, .bytes = 4 * KIB, \
		.pairs = PAIRS_TIMED, __VA_ARGS__                                     \
	}
#define LOCK(n_) BASE("resv_lock", n_, 0, 0)

static const struct measure measures[] = {
	RESVS("resv_lock", loop_resv_lock, setup_resvs, 1, BASE("mutex_pair", 1, 0, 0)),
	RESVS("resv_lock_interruptible", loop_resv_lock_interruptible, setup_resvs, 1, LOCK(1)),
	RESVS("resv_trylock", loop_resv_trylock, setup_resvs, 1, LOCK(1)),
	RESVS("resv_lock_together", loop_resv_lock_together, setup_resvs, 2, LOCK(1)),
	RESVS("resv_lock_together", loop_resv_lock_together, setup_resvs, 4, LOCK(1)),
	RESVS("resv_add_fence", loop_resv_add, setup_resvs, 1, LOCK(1)),
	RESVS("resv_add_fence", loop_resv_add, setup_resvs, 4, LOCK(1)),
	RESVS("resv_replace_fences", loop_resv_replace, setup_resvs, 1, ATOMIC(1, 0)),
	RESVS("resv_copy_fences", loop_resv_copy, setup_resvs, 4, ATOMIC(1, 0)),
	RESVS("resv_walk", loop_resv_walk, setup_resvs, 1, ATOMIC(1, 0)),
	RESVS("resv_walk", loop_resv_walk, setup_resvs, 16, ATOMIC(1, 0)),
	RESVS("resv_walk_unlocked", loop_resv_walk_unlocked, setup_resvs, 1,
	      BASE("resv_walk", 1, 0, 0)),
	RESVS("resv_walk_unlocked", loop_resv_walk_unlocked, setup_resvs, 16,
	      BASE("resv_walk", 16, 0, 0)),
	RESVS("resv_test_signaled", loop_resv_test_signaled, setup_resvs, 1, ATOMIC(1, 0)),
	RESVS("resv_test_signaled_yes", loop_resv_test_signaled, setup_signaled, 1, ATOMIC(1, 0)),
	RESVS("resv_test_signaled_yes", loop_resv_test_signaled, setup_signaled, 16, ATOMIC(1, 0)),
	RESVS("resv_wait_signaled", loop_resv_wait, setup_signaled, 1, ATOMIC(1, 0)),
	RESVS("resv_get_fences", loop_resv_get_fences, setup_resvs, 4, BASE("fence", 1, 0, 0)),
	RESVS("resv_get_singleton", loop_resv_singleton, setup_resvs, 1, BASE("fence", 1, 0, 0)),
	RESVS("resv_get_singleton", loop_resv_singleton, setup_resvs, 4,
	      BASE("fence_array", 2, 0, 0)),
	RESVS("resv_deadline", loop_resv_deadline, setup_resvs, 1, ATOMIC(1, 0)),
	PROGRAM("export_sync_file", loop_export_sync_file, BASE("sync_file_create", 2, 0, 0)),
	PROGRAM("import_sync_file", loop_import_sync_file, BASE("resv_add_fence", 1, 0, 0)),
};

const struct bench_group bench_resvs = { measures, ARRAY_SIZE(measures) };
