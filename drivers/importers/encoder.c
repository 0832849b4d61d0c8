/* SPDX-License-Identifier: MIT */
/*
 * encoder.c - a device that takes pictures out: static importer, DMA_TO_DEVICE
 */
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/slab.h>

#include "dma/engine.h"
#include "drivers/importers/encoder.h"
#include "drivers/importers/imports.h"
#include "drivers/job-queue.h"

struct encoder {
	struct device *dev;
	struct job_queue *queue;
	struct imports imports;
};

struct encoder_job {
	struct job job;
	struct encoder *encoder;
	struct dma_buf_attachment *attach;
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

static int encoder_run(struct job *base)
{
	struct encoder_job *job = container_of(base, struct encoder_job, job);
	struct sg_table *table = dma_buf_map_attachment_unlocked(job->attach, DMA_TO_DEVICE);
	struct dma_cursor cursor = {};
	int ret = 0;

	if (IS_ERR(table))
		return PTR_ERR(table);
	for (unsigned int i = 0; !ret && i < job->picture.planes; i++)
		ret = read_plane(job, table, &cursor, &job->picture.plane[i]);
	dma_buf_unmap_attachment_unlocked(job->attach, table, DMA_TO_DEVICE);
	return ret;
}

static void encoder_end(struct job *base)
{
	kfree(container_of(base, struct encoder_job, job));
}

static const struct job_ops encoder_job_ops = {
	.run = encoder_run,
	.end = encoder_end,
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
	job->attach = import->attach;
	job->picture = *picture;
	job->stream = stream;

	fence = job_queue_submit(encoder->queue, &job->job);
	if (IS_ERR(fence))
		kfree(job);
	return fence;
}

struct encoder *encoder_create(struct device *dev)
{
	struct encoder *encoder = kzalloc(sizeof(*encoder), GFP_KERNEL);
	struct job_queue *queue;

	if (!encoder)
		return ERR_PTR(-ENOMEM);
	encoder->dev = dev;
	imports_init(&encoder->imports, dev, NULL);
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
	imports_drop(&encoder->imports);
	kfree(encoder);
}
