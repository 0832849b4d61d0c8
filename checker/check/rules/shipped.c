/* SPDX-License-Identifier: MIT */
/* shipped.c - the library's own exporters and importers, all that drivers/ has: they keep every rule */
#include "drivers/importers/camera.c"
#include "drivers/importers/encoder.h"
#include "drivers/importers/gpu.h"
#include "drivers/importers/isp.h"

#include <linux/dma-resv.h>

#include "breaks.h"
#include "drivers/exporters/contiguous-heap.h"
#include "drivers/exporters/system-heap.h"
#include "drivers/exporters/vram.h"

static int export_system(struct check_export *buffer)
{
	buffer->dmabuf = system_heap_allocate(buffer->size);
	return PTR_ERR_OR_ZERO(buffer->dmabuf);
}

static int export_contiguous(struct check_export *buffer)
{
	buffer->dmabuf = contiguous_heap_allocate(buffer->size);
	return PTR_ERR_OR_ZERO(buffer->dmabuf);
}

static void put(struct check_export *buffer)
{
	dma_buf_put(buffer->dmabuf);
}

static int export_vram(struct check_export *buffer)
{
	struct vram *vram = vram_create(buffer->dev, 1 << 20);

	if (IS_ERR(vram))
		return PTR_ERR(vram);
	buffer->own = vram;
	buffer->dmabuf = vram_allocate(vram, buffer->size, VRAM_PLACEMENT_SYSTEM, NULL);
	if (IS_ERR(buffer->dmabuf))
		vram_destroy(vram);
	return PTR_ERR_OR_ZERO(buffer->dmabuf);
}

static void put_vram(struct check_export *buffer)
{
	dma_buf_put(buffer->dmabuf);
	vram_destroy(buffer->own);
}

static int vram_access(struct check_export *buffer, bool write, void *bytes)
{
	enum dma_data_direction dir = write ? DMA_FROM_DEVICE : DMA_TO_DEVICE;
	struct dma_buf *dmabuf = buffer->dmabuf;
	int ret;

	dma_resv_lock(dmabuf->resv, NULL);
	ret = vram_begin_access(dmabuf, dir);
	if (ret)
		goto unlock;
	ret = write ? vram_write(dmabuf, 0, bytes, buffer->size)
		    : vram_read(dmabuf, 0, bytes, buffer->size);
	vram_end_access(dmabuf, dir);
unlock:
	dma_resv_unlock(dmabuf->resv);
	return ret;
}

static int move_vram(struct check_export *buffer)
{
	struct dma_buf *dmabuf = buffer->dmabuf;
	int ret;

	dma_resv_lock(dmabuf->resv, NULL);
	ret = vram_move(dmabuf, vram_placement(dmabuf) == VRAM_PLACEMENT_VRAM
					? VRAM_PLACEMENT_SYSTEM
					: VRAM_PLACEMENT_VRAM);
	dma_resv_unlock(dmabuf->resv);
	return ret;
}

/* A picture in a plane that the checker's buffers have room for. */
static void small_picture(struct picture *picture)
{
	*picture = (struct picture){};
	picture_add_plane(picture, 64, 64);
}

static int finish(struct dma_fence *fence)
{
	if (IS_ERR(fence))
		return PTR_ERR(fence);
	dma_fence_wait(fence, false);
	dma_fence_put(fence);
	return 0;
}

static int take_pictures(struct device *dev, struct dma_buf *dmabuf, enum camera_style style)
{
	struct camera *camera = camera_create(dev, style);
	struct picture picture;
	u8 sensor[64 * 64] = {};
	int ret;

	if (IS_ERR(camera))
		return PTR_ERR(camera);
	small_picture(&picture);
	ret = finish(camera_queue(camera, dmabuf, &picture, sensor, NULL));
	if (!ret)
		ret = finish(camera_queue(camera, dmabuf, &picture, sensor, NULL));
	camera_destroy(camera);
	return ret;
}

static int run_camera(struct device *dev, struct dma_buf *dmabuf)
{
	int ret = 0;

	for (enum camera_style style = 0; !ret && style < CAMERA_STYLES; style++)
		ret = take_pictures(dev, dmabuf, style);
	return ret;
}

static int encode(struct device *dev, struct dma_buf *dmabuf, enum encoder_import how)
{
	struct encoder *encoder = encoder_create(dev, how);
	struct picture picture;
	u8 stream[64 * 64];
	int ret;

	if (IS_ERR(encoder))
		return PTR_ERR(encoder);
	small_picture(&picture);
	ret = finish(encoder_encode(encoder, dmabuf, &picture, stream));
	if (!ret)
		ret = finish(encoder_encode(encoder, dmabuf, &picture, stream));
	encoder_destroy(encoder);
	return ret;
}

static int run_encoder(struct device *dev, struct dma_buf *dmabuf)
{
	static const enum encoder_import all[] = { ENCODER_STATIC, ENCODER_PEER, ENCODER_JOB };
	int ret = 0;

	for (size_t i = 0; !ret && i < ARRAY_SIZE(all); i++)
		ret = encode(dev, dmabuf, all[i]);
	return ret;
}

static int run_isp(struct device *dev, struct dma_buf *dmabuf)
{
	struct isp *isp = isp_create(dev);
	struct picture picture;
	int ret;

	if (IS_ERR(isp))
		return PTR_ERR(isp);
	small_picture(&picture);
	ret = finish(isp_sharpen(isp, dmabuf, &picture, NULL));
	isp_destroy(isp);
	return ret;
}

static int scale(struct device *dev, struct dma_buf *from, struct dma_buf *to, bool pulls)
{
	struct gpu *gpu = gpu_create(dev);
	struct picture picture;
	int ret;

	if (IS_ERR(gpu))
		return PTR_ERR(gpu);
	gpu_pull(gpu, pulls);
	small_picture(&picture);
	ret = finish(gpu_scale(gpu, from, to, &picture, NULL));
	if (!ret)
		ret = finish(gpu_scale(gpu, from, to, &picture, NULL));
	gpu_destroy(gpu);
	return ret;
}

/* Its result begins in VRAM or in system memory; its source is the other's, or a buffer of the same. */
static int run_gpu(struct device *dev, struct dma_buf *dmabuf)
{
	struct vram *vram = vram_create(dev, 1 << 20);
	struct dma_buf *own[2];
	int ret;

	if (IS_ERR(vram))
		return PTR_ERR(vram);
	own[0] = vram_allocate(vram, 64 * 64, VRAM_PLACEMENT_VRAM, NULL);
	ret = PTR_ERR_OR_ZERO(own[0]);
	if (ret)
		goto destroy;
	own[1] = vram_allocate(vram, 64 * 64, VRAM_PLACEMENT_SYSTEM, NULL);
	ret = PTR_ERR_OR_ZERO(own[1]);
	if (ret)
		goto put_first;
	ret = scale(dev, dmabuf, own[0], false);
	if (!ret)
		ret = scale(dev, own[0], own[1], true);
	dma_buf_put(own[1]);
put_first:
	dma_buf_put(own[0]);
destroy:
	vram_destroy(vram);
	return ret;
}

DMABUF_CHECK({ .name = "system-heap", .export = export_system, .release = put },
	     { .name = "contiguous-heap", .export = export_contiguous, .release = put },
	     { .name = "vram",
	       .export = export_vram,
	       .own_access = vram_access,
	       .move = move_vram,
	       .release = put_vram },
	     { .name = "camera", .run = run_camera }, { .name = "encoder", .run = run_encoder },
	     { .name = "isp", .run = run_isp }, { .name = "gpu", .run = run_gpu });
