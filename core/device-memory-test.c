/* SPDX-License-Identifier: MIT */
/*
 * device-memory-test.c - buffers in a device's memory: kept like others, and no bytes are moved
 */
#include <linux/dma-buf.h>
#include <linux/dma-buf-mapping.h>
#include <linux/dma-cost.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "dma/engine.h"
#include "dma/machine.h"
#include "dma/window.h"
#include "host/port.h"
#include "test-access.h"
#include "tests/ktap.h"

#define BYTES (4 * PAGE_SIZE)

/* Which of the two ways Linux knows to say that an entry has no page. */
enum style {
	SEGMENTS_ONLY,  /* dma_buf_phys_vec_to_sgt(): orig_nents is 0 */
	PAGES_ARE_NULL, /* amdgpu's: an entry a segment, its page NULL */
};

struct stage {
	struct machine *machine;
	struct device *owner, *peer, *other;
	struct dma_window *window;
	enum style style;
	int maps, unmaps;
	struct dma_buf *dmabuf;
};

static struct sg_table *null_pages(struct stage *stage, struct device *dev,
				   enum dma_data_direction dir)
{
	struct sg_table *sgt = kzalloc(sizeof(*sgt), GFP_KERNEL);
	dma_addr_t addr;

	if (!sgt)
		return ERR_PTR(-ENOMEM);
	if (sg_alloc_table(sgt, 1, GFP_KERNEL))
		goto free_sgt;
	addr = dma_map_resource(dev, dma_window_start(stage->window), BYTES, dir, 0);
	if (dma_mapping_error(dev, addr))
		goto free_table;
	sg_set_page(sgt->sgl, NULL, BYTES, 0);
	sg_dma_address(sgt->sgl) = addr;
	sg_dma_len(sgt->sgl) = BYTES;
	return sgt;

free_table:
	sg_free_table(sgt);
free_sgt:
	kfree(sgt);
	return ERR_PTR(-ENOMEM);
}

static struct sg_table *stage_map(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	struct stage *stage = attach->dmabuf->priv;
	struct phys_vec vec = { dma_window_start(stage->window), BYTES };
	struct sg_table *sgt;

	if (stage->style == PAGES_ARE_NULL)
		sgt = null_pages(stage, attach->dev, dir);
	else
		sgt = dma_buf_phys_vec_to_sgt(attach, dma_window_provider(stage->window), &vec, 1,
					      BYTES, dir);
	if (!IS_ERR(sgt))
		stage->maps++;
	return sgt;
}

static void stage_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
			enum dma_data_direction dir)
{
	struct stage *stage = attach->dmabuf->priv;

	stage->unmaps++;
	if (stage->style == SEGMENTS_ONLY) {
		dma_buf_free_sgt(attach, sgt, dir);
		return;
	}
	dma_unmap_resource(attach->dev, sg_dma_address(sgt->sgl), BYTES, dir, 0);
	sg_free_table(sgt);
	kfree(sgt);
}

static void stage_release(struct dma_buf *dmabuf)
{
}

static const struct dma_buf_ops stage_ops = {
	.map_dma_buf = stage_map,
	.unmap_dma_buf = stage_unmap,
	.release = stage_release,
};

static void stage_up(struct ktap *t, struct stage *stage, const char *machine, enum style style)
{
	const struct machine_type *type = machine_type_find(machine);
	DEFINE_DMA_BUF_EXPORT_INFO(info);

	*stage = (struct stage){ .machine = machine_create(type, 0), .style = style };
	stage->owner = machine_add_device(stage->machine, "owner", true);
	stage->peer = machine_add_device(stage->machine, "peer", type->coherent);
	stage->other = machine_add_device(stage->machine, "other", true);
	stage->window = dma_window_create(stage->owner, BYTES);
	info.ops = &stage_ops;
	info.size = BYTES;
	info.priv = stage;
	stage->dmabuf = dma_buf_export(&info);
	KT_CHECK(t, !IS_ERR(stage->window) && !IS_ERR(stage->dmabuf));
}

static void stage_down(struct ktap *t, struct stage *stage)
{
	dma_buf_put(stage->dmabuf);
	KT_EQ(t, stage->maps, stage->unmaps);
	machine_remove_device(stage->other);
	machine_remove_device(stage->peer);
	machine_remove_device(stage->owner);
	machine_destroy(stage->machine);
}

static u8 get_byte(struct ktap *t, struct stage *stage, struct dma_buf_attachment *attach,
		   size_t at)
{
	struct sg_table *sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
	u8 value = 0;

	if (IS_ERR(sgt)) {
		KT_CHECK(t, false);
		return 0;
	}
	KT_CHECK(t, !sg_page(sgt->sgl));
	KT_EQ(t, sgt->orig_nents, stage->style == SEGMENTS_ONLY ? 0 : 1);
	KT_EQ(t, sgt->nents, 1);
	KT_EQ(t, dma_engine_read(attach->dev, sgt, at, &value, 1), 0);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
	return value;
}

