/* SPDX-License-Identifier: MIT */
/*
 * camera.c - a device that writes pictures: static importer, DMA_FROM_DEVICE
 *
 * Invariants
 *   CM1  The mapping may be made before the job's dependencies have signaled, because the camera
 *        writes every byte of the picture and reads none; it ends before the out-fence signals.
 *   CM2  Style `keep` brackets each picture: nobody else could know when its open mapping was
 *        written.
 */
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "dma/engine.h"
#include "drivers/importers/camera.h"
#include "drivers/importers/imports.h"
#include "drivers/job-queue.h"

struct camera {
	struct device *dev;
	enum camera_style style;
	struct job_queue *queue;
	struct imports imports; /* empty with style reimport */
};

struct camera_job {
	struct job job;
	struct camera *camera;
	struct dma_buf_attachment *attach;
	struct sg_table *table;
	struct dma_cursor writing;
	struct picture picture;
	const u8 *sensor;
	struct device_tap tap;
	u8 line[]; /* the device's own memory */
};

const char *const camera_style_names[CAMERA_STYLES] = {
	[CAMERA_JOB] = "job",
	[CAMERA_KEEP] = "keep",
	[CAMERA_REIMPORT] = "reimport",
};

static struct camera_job *to_camera_job(struct job *job)
{
	return container_of(job, struct camera_job, job);
}

/* The sensor is read out line by line, and each line goes to memory at once. */
static int write_picture(struct camera_job *job)
{
	for (unsigned int i = 0; i < job->picture.planes; i++) {
		const struct picture_plane *plane = &job->picture.plane[i];

		for (u32 y = 0; y < plane->height; y++) {
			size_t at = picture_line(plane, y);
			int ret;

			memcpy(job->line, job->sensor + at, plane->width);
			ret = dma_engine_write_from(job->camera->dev, job->table, &job->writing, at,
						    job->line, plane->width);
			if (ret)
				return ret;
			if (job->tap.wrote)
				memcpy(job->tap.wrote + at, job->line, plane->width);
		}
	}
	return 0;
}

static int camera_run(struct job *base)
{
	struct camera_job *job = to_camera_job(base);
	bool keep = job->camera->style == CAMERA_KEEP;
	int ret;

	if (keep)
		dma_buf_begin_access(job->attach, job->table, DMA_FROM_DEVICE);
	ret = write_picture(job);
	if (keep)
		dma_buf_end_access(job->attach, job->table, DMA_FROM_DEVICE);
	return ret;
}

/* Let go of the mapping as the style has it. */
static void unmap_buffer(struct camera_job *job)
{
	struct dma_buf *dmabuf = job->attach->dmabuf;

	switch (job->camera->style) {
	case CAMERA_KEEP:
		break;
	case CAMERA_REIMPORT:
		dma_buf_unmap_attachment_unlocked(job->attach, job->table, DMA_FROM_DEVICE);
		dma_buf_detach(dmabuf, job->attach);
		dma_buf_put(dmabuf);
		break;
	default:
		dma_buf_unmap_attachment_unlocked(job->attach, job->table, DMA_FROM_DEVICE);
	}
}

static void camera_end(struct job *base)
{
	struct camera_job *job = to_camera_job(base);

	unmap_buffer(job);
	kfree(job);
}

static const struct job_ops camera_job_ops = {
	.run = camera_run,
	.end = camera_end,
};

static int map_reimported(struct camera_job *job, struct dma_buf *dmabuf)
{
	job->attach = dma_buf_attach(dmabuf, job->camera->dev);
	if (IS_ERR(job->attach))
		return PTR_ERR(job->attach);
	job->table = dma_buf_map_attachment_unlocked(job->attach, DMA_FROM_DEVICE);
	if (IS_ERR(job->table)) {
		dma_buf_detach(dmabuf, job->attach);
		return PTR_ERR(job->table);
	}
	get_dma_buf(dmabuf);
	return 0;
}

static int map_imported(struct camera_job *job, struct dma_buf *dmabuf)
{
	struct import *import = imports_get(&job->camera->imports, dmabuf);

	if (IS_ERR(import))
		return PTR_ERR(import);
	job->attach = import->attach;
	job->table = import->kept;
	if (job->table)
		return 0;
	job->table = dma_buf_map_attachment_unlocked(job->attach, DMA_FROM_DEVICE);
	if (IS_ERR(job->table))
		return PTR_ERR(job->table);
	if (job->camera->style == CAMERA_KEEP)
		import->kept = job->table;
	return 0;
}

struct dma_fence *camera_queue(struct camera *camera, struct dma_buf *dmabuf,
			       const struct picture *picture, const u8 *sensor,
			       const struct device_tap *tap)
{
	struct dma_fence *fence;
	struct camera_job *job;
	int ret;

	if (picture->bytes > dmabuf->size)
		return ERR_PTR(-EINVAL);
	job = kzalloc(sizeof(*job) + picture_widest(picture), GFP_KERNEL);
	if (!job)
		return ERR_PTR(-ENOMEM);
	job->job.ops = &camera_job_ops;
	job->job.buffer[0] = (struct job_buffer){ .dmabuf = dmabuf, .writes = true };
	job->job.buffers = 1;
	job->camera = camera;
	job->picture = *picture;
	job->sensor = sensor;
	if (tap)
		job->tap = *tap;

	if (camera->style == CAMERA_REIMPORT)
		ret = map_reimported(job, dmabuf);
	else
		ret = map_imported(job, dmabuf);
	if (ret)
		goto free_job;
	fence = job_queue_submit(camera->queue, &job->job);
	if (IS_ERR(fence)) {
		ret = PTR_ERR(fence);
		goto unmap;
	}
	return fence;

unmap:
	unmap_buffer(job);
free_job:
	kfree(job);
	return ERR_PTR(ret);
}

struct camera *camera_create(struct device *dev, enum camera_style style)
{
	struct camera *camera = kzalloc(sizeof(*camera), GFP_KERNEL);
	struct job_queue *queue;

	if (!camera)
		return ERR_PTR(-ENOMEM);
	camera->dev = dev;
	camera->style = style;
	imports_init(&camera->imports, dev, NULL);
	queue = job_queue_create("camera");
	if (IS_ERR(queue)) {
		kfree(camera);
		return ERR_CAST(queue);
	}
	camera->queue = queue;
	return camera;
}

void camera_destroy(struct camera *camera)
{
	job_queue_destroy(camera->queue);
	imports_unmap_kept(&camera->imports, DMA_FROM_DEVICE);
	imports_drop(&camera->imports);
	kfree(camera);
}
