/* SPDX-License-Identifier: MIT */
/*
 * encoder.c - a device that takes pictures out: DMA_TO_DEVICE
 *
 * Invariants
 *   EN1  A mapping is made and exchanged in prepare() only: until the job's fence has signaled the
 *        buffer stays where it was then (J6), and the jobs of an older place have ended.
 *   EN2  It is made before the job's dependencies have signaled, so each job brackets its access.
 *   EN3  Told that the buffer moves, it lets go of a mapping that no job uses: nobody need wait for
 *        the next picture.
 *   EN4  What is mapped for one job is mapped before the job's fence is in the reservation and
 *        unmapped before that signals.
 */
#include <linux/device.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "dma/engine.h"
#include "drivers/importers/encoder.h"
#include "drivers/importers/imports.h"
#include "drivers/job-queue.h"

struct encoder {
	struct device *dev;
	enum encoder_import how;
	struct job_queue *queue;
	struct imports imports;
};

struct encoder_job {
	struct job job;
	struct encoder *encoder;
	struct import *import;
	struct sg_table *table;
	bool counted; /* in import->jobs */
	struct picture picture;
	u8 *stream;
};

static int read_plane(struct encoder_job *job, const struct sg_table *table,
		      struct dma_cursor *cursor, const struct picture_plane *plane)
{
	for (u32 y = 0; y < plane->height; y++) {
		size_t at = picture_line(plane, y);
		int ret = dma_engine_read_from(job->encoder->dev, table, cursor, at,
					       job->stream + at, plane->width);

		if (ret)
			return ret;
	}
	return 0;
}

static bool is_one_segment(struct device *dev, const struct sg_table *table, size_t bytes)
{
	if (table->nents == 1 && sg_dma_len(table->sgl) >= bytes)
		return true;
	dev_err(dev,
		"a picture of %zu bytes comes in %u segments, the first of %u bytes: one "
		"is needed\n",
		bytes, table->nents, sg_dma_len(table->sgl));
	return false;
}

static struct sg_table *keep_mapping(struct import *import)
{
	dma_resv_assert_held(import->attach->dmabuf->resv);
	if (import->kept && import->moved) {
		dma_buf_unmap_attachment(import->attach, import->kept, DMA_TO_DEVICE);
		import->kept = NULL;
	}
	if (!import->kept) {
		struct sg_table *table = dma_buf_map_attachment(import->attach, DMA_TO_DEVICE);

		if (IS_ERR(table))
			return table;
		import->kept = table;
		/* The map itself may have made it move. */
		import->moved = false;
	}
	return import->kept;
}

static int encoder_prepare(struct job *base)
{
	struct encoder_job *job = container_of(base, struct encoder_job, job);

	if (job->encoder->how != ENCODER_JOB)
		job->table = keep_mapping(job->import);
	if (IS_ERR(job->table))
		return PTR_ERR(job->table);
	atomic_inc(&job->import->jobs);
	job->counted = true;
	return is_one_segment(job->encoder->dev, job->table, job->picture.bytes) ? 0 : -EINVAL;
}

static int encoder_run(struct job *base)
{
	struct encoder_job *job = container_of(base, struct encoder_job, job);
	struct dma_buf_attachment *attach = job->import->attach;
	struct dma_cursor cursor = {};
	int ret = 0;

	dma_buf_begin_access(attach, job->table, DMA_TO_DEVICE);
	for (unsigned int i = 0; !ret && i < job->picture.planes; i++)
		ret = read_plane(job, job->table, &cursor, &job->picture.plane[i]);
	dma_buf_end_access(attach, job->table, DMA_TO_DEVICE);
	return ret;
}

/* Also of a job that was not submitted. */
static void encoder_job_free(struct encoder_job *job)
{
	if (job->encoder->how == ENCODER_JOB && !IS_ERR_OR_NULL(job->table))
		dma_buf_unmap_attachment_unlocked(job->import->attach, job->table, DMA_TO_DEVICE);
	if (job->counted)
		atomic_fetch_sub_release(
			1, &job->import->jobs); /* what it read before, who moves may unmap */
	kfree(job);
}

static void encoder_end(struct job *base)
{
	encoder_job_free(container_of(base, struct encoder_job, job));
}

static const struct job_ops encoder_job_ops = {
	.prepare = encoder_prepare,
	.run = encoder_run,
	.end = encoder_end,
};

/* EN3 */
static void encoder_move_notify(struct dma_buf_attachment *attach)
{
	struct import *import = attach->importer_priv;

	dma_resv_assert_held(attach->dmabuf->resv);
	import->moved = true;
	if (!import->kept || atomic_read_acquire(&import->jobs))
		return;
	dma_buf_unmap_attachment(attach, import->kept, DMA_TO_DEVICE);
	import->kept = NULL;
}

static const struct dma_buf_attach_ops encoder_peer_ops = {
	.allow_peer2peer = true,
	.move_notify = encoder_move_notify,
};

struct dma_fence *encoder_encode(struct encoder *encoder, struct dma_buf *dmabuf,
				 const struct picture *picture, u8 *stream)
{
	struct encoder_job *job;
	struct dma_fence *fence;
	struct import *import;

	if (picture->bytes > dmabuf->size)
		return ERR_PTR(-EINVAL);
	import = imports_get(&encoder->imports, dmabuf);
	if (IS_ERR(import))
		return ERR_CAST(import);
	job = kzalloc(sizeof(*job), GFP_KERNEL);
	if (!job)
		return ERR_PTR(-ENOMEM);
	job->job.ops = &encoder_job_ops;
	job->job.buffer[0] = (struct job_buffer){ .dmabuf = dmabuf, .reads = true };
	job->job.buffers = 1;
	job->encoder = encoder;
	job->import = import;
	job->picture = *picture;
	job->stream = stream;

	if (encoder->how == ENCODER_JOB)
		job->table = dma_buf_map_attachment_unlocked(import->attach, DMA_TO_DEVICE);
	fence = job_queue_submit(encoder->queue, &job->job);
	if (IS_ERR(fence))
		encoder_job_free(job);
	return fence;
}

struct encoder *encoder_create(struct device *dev, enum encoder_import how)
{
	struct encoder *encoder = kzalloc(sizeof(*encoder), GFP_KERNEL);
	struct job_queue *queue;

	if (!encoder)
		return ERR_PTR(-ENOMEM);
	encoder->dev = dev;
	encoder->how = how;
	imports_init(&encoder->imports, dev, how == ENCODER_PEER ? &encoder_peer_ops : NULL);
	queue = job_queue_create("encoder");
	if (IS_ERR(queue)) {
		kfree(encoder);
		return ERR_CAST(queue);
	}
	encoder->queue = queue;
	return encoder;
}

void encoder_destroy(struct encoder *encoder)
{
	job_queue_destroy(encoder->queue);
	imports_unmap_kept(&encoder->imports, DMA_TO_DEVICE);
	imports_drop(&encoder->imports);
	kfree(encoder);
}
