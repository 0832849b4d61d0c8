/* SPDX-License-Identifier: MIT */
/*
 * drive-pairs.c - a driver that is not alone: two imports at once, and a buffer that others use; see
 * drive.h
 *
 * At most one of two imports of a buffer writes: two devices behind bounce buffers that both keep a
 * mapping to write through have their bytes put over each other's, whoever the driver is.
 */
#include "checker/check/own.h"

#include <linux/delay.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/slab.h>

#include <pthread.h>
#include <stdlib.h>

#include "checker/check/bench.h"
#include "checker/check/drive-job.h"
#include "checker/check/drive.h"
#include "checker/check/watch.h"
#include "dma/engine.h"

struct import {
	const struct check_adapter *adapter;
	struct check_import import;
	struct job *job; /* NULL: it is not open */
	bool same;       /* the other import is of this buffer, too */
};

/* @number: 0 or 1; no two of a pair ever write the same bytes */
static void open_import(struct import *in, const struct check_adapter *adapter,
			struct dma_buf *dmabuf, enum dma_data_direction dir, unsigned int number)
{
	in->adapter = adapter;
	in->job = job_create(&in->import, dmabuf, dir);
	in->job->stale = CHECK_COH_03;
	atomic_set(&in->job->runs, 50 * number);
	if (!drive_failed(dmabuf, adapter->name, "open", adapter->open(&in->import)))
		return;
	free(in->job);
	in->job = NULL;
}

static void close_import(struct import *in)
{
	if (in->job)
		in->adapter->close(&in->import);
	free(in->job);
}

/* One access of @in; @other is there, too. */
static void turn(struct import *in, struct import *other)
{
	struct job *job = in->job;
	int ret;

	if (!job || job->stuck || job->faulted)
		return;
	if (in->import.dir != DMA_FROM_DEVICE)
		job_cpu_writes(job);
	ret = job_access(in->adapter, &in->import);
	if (job->faulted || drive_failed(job->dmabuf, in->adapter->name, "access", ret) ||
	    !job_settled(&in->import))
		return;
	if (in->import.dir != DMA_TO_DEVICE)
		job_cpu_looks(job, CHECK_COH_04, "while the importer has it");
	if (in->same && other->job)
		memcpy(other->job->bytes, job->bytes, BENCH_BYTES);
	else if (other->job && atomic_read(&other->job->runs) > 50)
		job_cpu_looks(other->job, CHECK_COH_04, "after a job on another buffer");
}

static void drive_pair(struct import *a, struct import *b)
{
	if (a->job && b->job && !a->same) {
		a->job->beside = b->job;
		b->job->beside = a->job;
	}
	turn(a, b);
	turn(b, a);
	turn(a, b);
	close_import(a);
	a->job = NULL;
	if (b->job)
		b->job->beside = NULL;
	turn(b, a);
	close_import(b);
}

static void two_buffers(const struct check_adapter *adapter, enum dma_data_direction dir)
{
	struct dma_buf *one = bench_export(false), *other = bench_export(false);
	struct import a = {}, b = {};

	check_at("%s imports two buffers, %s", adapter->name, drive_dir_names[dir]);
	open_import(&a, adapter, one, dir, 0);
	open_import(&b, adapter, other, dir, 1);
	drive_pair(&a, &b);
	dma_buf_put(one);
	dma_buf_put(other);
}

static void two_directions(const struct check_adapter *adapter, enum dma_data_direction first,
			   enum dma_data_direction second)
{
	struct dma_buf *dmabuf = bench_export(false);
	struct import a = { .same = true }, b = { .same = true };

	check_at("%s imports a buffer twice, %s and %s", adapter->name, drive_dir_names[first],
		 drive_dir_names[second]);
	open_import(&a, adapter, dmabuf, first, 0);
	open_import(&b, adapter, dmabuf, second, 1);
	drive_pair(&a, &b);
	dma_buf_put(dmabuf);
}

/* --- another device --------------------------------------------------------------------------- */

/* A device without faults writes all of the buffer, or reads it, between a map and an unmap. */
static void other_device(struct job *job, enum dma_data_direction dir, u8 *bytes)
{
	struct dma_buf_attachment *attach = dma_buf_attach(job->dmabuf, bench.other);
	struct sg_table *sgt;
	int ret;

	if (drive_failed(job->dmabuf, "the checker", "attach", PTR_ERR_OR_ZERO(attach)))
		return;
	sgt = dma_buf_map_attachment_unlocked(attach, dir);
	if (drive_failed(job->dmabuf, "the checker", "map", PTR_ERR_OR_ZERO(sgt)))
		goto detach;
	ret = dir == DMA_FROM_DEVICE ? dma_engine_write(bench.other, sgt, 0, bytes, BENCH_BYTES)
				     : dma_engine_read(bench.other, sgt, 0, bytes, BENCH_BYTES);
	drive_failed(job->dmabuf, "the checker", "the other device", ret);
	dma_buf_unmap_attachment_unlocked(attach, sgt, dir);
detach:
	dma_buf_detach(job->dmabuf, attach);
}

