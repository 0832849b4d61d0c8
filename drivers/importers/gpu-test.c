/* SPDX-License-Identifier: MIT */
#include "drivers/importers/gpu.h"
#include "drivers/importers/importer-rig.h"

/* gpu.h's formula byte by byte. */
static u8 want(const struct picture_plane *plane, const u8 *from, u32 x, u32 y)
{
	const u8 *p = from + plane->offset;
	size_t w = plane->width;
	u32 right = min(2 * x + 1, plane->width - 1), below = min(2 * y + 1, plane->height - 1);

	return (p[2 * y * w + 2 * x] + p[2 * y * w + right] + p[below * w + 2 * x] +
		p[below * w + right] + 2) /
	       4;
}

static bool is_half(const struct rig *rig, const u8 *got)
{
	for (unsigned int i = 0; i < rig->half.planes; i++) {
		const struct picture_plane *plane = &rig->half.plane[i];

		for (u32 y = 0; y < plane->height; y++)
			for (u32 x = 0; x < plane->width; x++)
				if (got[picture_line(plane, y) + x] !=
				    want(&rig->picture.plane[i], rig->bytes, x, y))
					return false;
	}
	return true;
}

static void scale(struct ktap *t, struct rig *rig)
{
	struct dma_buf *from = system_heap_allocate(rig->picture.bytes);
	struct dma_buf *to = system_heap_allocate(rig->half.bytes);
	struct device_tap tap = {
		.read = kzalloc(rig->picture.bytes, GFP_KERNEL),
		.wrote = kzalloc(rig->half.bytes, GFP_KERNEL),
	};
	struct gpu *gpu = gpu_create(rig->dev);

	for (u32 seed = 1; seed <= 2; seed++) {
		rig_paint(rig, seed);
		rig_cpu_write(t, rig, from);
		KT_EQ(t, rig_wait(gpu_scale(gpu, from, to, &rig->picture, &tap)), 0);
		KT_CHECK(t, !memcmp(tap.read, rig->bytes, rig->picture.bytes));
		KT_CHECK(t, is_half(rig, tap.wrote));
		rig_cpu_read(t, rig, to, rig->half.bytes);
		KT_CHECK(t, is_half(rig, rig->got));
	}
	gpu_destroy(gpu);
	dma_buf_put(from);
	dma_buf_put(to);
	kfree(tap.read);
	kfree(tap.wrote);
}

static void scales_to_half(struct ktap *t)
{
	rig_everywhere(t, scale);
}

static bool scale_without_syncs(struct ktap *t, struct rig *rig)
{
	struct dma_buf *from = system_heap_allocate(rig->picture.bytes);
	struct dma_buf *to = system_heap_allocate(rig->half.bytes);
	struct gpu *gpu = gpu_create(rig->dev);

	rig_cpu_write(t, rig, from);
	dma_fault_skip_sync(rig->dev, RIG_ALL_SYNCS);
	KT_EQ(t, rig_wait(gpu_scale(gpu, from, to, &rig->picture, NULL)), 0);
	rig_cpu_read(t, rig, to, rig->half.bytes);
	gpu_destroy(gpu);
	dma_buf_put(from);
	dma_buf_put(to);
	return is_half(rig, rig->got);
}

static void wrong_bytes_without_syncs(struct ktap *t)
{
	rig_without_syncs(t, scale_without_syncs);
}

static void refuses_bad_pairs(struct ktap *t)
{
	struct dma_buf *small = system_heap_allocate(1), *large;
	struct gpu *gpu;
	struct rig rig;

	rig_init(&rig, &machine_types[0], false);
	large = system_heap_allocate(rig.picture.bytes);
	gpu = gpu_create(rig.dev);
	KT_EQ(t, rig_wait(gpu_scale(gpu, small, large, &rig.picture, NULL)), -EINVAL);
	KT_EQ(t, rig_wait(gpu_scale(gpu, large, large, &rig.picture, NULL)), -EINVAL);
	gpu_destroy(gpu);
	dma_buf_put(small);
	dma_buf_put(large);
	rig_fini(&rig);
}

KTAP_MAIN(KTAP_CASE(scales_to_half), KTAP_CASE(wrong_bytes_without_syncs),
	  KTAP_CASE(refuses_bad_pairs))
