/* SPDX-License-Identifier: MIT */
/*
 * gpu.c - a device that scales: dynamic importer, writes into its own buffers
 *
 * Invariants
 *   GP1  A mapping lives within one job and is made on the way to its fence, for which whoever
 *        moves a buffer waits (J5): so a buffer that can move is not imported, but for its own.
 *   GP2  A dynamic importer waits for KERNEL fences itself: they are among every job's
 *        dependencies.
 *   GP3  Its own buffers it accesses where they are when the job is submitted: a later move copies
 *        what the job wrote (VR2).
 */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "dma/engine.h"
#include "drivers/exporters/vram.h"
#include "drivers/importers/gpu.h"
#include "drivers/importers/imports.h"
#include "drivers/job-queue.h"

struct gpu {
	struct device *dev;
	struct job_queue *queue;
	struct imports imports;
	bool pulls;
};

struct gpu_job {
	struct job job;
	struct gpu *gpu;
	struct dma_buf_attachment *from_attach; /* NULL: the buffer is its own */
	struct sg_table *from_table;
	struct dma_cursor reading;
	struct vram_access source, into; /* source: when it is its own */
	struct picture from, to;
	struct device_tap tap;

	/* the device's own memory */
	u8 *row[2];
	u8 *result;
	u8 memory[];
};

static int fetch_row(struct gpu_job *job, const struct picture_plane *plane, u32 y, u8 *row)
{
	size_t at = picture_line(plane, y);
	int ret;

	if (job->from_attach)
		ret = dma_engine_read_from(job->gpu->dev, job->from_table, &job->reading, at, row,
					   plane->width);
	else
		ret = vram_access_read(&job->source, at, row, plane->width);
	if (!ret && job->tap.read)
		memcpy(job->tap.read + at, row, plane->width);
	return ret;
}

static int store_row(struct gpu_job *job, const struct picture_plane *plane, u32 y)
{
	size_t at = picture_line(plane, y);

	if (job->tap.wrote)
		memcpy(job->tap.wrote + at, job->result, plane->width);
	return vram_access_write(&job->into, at, job->result, plane->width);
}

/* Sums columns first, so that a missing right column is the left one twice. */
static void average_rows(u8 *result, const u8 *upper, const u8 *lower, u32 width)
{
	u32 x;

	for (x = 0; x + 1 < width; x += 2) {
		unsigned int first = upper[x] + lower[x], second = upper[x + 1] + lower[x + 1];

		*result++ = (first + second + 2) / 4;
	}
	if (x < width)
		*result = (2 * (upper[x] + lower[x]) + 2) / 4;
}

static int scale_plane(struct gpu_job *job, const struct picture_plane *from,
		       const struct picture_plane *to)
{
	for (u32 y = 0; y < to->height; y++) {
		const u8 *lower = job->row[0];
		int ret = fetch_row(job, from, 2 * y, job->row[0]);

		if (!ret && 2 * y + 1 < from->height) {
			ret = fetch_row(job, from, 2 * y + 1, job->row[1]);
			lower = job->row[1];
		}
		if (ret)
			return ret;
		average_rows(job->result, job->row[0], lower, from->width);
		ret = store_row(job, to, y);
		if (ret)
			return ret;
	}
	return 0;
}

/* GP3 */
static int gpu_prepare(struct job *base)
{
	struct gpu_job *job = container_of(base, struct gpu_job, job);
	bool pulls = job->gpu->pulls;

	if (!job->from_attach)
		vram_access_prepare(&job->source, base->buffer[0].dmabuf, DMA_TO_DEVICE, pulls);
	vram_access_prepare(&job->into, base->buffer[1].dmabuf, DMA_FROM_DEVICE, pulls);
	return 0;
}

static int begin_reading(struct gpu_job *job)
{
	if (!job->from_attach)
		return vram_access_begin(&job->source);
	job->from_table = dma_buf_map_attachment_unlocked(job->from_attach, DMA_TO_DEVICE);
	return PTR_ERR_OR_ZERO(job->from_table);
}