/* What the driver's device wrote is what the other one reads. */
static void other_reads(struct job *job)
{
	u8 *seen = calloc(1, BENCH_BYTES);
	struct check_state state;
	size_t at;

	other_device(job, DMA_TO_DEVICE, seen);
	at = bench_differ(seen, job->bytes, BENCH_BYTES);
	if (at < BENCH_BYTES && !job->faulted)
		check_found(CHECK_COH_06, job->dmabuf, watch_last(&state),
			    "another device reads %#x at byte %zu of %zu, where the driver's wrote "
			    "%#x",
			    seen[at], at, (size_t)BENCH_BYTES, job->bytes[at]);
	free(seen);
}

static void two_devices(const struct check_adapter *adapter, enum dma_data_direction dir)
{
	struct dma_buf *dmabuf = bench_export(false);
	struct import in = {};
	int ret = 0;

	check_at("%s imports a buffer that another device uses, too, %s", adapter->name,
		 drive_dir_names[dir]);
	open_import(&in, adapter, dmabuf, dir, 0);
	if (!in.job)
		goto put_buffer;
	in.job->stale = CHECK_COH_06;
	for (unsigned int i = 0; i < 2 && !ret; i++) {
		if (dir != DMA_FROM_DEVICE) {
			bench_fill(in.job->bytes, BENCH_BYTES, 90 + i);
			other_device(in.job, DMA_FROM_DEVICE, in.job->bytes);
		}
		ret = job_access(adapter, &in.import);
		if (in.job->faulted || drive_failed(dmabuf, adapter->name, "access", ret) ||
		    !job_settled(&in.import))
			break;
		if (dir != DMA_TO_DEVICE)
			other_reads(in.job);
	}
	close_import(&in);
put_buffer:
	dma_buf_put(dmabuf);
}

/* --- a busy buffer ---------------------------------------------------------------------------- */

#define OTHERS 3

static const char *others_name(struct dma_fence *fence)
{
	return "others";
}

static const struct dma_fence_ops others_ops = {
	.get_driver_name = others_name,
	.get_timeline_name = others_name,
};

/* Those who read the buffer, one after the other, and end in this order. */
struct others {
	struct dma_fence *fences[OTHERS];
	spinlock_t lock;
	pthread_t thread;
};

static void *others_end(void *data)
{
	struct others *others = data;

	for (unsigned int i = 0; i < OTHERS; i++) {
		usleep_range(5000, 6000);
		dma_fence_signal(others->fences[i]);
	}
	return NULL;
}

static void others_begin(struct others *others, struct dma_resv *resv)
{
	spin_lock_init(&others->lock);
	dma_resv_lock(resv, NULL);
	for (unsigned int i = 0; i < OTHERS; i++) {
		others->fences[i] = kzalloc(sizeof(*others->fences[i]), GFP_KERNEL);
		if (!others->fences[i] || dma_resv_reserve_fences(resv, 1))
			abort();
		dma_fence_init(others->fences[i], &others_ops, &others->lock,
			       dma_fence_context_alloc(1), 1);
		dma_resv_add_fence(resv, others->fences[i], DMA_RESV_USAGE_READ);
	}
	dma_resv_unlock(resv);
	if (pthread_create(&others->thread, NULL, others_end, others))
		abort();
}

static void others_gone(struct others *others)
{
	pthread_join(others->thread, NULL);
	for (unsigned int i = 0; i < OTHERS; i++)
		dma_fence_put(others->fences[i]);
}

static void busy_buffer(const struct check_adapter *adapter, enum dma_data_direction dir)
{
	struct dma_buf *dmabuf = bench_export(false);
	struct import in = {};
	struct others others;
	int ret;

	check_at("%s imports a buffer that others read, %s", adapter->name, drive_dir_names[dir]);
	open_import(&in, adapter, dmabuf, dir, 0);
	if (!in.job)
		goto put_buffer;
	job_cpu_writes(in.job);
	others_begin(&others, dmabuf->resv);
	ret = job_access(adapter, &in.import);
	others_gone(&others);
	if (!in.job->faulted && !drive_failed(dmabuf, adapter->name, "access", ret))
		job_settled(&in.import);
	close_import(&in);
put_buffer:
	dma_buf_put(dmabuf);
}

void drive_pairs(const struct check_adapter *adapter)
{
	for (enum dma_data_direction dir = DMA_BIDIRECTIONAL; dir < DMA_NONE && !drive_stuck;
	     dir++) {
		if (!drive_takes(adapter, dir))
			continue;
		two_buffers(adapter, dir);
		two_devices(adapter, dir);
		busy_buffer(adapter, dir);
		for (enum dma_data_direction second = DMA_BIDIRECTIONAL; second < DMA_NONE;
		     second++)
			if (drive_takes(adapter, second) &&
			    (dir == DMA_TO_DEVICE || second == DMA_TO_DEVICE))
				two_directions(adapter, dir, second);
	}
}
