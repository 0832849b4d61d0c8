/* SPDX-License-Identifier: MIT */
#include "drivers/importers/encoder.h"
#include "drivers/importers/importer-rig.h"

static void encode(struct ktap *t, struct rig *rig)
{
	struct dma_buf *dmabuf = system_heap_allocate(rig->picture.bytes);
	struct encoder *encoder = encoder_create(rig->dev);

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
	struct dma_buf *dmabuf = system_heap_allocate(rig->picture.bytes);
	struct encoder *encoder = encoder_create(rig->dev);

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
	struct encoder *encoder = encoder_create(rig->dev);
	struct dma_buf *dmabuf[3];

	for (size_t i = 0; i < ARRAY_SIZE(dmabuf); i++) {
		dmabuf[i] = system_heap_allocate(rig->picture.bytes);
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

KTAP_MAIN(KTAP_CASE(reads_what_the_cpu_wrote), KTAP_CASE(wrong_bytes_without_syncs),
	  KTAP_CASE(knows_its_buffers_again))
