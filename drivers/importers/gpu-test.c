/* SPDX-License-Identifier: MIT */
#include <linux/iosys-map.h>
#include <linux/mm.h>

#include "drivers/exporters/vram.h"
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

/* The CPU reads @to into rig->got, wherever it is. */
static void read_result(struct ktap *t, struct rig *rig, struct dma_buf *to)
{
	struct iosys_map map;

	KT_EQ(t, dma_buf_vmap_unlocked(to, &map), 0);
	KT_EQ(t, dma_buf_begin_cpu_access(to, DMA_FROM_DEVICE), 0);
	iosys_map_memcpy_from(rig->got, &map, 0, rig->half.bytes);
	KT_EQ(t, dma_buf_end_cpu_access(to, DMA_FROM_DEVICE), 0);
	dma_buf_vunmap_unlocked(to, &map);
}

static void scale_into(struct ktap *t, struct rig *rig, enum vram_placement where)
{
	struct vram *vram = vram_create(rig->dev, PAGE_ALIGN(rig->half.bytes));
	struct dma_buf *from = system_heap_allocate(rig->picture.bytes);
	struct dma_buf *to = vram_allocate(vram, rig->half.bytes, where, NULL);
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
		KT_EQ(t, vram_placement(to), where);
		read_result(t, rig, to);
		KT_CHECK(t, is_half(rig, rig->got));
	}
	gpu_destroy(gpu);
	dma_buf_put(from);
	dma_buf_put(to);
	vram_destroy(vram);
	kfree(tap.read);
	kfree(tap.wrote);
}

static void scale(struct ktap *t, struct rig *rig)
{
	scale_into(t, rig, VRAM_PLACEMENT_VRAM);
	scale_into(t, rig, VRAM_PLACEMENT_SYSTEM);
}

static void scales_to_half(struct ktap *t)
{
	rig_everywhere(t, scale);
}

static bool scale_without_syncs(struct ktap *t, struct rig *rig)
{
	struct vram *vram = vram_create(rig->dev, PAGE_ALIGN(rig->half.bytes));
	struct dma_buf *from = system_heap_allocate(rig->picture.bytes);
	struct dma_buf *to = vram_allocate(vram, rig->half.bytes, VRAM_PLACEMENT_VRAM, NULL);
	struct gpu *gpu = gpu_create(rig->dev);

	rig_cpu_write(t, rig, from);
	dma_fault_skip_sync(rig->dev, RIG_ALL_SYNCS);
	KT_EQ(t, rig_wait(gpu_scale(gpu, from, to, &rig->picture, NULL)), 0);
	read_result(t, rig, to);
	gpu_destroy(gpu);
	dma_buf_put(from);
	dma_buf_put(to);
	vram_destroy(vram);
	return is_half(rig, rig->got);
}

static void wrong_bytes_without_syncs(struct ktap *t)
{
	rig_without_syncs(t, scale_without_syncs);
}

static void refuses_bad_pairs(struct ktap *t)
{
	struct dma_buf *small = system_heap_allocate(1), *large, *own_small, *own, *foreign;
	struct vram *vram, *foreign_vram;
	struct device *other;
	struct gpu *gpu;
	struct rig rig;

	rig_init(&rig, &machine_types[0], false);
	other = machine_add_device(rig.machine, "other", true);
	vram = vram_create(rig.dev, 1 << 20);
	foreign_vram = vram_create(other, 1 << 20);
	large = system_heap_allocate(rig.picture.bytes);
	own = vram_allocate(vram, rig.picture.bytes, VRAM_PLACEMENT_VRAM, NULL);
	own_small = vram_allocate(vram, 1, VRAM_PLACEMENT_VRAM, NULL);
	foreign = vram_allocate(foreign_vram, rig.picture.bytes, VRAM_PLACEMENT_VRAM, NULL);
	gpu = gpu_create(rig.dev);
	KT_EQ(t, rig_wait(gpu_scale(gpu, large, own, &rig.picture, NULL)), 0);
	KT_EQ(t, rig_wait(gpu_scale(gpu, small, own, &rig.picture, NULL)), -EINVAL);
	KT_CHECK(t,
		 rig.half.bytes <= own_small->size ||
			 rig_wait(gpu_scale(gpu, large, own_small, &rig.picture, NULL)) == -EINVAL);
	KT_EQ(t, rig_wait(gpu_scale(gpu, large, large, &rig.picture, NULL)), -EINVAL);
	KT_EQ(t, rig_wait(gpu_scale(gpu, large, foreign, &rig.picture, NULL)), -EINVAL);
	KT_EQ(t, rig_wait(gpu_scale(gpu, foreign, own, &rig.picture, NULL)), -EINVAL);
	KT_EQ(t, rig_wait(gpu_scale(gpu, own, own, &rig.picture, NULL)), -EINVAL);
	gpu_destroy(gpu);
	dma_buf_put(small);
	dma_buf_put(large);
	dma_buf_put(own);
	dma_buf_put(own_small);
	dma_buf_put(foreign);
	vram_destroy(vram);
	vram_destroy(foreign_vram);
	machine_remove_device(other);
	rig_fini(&rig);
}

KTAP_MAIN(KTAP_CASE(scales_to_half), KTAP_CASE(wrong_bytes_without_syncs),
	  KTAP_CASE(refuses_bad_pairs))