/* Devices of two domains and the CPU: one mapping each and direction, no operation on any cache. */
static void kept_and_never_moved(struct ktap *t)
{
	static const char *const machines[] = { "pc", "pc-iommu", "arm", "arm-direct" };
	struct dma_costs before, spent;

	for (unsigned int i = 0; i < 2 * ARRAY_SIZE(machines); i++) {
		struct dma_buf_attachment *peer, *other;
		struct stage stage;
		u8 *cpu;

		stage_up(t, &stage, machines[i / 2], i % 2 ? PAGES_ARE_NULL : SEGMENTS_ONLY);
		cpu = (u8 *)dma_window_iomem(stage.window);
		peer = dma_buf_attach(stage.dmabuf, stage.peer);
		other = dma_buf_attach(stage.dmabuf, stage.other);
		KT_ASSERT(t, !IS_ERR(peer) && !IS_ERR(other));

		dma_cost_read(&before);
		for (unsigned int round = 1; round < 10; round++) {
			test_device_write(t, peer, 3 * PAGE_SIZE, round);
			KT_EQ(t, cpu[3 * PAGE_SIZE], round);
			KT_EQ(t, get_byte(t, &stage, other, 3 * PAGE_SIZE), round);
			test_device_write(t, other, 7, 10 * round);
			KT_EQ(t, get_byte(t, &stage, peer, 7), 10 * round);
			cpu[8] = round;
			KT_EQ(t, get_byte(t, &stage, peer, 8), round);
		}
		dma_cost_since(&before, &spent);
		KT_EQ(t, stage.maps, 4);
		KT_EQ(t, spent.count[DMA_COST_BYTES_CLEANED], 0);
		KT_EQ(t, spent.count[DMA_COST_BYTES_INVALIDATED], 0);
		dma_buf_detach(stage.dmabuf, peer);
		dma_buf_detach(stage.dmabuf, other);
		stage_down(t, &stage);
	}
}

/* An importer may trim what it got; the exporter gets back what it gave. */
static void trimmed_table_is_given_back_whole(struct ktap *t)
{
	struct dma_buf_attachment *peer;
	struct sg_table *sgt;
	struct stage stage;

	stage_up(t, &stage, "pc-iommu", SEGMENTS_ONLY);
	peer = dma_buf_attach(stage.dmabuf, stage.peer);
	KT_ASSERT(t, !IS_ERR(peer));
	sgt = dma_buf_map_attachment_unlocked(peer, DMA_BIDIRECTIONAL);
	KT_ASSERT(t, !IS_ERR(sgt));
	sg_dma_address(sgt->sgl) += PAGE_SIZE;
	sg_dma_len(sgt->sgl) = 1;
	sgt->nents = 0;
	dma_buf_unmap_attachment_unlocked(peer, sgt, DMA_BIDIRECTIONAL);
	dma_buf_detach(stage.dmabuf, peer);
	stage_down(t, &stage);
}

/* The window is not below the bounced device's mask: an errno, every time, and nothing is left. */
static void out_of_reach_is_an_error(struct ktap *t)
{
	struct dma_buf_attachment *peer;
	struct stage stage;

	for (unsigned int style = SEGMENTS_ONLY; style <= PAGES_ARE_NULL; style++) {
		stage_up(t, &stage, "bounce", style);
		peer = dma_buf_attach(stage.dmabuf, stage.peer);
		KT_ASSERT(t, !IS_ERR(peer));
		for (unsigned int i = 0; i < 3; i++)
			KT_CHECK(t, IS_ERR(dma_buf_map_attachment_unlocked(peer, DMA_TO_DEVICE)));
		KT_EQ(t, stage.maps, 0);
		dma_buf_detach(stage.dmabuf, peer);
		stage_down(t, &stage);
	}
}

static void failures_leave_nothing(struct ktap *t)
{
	for (unsigned int style = SEGMENTS_ONLY; style <= PAGES_ARE_NULL; style++) {
		struct dma_buf_attachment *peer;
		struct sg_table *sgt;
		struct stage stage;

		stage_up(t, &stage, "arm", style);
		peer = dma_buf_attach(stage.dmabuf, stage.peer);
		KT_ASSERT(t, !IS_ERR(peer));
		for (unsigned int nth = 1;; nth++) {
			port_fail_nth(PORT_FAULT_ALLOC, nth);
			sgt = dma_buf_map_attachment_unlocked(peer, DMA_TO_DEVICE);
			port_fail_nth(PORT_FAULT_ALLOC, 0);
			if (!IS_ERR(sgt))
				break;
			KT_EQ(t, PTR_ERR(sgt), -ENOMEM);
			KT_EQ(t, stage.maps, stage.unmaps);
		}
		dma_buf_unmap_attachment_unlocked(peer, sgt, DMA_TO_DEVICE);
		dma_buf_detach(stage.dmabuf, peer);
		stage_down(t, &stage);
	}
}

KTAP_MAIN(KTAP_CASE(kept_and_never_moved), KTAP_CASE(trimmed_table_is_given_back_whole),
	  KTAP_CASE(out_of_reach_is_an_error), KTAP_CASE(failures_leave_nothing))
