/* SPDX-License-Identifier: MIT */
#include "drivers/importers/importer-rig.h"
#include "drivers/importers/isp.h"

/* isp.h's formula byte by byte. */
static u8 want(const struct picture_plane *plane, const u8 *from, s64 x, s64 y)
{
	const u8 *p = from + plane->offset;
	s64 w = plane->width, right = min(x + 1, w - 1), below = min(y + 1, (s64)plane->height - 1);
	s64 left = max(x - 1, (s64)0), above = max(y - 1, (s64)0);
	int sum = 8 * p[y * w + x] - p[above * w + x] - p[below * w + x] - p[y * w + left] -
		  p[y * w + right];

	sum += 2;
	return clamp(sum < 0 ? 0 : sum / 4, 0, 255);
}

static bool is_sharpened(const struct rig *rig, const u8 *got)
{
	for (unsigned int i = 0; i < rig->picture.planes; i++) {
		const struct picture_plane *plane = &rig->picture.plane[i];

		for (u32 y = 0; y < plane->height; y++)
			for (u32 x = 0; x < plane->width; x++)
				if (got[picture_line(plane, y) + x] !=
				    want(plane, rig->bytes, x, y))
					return false;
	}
	return true;
}

static void sharpen(struct ktap *t, struct rig *rig)
{
	struct dma_buf *dmabuf = system_heap_allocate(rig->picture.bytes);
	struct device_tap tap = {
		.read = kzalloc(rig->picture.bytes, GFP_KERNEL),
		.wrote = kzalloc(rig->picture.bytes, GFP_KERNEL),
	};
	struct isp *isp = isp_create(rig->dev);

	for (u32 seed = 1; seed <= 2; seed++) {
		rig_paint(rig, seed);
		rig_cpu_write(t, rig, dmabuf);
		KT_EQ(t, rig_wait(isp_sharpen(isp, dmabuf, &rig->picture, &tap)), 0);
		KT_CHECK(t, !memcmp(tap.read, rig->bytes, rig->picture.bytes));
		KT_CHECK(t, is_sharpened(rig, tap.wrote));
		rig_cpu_read(t, rig, dmabuf, rig->picture.bytes);
		KT_CHECK(t, is_sharpened(rig, rig->got));
	}
	isp_destroy(isp);
	dma_buf_put(dmabuf);
	kfree(tap.read);
	kfree(tap.wrote);
}

static void sharpens_in_place(struct ktap *t)
{
	rig_everywhere(t, sharpen);
}

static bool sharpen_without_syncs(struct ktap *t, struct rig *rig)
{
	struct dma_buf *dmabuf = system_heap_allocate(rig->picture.bytes);
	struct isp *isp = isp_create(rig->dev);

	rig_cpu_write(t, rig, dmabuf);
	dma_fault_skip_sync(rig->dev, RIG_ALL_SYNCS);
	KT_EQ(t, rig_wait(isp_sharpen(isp, dmabuf, &rig->picture, NULL)), 0);
	rig_cpu_read(t, rig, dmabuf, rig->picture.bytes);
	isp_destroy(isp);
	dma_buf_put(dmabuf);
	return is_sharpened(rig, rig->got);
}

static void wrong_bytes_without_syncs(struct ktap *t)
{
	rig_without_syncs(t, sharpen_without_syncs);
}

/* A line or a column has no neighbours in one direction; 255 beside 0 must be cut off. */
static void edges_and_limits(struct ktap *t)
{
	static const u32 sides[][2] = { { 1, 1 }, { 7, 1 }, { 1, 7 }, { 2, 2 } };
	struct rig rig;
	struct isp *isp;

	rig_init(&rig, &machine_types[0], false);
	isp = isp_create(rig.dev);
	for (size_t i = 0; i < ARRAY_SIZE(sides); i++) {
		struct dma_buf *dmabuf = system_heap_allocate(rig.picture.bytes);

		rig.picture = (struct picture){};
		picture_add_plane(&rig.picture, sides[i][0], sides[i][1]);
		for (size_t at = 0; at < rig.picture.bytes; at++)
			rig.bytes[at] = at & 1 ? 255 : 0;
		rig_cpu_write(t, &rig, dmabuf);
		KT_EQ(t, rig_wait(isp_sharpen(isp, dmabuf, &rig.picture, NULL)), 0);
		rig_cpu_read(t, &rig, dmabuf, rig.picture.bytes);
		KT_CHECK(t, is_sharpened(&rig, rig.got));
		dma_buf_put(dmabuf);
		rig.picture = rig_picture();
	}
	isp_destroy(isp);
	rig_fini(&rig);
}

KTAP_MAIN(KTAP_CASE(sharpens_in_place), KTAP_CASE(wrong_bytes_without_syncs),
	  KTAP_CASE(edges_and_limits))