static void end_reading(struct gpu_job *job)
{
	if (!job->from_attach)
		vram_access_end(&job->source);
	else
		dma_buf_unmap_attachment_unlocked(job->from_attach, job->from_table, DMA_TO_DEVICE);
}

static int gpu_run(struct job *base)
{
	struct gpu_job *job = container_of(base, struct gpu_job, job);
	int ret;

	ret = begin_reading(job);
	if (ret)
		return ret;
	ret = vram_access_begin(&job->into);
	if (ret)
		goto end_reading;
	for (unsigned int i = 0; !ret && i < job->from.planes; i++)
		ret = scale_plane(job, &job->from.plane[i], &job->to.plane[i]);
	vram_access_end(&job->into);
end_reading:
	end_reading(job);
	return ret;
}

/* Also of a job that was prepared and then not submitted. */
static void gpu_job_free(struct gpu_job *job)
{
	if (job->source.place)
		vram_access_done(&job->source);
	if (job->into.place)
		vram_access_done(&job->into);
	kfree(job);
}

static void gpu_end(struct job *base)
{
	gpu_job_free(container_of(base, struct gpu_job, job));
}

static const struct job_ops gpu_job_ops = {
	.prepare = gpu_prepare,
	.run = gpu_run,
	.end = gpu_end,
};

/* GP1: nothing to drop. */
static void gpu_move_notify(struct dma_buf_attachment *attach)
{
	dma_resv_assert_held(attach->dmabuf->resv);
}

static const struct dma_buf_attach_ops gpu_attach_ops = {
	.move_notify = gpu_move_notify,
};

struct dma_fence *gpu_scale(struct gpu *gpu, struct dma_buf *from, struct dma_buf *to,
			    const struct picture *picture, const struct device_tap *tap)
{
	size_t widest = picture_widest(picture);
	bool own = vram_owner(from) == gpu->dev;
	struct import *import = NULL;
	struct dma_fence *fence;
	struct gpu_job *job;
	struct picture half;

	picture_half(picture, &half);
	if (from == to || (dma_buf_is_dynamic(from) && !own) || vram_owner(to) != gpu->dev ||
	    picture->bytes > from->size || half.bytes > to->size)
		return ERR_PTR(-EINVAL);
	if (!own)
		import = imports_get(&gpu->imports, from);
	if (IS_ERR(import))
		return ERR_CAST(import);
	job = kzalloc(sizeof(*job) + 3 * widest, GFP_KERNEL);
	if (!job)
		return ERR_PTR(-ENOMEM);
	job->job.ops = &gpu_job_ops;
	job->job.buffer[0] = (struct job_buffer){ .dmabuf = from, .reads = true };
	job->job.buffer[1] = (struct job_buffer){ .dmabuf = to, .writes = true };
	job->job.buffers = 2;
	job->gpu = gpu;
	job->from_attach = import ? import->attach : NULL;
	job->from = *picture;
	job->to = half;
	if (tap)
		job->tap = *tap;
	job->row[0] = job->memory;
	job->row[1] = job->memory + widest;
	job->result = job->memory + 2 * widest;

	fence = job_queue_submit(gpu->queue, &job->job);
	if (IS_ERR(fence))
		gpu_job_free(job);
	return fence;
}

void gpu_pull(struct gpu *gpu, bool pulls)
{
	gpu->pulls = pulls;
}

struct gpu *gpu_create(struct device *dev)
{
	struct gpu *gpu = kzalloc(sizeof(*gpu), GFP_KERNEL);
	struct job_queue *queue;

	if (!gpu)
		return ERR_PTR(-ENOMEM);
	gpu->dev = dev;
	imports_init(&gpu->imports, dev, &gpu_attach_ops);
	queue = job_queue_create("gpu");
	if (IS_ERR(queue)) {
		kfree(gpu);
		return ERR_CAST(queue);
	}
	gpu->queue = queue;
	return gpu;
}

void gpu_destroy(struct gpu *gpu)
{
	job_queue_destroy(gpu->queue);
	imports_drop(&gpu->imports);
	kfree(gpu);
}
