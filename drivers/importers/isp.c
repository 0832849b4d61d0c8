/* SPDX-License-Identifier: MIT */
/*
 * isp.c - an image signal processor: static importer, DMA_BIDIRECTIONAL
 *
 * Invariants
 *   IS1  Three lines of the device's own memory hold what was read, and a line is written only
 *        after its lower neighbour has been read: in place is safe.
 *   IS2  A buffer that can move is mapped before the job's fence is in its reservation, for the copy
 *        of a move that comes later waits for that fence (J7); then the job brackets its access.
 */
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "dma/engine.h"
#include "drivers/importers/imports.h"
#include "drivers/importers/isp.h"
#include "drivers/job-queue.h"

#define ISP_LINES 3

struct isp {
	struct device *dev;
	struct job_queue *queue;
	struct imports imports;
};

struct isp_job {
	struct job job;
	struct isp *isp;
	struct dma_buf_attachment *attach;
	struct sg_table *table;
	struct dma_cursor reading, writing;
	struct picture picture;
	struct device_tap tap;

	/* the device's own memory */
	u8 *line[ISP_LINES]; /* line y of a plane is line[y % ISP_LINES] */
	u8 *result;
	u8 memory[];
};

static int read_line(struct isp_job *job, const struct picture_plane *plane, u32 y)
{
	size_t at = picture_line(plane, y);
	u8 *line = job->line[y % ISP_LINES];
	int ret = dma_engine_read_from(job->isp->dev, job->table, &job->reading, at, line,
				       plane->width);

	if (!ret && job->tap.read)
		memcpy(job->tap.read + at, line, plane->width);
	return ret;
}

static int write_line(struct isp_job *job, const struct picture_plane *plane, u32 y)
{
	size_t at = picture_line(plane, y);

	if (job->tap.wrote)
		memcpy(job->tap.wrote + at, job->result, plane->width);
	return dma_engine_write_from(job->isp->dev, job->table, &job->writing, at, job->result,
				     plane->width);
}

/* The neighbours to the left and right come from a window that slides along the line. */
static void sharpen_line(u8 *result, const u8 *above, const u8 *line, const u8 *below, u32 width)
{
	int left = line[0], here = line[0];

	for (u32 x = 0; x < width; x++) {
		int right = x + 1 < width ? line[x + 1] : here;
		int sum = 2 + (here << 3) - above[x] - below[x] - left - right;

		result[x] = sum <= 0 ? 0 : min(sum >> 2, 255);
		left = here;
		here = right;
	}
}

static int sharpen_plane(struct isp_job *job, const struct picture_plane *plane)
{
	int ret = read_line(job, plane, 0);

	for (u32 y = 0; !ret && y < plane->height; y++) {
		u32 above = y ? y - 1 : 0, below = min(y + 1, plane->height - 1);

		if (below != y)
			ret = read_line(job, plane, below);
		if (ret)
			break;
		sharpen_line(job->result, job->line[above % ISP_LINES], job->line[y % ISP_LINES],
			     job->line[below % ISP_LINES], plane->width);
		ret = write_line(job, plane, y);
	}
	return ret;
}

/* IS2 */
static bool maps_before(const struct isp_job *job)
{
	return dma_buf_is_dynamic(job->attach->dmabuf);
}

static int begin_access(struct isp_job *job)
{
	if (maps_before(job)) {
		dma_buf_begin_access(job->attach, job->table, DMA_BIDIRECTIONAL);
		return 0;
	}
	job->table = dma_buf_map_attachment_unlocked(job->attach, DMA_BIDIRECTIONAL);
	return PTR_ERR_OR_ZERO(job->table);
}

static void end_access(struct isp_job *job)
{
	if (maps_before(job))
		dma_buf_end_access(job->attach, job->table, DMA_BIDIRECTIONAL);
	else
		dma_buf_unmap_attachment_unlocked(job->attach, job->table, DMA_BIDIRECTIONAL);
}

static int isp_run(struct job *base)
{
	struct isp_job *job = container_of(base, struct isp_job, job);
	int ret = begin_access(job);

	if (ret)
		return ret;
	for (unsigned int i = 0; !ret && i < job->picture.planes; i++)
		ret = sharpen_plane(job, &job->picture.plane[i]);
	end_access(job);
	return ret;
}

/* Also of a job that was not submitted. */
static void isp_job_free(struct isp_job *job)
{
	if (maps_before(job))
		dma_buf_unmap_attachment_unlocked(job->attach, job->table, DMA_BIDIRECTIONAL);
	kfree(job);
}

static void isp_end(struct job *base)
{
	isp_job_free(container_of(base, struct isp_job, job));
}

static const struct job_ops isp_job_ops = {
	.run = isp_run,
	.end = isp_end,
};

struct dma_fence *isp_sharpen(struct isp *isp, struct dma_buf *dmabuf,
			      const struct picture *picture, const struct device_tap *tap)
{
	size_t widest = picture_widest(picture);
	struct dma_fence *fence;
	struct import *import;
	struct isp_job *job;

	if (picture->bytes > dmabuf->size)
		return ERR_PTR(-EINVAL);
	import = imports_get(&isp->imports, dmabuf);
	if (IS_ERR(import))
		return ERR_CAST(import);
	job = kzalloc(sizeof(*job) + (ISP_LINES + 1) * widest, GFP_KERNEL);
	if (!job)
		return ERR_PTR(-ENOMEM);
	job->job.ops = &isp_job_ops;
	job->job.buffer[0] = (struct job_buffer){ .dmabuf = dmabuf, .reads = true, .writes = true };
	job->job.buffers = 1;
	job->isp = isp;
	job->attach = import->attach;
	job->picture = *picture;
	if (tap)
		job->tap = *tap;
	for (unsigned int i = 0; i < ISP_LINES; i++)
		job->line[i] = job->memory + i * widest;
	job->result = job->memory + ISP_LINES * widest;

	if (maps_before(job)) {
		job->table = dma_buf_map_attachment_unlocked(job->attach, DMA_BIDIRECTIONAL);
		if (IS_ERR(job->table)) {
			fence = ERR_CAST(job->table);
			kfree(job);
			return fence;
		}
	}
	fence = job_queue_submit(isp->queue, &job->job);
	if (IS_ERR(fence))
		isp_job_free(job);
	return fence;
}

struct isp *isp_create(struct device *dev)
{
	struct isp *isp = kzalloc(sizeof(*isp), GFP_KERNEL);
	struct job_queue *queue;

	if (!isp)
		return ERR_PTR(-ENOMEM);
	isp->dev = dev;
	imports_init(&isp->imports, dev, NULL);
	queue = job_queue_create("isp");
	if (IS_ERR(queue)) {
		kfree(isp);
		return ERR_CAST(queue);
	}
	isp->queue = queue;
	return isp;
}

void isp_destroy(struct isp *isp)
{
	job_queue_destroy(isp->queue);
	imports_drop(&isp->imports);
	kfree(isp);
}
