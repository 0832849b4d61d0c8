/* SPDX-License-Identifier: MIT */
/*
 * kref-underflow-after-revoke.c - an exporter that drops its last reference twice: at revoke and at the
 *	end
 *
 * Report: NVIDIA/NV-Kernels#584, Linux commit c64a647c84f3 "vfio/pci: fix dma-buf kref underflow after
 *	revoke"
 * Wrong: revoke drops the driver's reference and waits for those of the mappings; the cleanup drops it
 *	again, whether there was a revoke or not
 * Rule: each reference is dropped once
 */
#include <linux/completion.h>
#include <linux/dma-resv.h>
#include <linux/kref.h>
#include <libdmabuf-check.h>

#include "pages.h"

/* A function's memory. Guarded by the reservation. */
struct bar {
	struct kref mapped; /* one for each mapping, one for not being revoked */
	struct completion unmapped;
	bool revoked;
	unsigned int pins;
};

static struct bar *bar_of(struct dma_buf *dmabuf)
{
	return ((struct pages *)dmabuf->priv)->own;
}

static void bar_unmapped(struct kref *ref)
{
	complete(&container_of(ref, struct bar, mapped)->unmapped);
}

static int bar_pin(struct dma_buf_attachment *attach)
{
	bar_of(attach->dmabuf)->pins++;
	return 0;
}

static void bar_unpin(struct dma_buf_attachment *attach)
{
	bar_of(attach->dmabuf)->pins--;
}

static struct sg_table *bar_map(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	struct bar *bar = bar_of(attach->dmabuf);
	struct sg_table *sgt;

	if (bar->revoked)
		return ERR_PTR(-ENODEV);
	sgt = pages_map(attach, dir);
	if (!IS_ERR(sgt))
		kref_get(&bar->mapped);
	return sgt;
}

static void bar_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
		      enum dma_data_direction dir)
{
	pages_unmap(attach, sgt, dir);
	kref_put(&bar_of(attach->dmabuf)->mapped, bar_unmapped);
}

static void bar_release(struct dma_buf *dmabuf)
{
	kfree(bar_of(dmabuf));
	pages_release(dmabuf);
}

static const struct dma_buf_ops bar_ops = {
	.pin = bar_pin,
	.unpin = bar_unpin,
	.map_dma_buf = bar_map,
	.unmap_dma_buf = bar_unmap,
	PAGES_CPU_OPS,
	.release = bar_release,
};

static int bar_export(struct check_export *buffer)
{
	struct pages *pages = pages_alloc(buffer->size);
	struct bar *bar;

	if (IS_ERR(pages))
		return PTR_ERR(pages);
	bar = kzalloc(sizeof(*bar), GFP_KERNEL);
	if (!bar) {
		pages_free(pages);
		return -ENOMEM;
	}
	kref_init(&bar->mapped);
	init_completion(&bar->unmapped);
	pages->own = bar;
	buffer->dmabuf = pages_export(pages, &bar_ops, O_RDWR);
	if (!IS_ERR(buffer->dmabuf))
		return 0;
	kfree(bar);
	return PTR_ERR(buffer->dmabuf);
}

/* The function goes: first nobody has its memory mapped any more. */
static void bar_revoke(struct dma_buf *dmabuf)
{
	struct bar *bar = bar_of(dmabuf);

	dma_resv_lock(dmabuf->resv, NULL);
	bar->revoked = true;
	dma_buf_move_notify(dmabuf);
	kref_put(&bar->mapped, bar_unmapped);
	dma_resv_unlock(dmabuf->resv);
	wait_for_completion(&bar->unmapped);
}

static void bar_remove(struct check_export *buffer)
{
	struct dma_buf *dmabuf = buffer->dmabuf;
	struct bar *bar = bar_of(dmabuf);
	bool drop = true;

	bar_revoke(dmabuf);
	dma_resv_lock(dmabuf->resv, NULL);
#ifdef FIXED
	drop = !bar->revoked;
#endif
	if (drop)
		kref_put(&bar->mapped, bar_unmapped);
	dma_resv_unlock(dmabuf->resv);
	dma_buf_put(dmabuf);
}

DMABUF_CHECK({ .name = "kref-underflow-after-revoke",
	       .export = bar_export,
	       .release = bar_remove });
