/* SPDX-License-Identifier: MIT */
#include <linux/dma-resv.h>

#include "drivers/exporters/contiguous-heap.h"
#include "drivers/exporters/vram.h"
#include "drivers/importers/encoder.h"
#include "drivers/importers/importer-rig.h"

static void encode(struct ktap *t, struct rig *rig)
{
	struct dma_buf *dmabuf = contiguous_heap_allocate(rig->picture.bytes);
	struct encoder *encoder = encoder_create(rig->dev, ENCODER_STATIC);

	for (u32 seed = 1; seed <= 2; seed++) {
		rig_paint(rig, seed);
		rig_cpu_write(t, rig, dmabuf);
		KT_EQ(t, rig_wait(encoder_encode(encoder, dmabuf, &rig->picture, rig->got)), 0);
		KT_CHECK(t, !memcmp(rig->got, rig->bytes, rig->picture.bytes));
	}
	encoder_destroy(encoder);
	dma_buf_put(dmabuf);
}

static void reads_what_the_cpu_wrote(struct ktap *t)
{
	rig_everywhere(t, encode);
}

static bool encode_without_syncs(struct ktap *t, struct rig *rig)
{
	struct dma_buf *dmabuf = contiguous_heap_allocate(rig->picture.bytes);
	struct encoder *encoder = encoder_create(rig->dev, ENCODER_STATIC);

	rig_cpu_write(t, rig, dmabuf);
	dma_fault_skip_sync(rig->dev, RIG_ALL_SYNCS);
	KT_EQ(t, rig_wait(encoder_encode(encoder, dmabuf, &rig->picture, rig->got)), 0);
	encoder_destroy(encoder);
	dma_buf_put(dmabuf);
	return !memcmp(rig->got, rig->bytes, rig->picture.bytes);
}

static void wrong_bytes_without_syncs(struct ktap *t)
{
	rig_without_syncs(t, encode_without_syncs);
}

/* A second reader of the same picture, and a buffer the device has not seen. */
static void several_buffers(struct ktap *t, struct rig *rig)
{
	struct encoder *encoder = encoder_create(rig->dev, ENCODER_STATIC);
	struct dma_buf *dmabuf[3];

	for (size_t i = 0; i < ARRAY_SIZE(dmabuf); i++) {
		dmabuf[i] = contiguous_heap_allocate(rig->picture.bytes);
		rig_paint(rig, i);
		rig_cpu_write(t, rig, dmabuf[i]);
	}
	for (size_t i = 0; i < 2 * ARRAY_SIZE(dmabuf); i++) {
		size_t which = i % ARRAY_SIZE(dmabuf);

		rig_paint(rig, which);
		KT_EQ(t, rig_wait(encoder_encode(encoder, dmabuf[which], &rig->picture, rig->got)),
		      0);
		KT_CHECK(t, !memcmp(rig->got, rig->bytes, rig->picture.bytes));
	}
	encoder_destroy(encoder);
	for (size_t i = 0; i < ARRAY_SIZE(dmabuf); i++)
		dma_buf_put(dmabuf[i]);
}

static void knows_its_buffers_again(struct ktap *t)
{
	rig_everywhere(t, several_buffers);
}

/* What a scatterer allocates, a page here and a page there, is one segment behind an IOMMU only. */
static void refuses_pieces(struct ktap *t)
{
	for (const struct machine_type *type = machine_types; type->name; type++) {
		struct encoder *encoder;
		struct dma_buf *dmabuf;
		struct rig rig;

		rig_init(&rig, type, false);
		dmabuf = system_heap_allocate(rig.picture.bytes);
		rig_cpu_write(t, &rig, dmabuf);
		encoder = encoder_create(rig.dev, ENCODER_STATIC);
		for (int i = 0; i < 2; i++)
			KT_EQ(t, rig_wait(encoder_encode(encoder, dmabuf, &rig.picture, rig.got)),
			      type->iommu ? 0 : -EINVAL);
		encoder_destroy(encoder);
		dma_buf_put(dmabuf);
		rig_fini(&rig);
	}
}

struct exported {
	struct vram *vram;
	struct device *gpu;
	struct dma_buf *dmabuf;
	struct encoder *encoder;
};

static void export(struct exported *exported, struct rig *rig, enum encoder_import how)
{
	exported->gpu = machine_add_device(rig->machine, "gpu", true);
	exported->vram = vram_create(exported->gpu, 1 << 20);
	exported->dmabuf =
		vram_allocate(exported->vram, rig->picture.bytes, VRAM_PLACEMENT_VRAM, NULL);
	exported->encoder = encoder_create(rig->dev, how);
}

