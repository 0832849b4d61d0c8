/* SPDX-License-Identifier: MIT */
#include "drivers/importers/camera.h"
#include "drivers/importers/importer-rig.h"

static void shoot_twice(struct ktap *t, struct rig *rig, enum camera_style style)
{
	struct dma_buf *dmabuf = system_heap_allocate(rig->picture.bytes);
	struct camera *camera = camera_create(rig->dev, style);
	u8 *wrote = kzalloc(rig->picture.bytes, GFP_KERNEL);
	struct device_tap tap = { .wrote = wrote };

	for (u32 seed = 1; seed <= 2; seed++) {
		struct dma_fence *fence;

		rig_paint(rig, seed);
		fence = camera_queue(camera, dmabuf, &rig->picture, rig->bytes, &tap);
		/* As in Linux the exporter's callback, which copies slots, precedes the wait. */
		if (dma_buf_get_policy() == DMA_BUF_POLICY_REMAP)
			dma_fence_wait(fence, false);
		rig_cpu_read(t, rig, dmabuf, rig->picture.bytes);
		KT_CHECK(t, !memcmp(rig->got, rig->bytes, rig->picture.bytes));
		KT_EQ(t, rig_wait(fence), 0);
		KT_CHECK(t, !memcmp(wrote, rig->bytes, rig->picture.bytes));
	}
	camera_destroy(camera);
	dma_buf_put(dmabuf);
	kfree(wrote);
}

static void every_style(struct ktap *t, struct rig *rig)
{
	for (unsigned int style = 0; style < CAMERA_STYLES; style++)
		shoot_twice(t, rig, style);
}

static void writes_what_the_cpu_reads(struct ktap *t)
{
	rig_everywhere(t, every_style);
}

static bool shoot_without_syncs(struct ktap *t, struct rig *rig)
{
	struct dma_buf *dmabuf = system_heap_allocate(rig->picture.bytes);
	struct camera *camera = camera_create(rig->dev, CAMERA_JOB);

	dma_fault_skip_sync(rig->dev, RIG_ALL_SYNCS);
	KT_EQ(t, rig_wait(camera_queue(camera, dmabuf, &rig->picture, rig->bytes, NULL)), 0);
	rig_cpu_read(t, rig, dmabuf, rig->picture.bytes);
	camera_destroy(camera);
	dma_buf_put(dmabuf);
	return !memcmp(rig->got, rig->bytes, rig->picture.bytes);
}

static void wrong_bytes_without_syncs(struct ktap *t)
{
	rig_without_syncs(t, shoot_without_syncs);
}

static void destroy_with_pictures_queued(struct ktap *t, struct rig *rig)
{
	for (unsigned int style = 0; style < CAMERA_STYLES; style++) {
		struct camera *camera = camera_create(rig->dev, style);
		struct dma_buf *dmabuf = system_heap_allocate(rig->picture.bytes);

		for (int i = 0; i < 3; i++)
			dma_fence_put(
				camera_queue(camera, dmabuf, &rig->picture, rig->bytes, NULL));
		camera_destroy(camera);
		rig_cpu_read(t, rig, dmabuf, rig->picture.bytes);
		KT_CHECK(t, !memcmp(rig->got, rig->bytes, rig->picture.bytes));
		dma_buf_put(dmabuf);
	}
}

static void finishes_what_is_queued(struct ktap *t)
{
	rig_everywhere(t, destroy_with_pictures_queued);
}

static void refuses_too_small_a_buffer(struct ktap *t)
{
	struct dma_buf *dmabuf = system_heap_allocate(1);
	struct camera *camera;
	struct rig rig;

	rig_init(&rig, &machine_types[0], false);
	camera = camera_create(rig.dev, CAMERA_JOB);
	KT_EQ(t, rig_wait(camera_queue(camera, dmabuf, &rig.picture, rig.bytes, NULL)), -EINVAL);
	camera_destroy(camera);
	dma_buf_put(dmabuf);
	rig_fini(&rig);
}

KTAP_MAIN(KTAP_CASE(writes_what_the_cpu_reads), KTAP_CASE(wrong_bytes_without_syncs),
	  KTAP_CASE(finishes_what_is_queued), KTAP_CASE(refuses_too_small_a_buffer))