static void unexport(struct exported *exported)
{
	encoder_destroy(exported->encoder);
	dma_buf_put(exported->dmabuf);
	vram_destroy(exported->vram);
	machine_remove_device(exported->gpu);
}

static void encode_exported(struct ktap *t, struct rig *rig, struct exported *exported)
{
	struct dma_buf *dmabuf = exported->dmabuf;

	rig_paint(rig, rig->bytes[0]);
	KT_EQ(t, vram_begin_access(dmabuf, DMA_FROM_DEVICE), 0);
	KT_EQ(t, vram_write(dmabuf, 0, rig->bytes, rig->picture.bytes), 0);
	vram_end_access(dmabuf, DMA_FROM_DEVICE);
	KT_EQ(t, rig_wait(encoder_encode(exported->encoder, dmabuf, &rig->picture, rig->got)), 0);
	KT_CHECK(t, !memcmp(rig->got, rig->bytes, rig->picture.bytes));
}

static int move(struct dma_buf *dmabuf, enum vram_placement where)
{
	int ret;

	dma_resv_lock(dmabuf->resv, NULL);
	ret = vram_move(dmabuf, where);
	dma_resv_unlock(dmabuf->resv);
	return ret;
}

/* To and fro between its pictures: it finds the buffer again, and nobody waits for it. */
static void follow(struct ktap *t, struct rig *rig)
{
	bool reaches = rig->machine && machine_type_of(rig->machine)->dma_mask > U32_MAX;
	struct exported exported;

	export(&exported, rig, ENCODER_PEER);
	for (int i = 0; i < 6; i++) {
		encode_exported(t, rig, &exported);
		if (reaches)
			KT_EQ(t, vram_placement(exported.dmabuf),
			      i & 1 ? VRAM_PLACEMENT_SYSTEM : VRAM_PLACEMENT_VRAM);
		KT_EQ(t, move(exported.dmabuf, i & 1 ? VRAM_PLACEMENT_VRAM : VRAM_PLACEMENT_SYSTEM),
		      0);
	}
	unexport(&exported);
}

static void follows_moves(struct ktap *t)
{
	rig_everywhere(t, follow);
}

static void pin(struct ktap *t, struct rig *rig)
{
	struct exported exported;

	export(&exported, rig, ENCODER_STATIC);
	for (int i = 0; i < 3; i++) {
		encode_exported(t, rig, &exported);
		KT_EQ(t, vram_placement(exported.dmabuf), VRAM_PLACEMENT_SYSTEM);
		KT_EQ(t, move(exported.dmabuf, VRAM_PLACEMENT_VRAM), -EBUSY);
	}
	unexport(&exported);
}

static void or_keeps_buffers_where_they_are(struct ktap *t)
{
	rig_everywhere(t, pin);
}

/* A job under way, and somebody who moves its buffer while it waits for its turn. */
static void a_move_waits_for_the_job(struct ktap *t, struct rig *rig)
{
	struct exported exported;
	struct dma_fence *fence[8];

	export(&exported, rig, ENCODER_PEER);
	KT_EQ(t, vram_begin_access(exported.dmabuf, DMA_FROM_DEVICE), 0);
	KT_EQ(t, vram_write(exported.dmabuf, 0, rig->bytes, rig->picture.bytes), 0);
	vram_end_access(exported.dmabuf, DMA_FROM_DEVICE);
	for (size_t i = 0; i < ARRAY_SIZE(fence); i++) {
		fence[i] =
			encoder_encode(exported.encoder, exported.dmabuf, &rig->picture, rig->got);
		KT_EQ(t, move(exported.dmabuf, i & 1), 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(fence); i++)
		KT_EQ(t, rig_wait(fence[i]), 0);
	KT_CHECK(t, !memcmp(rig->got, rig->bytes, rig->picture.bytes));
	unexport(&exported);
}

static void moves_while_it_works(struct ktap *t)
{
	rig_everywhere(t, a_move_waits_for_the_job);
}

KTAP_MAIN(KTAP_CASE(reads_what_the_cpu_wrote), KTAP_CASE(wrong_bytes_without_syncs),
	  KTAP_CASE(knows_its_buffers_again), KTAP_CASE(refuses_pieces), KTAP_CASE(follows_moves),
	  KTAP_CASE(or_keeps_buffers_where_they_are), KTAP_CASE(moves_while_it_works))
