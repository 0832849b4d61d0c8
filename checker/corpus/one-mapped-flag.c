/* SPDX-License-Identifier: MIT */
/*
 * one-mapped-flag.c - an exporter that remembers of an attachment whether it is mapped, not how often
 *
 * Report: Linux 6.12, drivers/dma-buf/heaps/system_heap.c: one table and one `mapped` for an
 *	attachment, which may be mapped twice
 * Wrong: the second map maps the same table again, and after the first unmap the CPU's accesses no
 *	longer sync the mapping that is left
 * Rule: each mapping is the importer's until its own unmap
 */
#include "pages.h"

#ifndef FIXED
struct attachment {
	struct device *dev;
	struct sg_table sgt;
	enum dma_data_direction dir;
	bool mapped;
	struct list_head node;
};

static int flag_attach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	struct pages *pages = dmabuf->priv;
	struct attachment *a = kzalloc(sizeof(*a), GFP_KERNEL);

	if (!a)
		return -ENOMEM;
	if (pages_table(pages, &a->sgt)) {
		kfree(a);
		return -ENOMEM;
	}
	a->dev = attach->dev;
	attach->priv = a;
	mutex_lock(&pages->lock);
	list_add(&a->node, &pages->mappings);
	mutex_unlock(&pages->lock);
	return 0;
}

static void flag_detach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	struct pages *pages = dmabuf->priv;
	struct attachment *a = attach->priv;

	mutex_lock(&pages->lock);
	list_del(&a->node);
	mutex_unlock(&pages->lock);
	sg_free_table(&a->sgt);
	kfree(a);
}

static struct sg_table *flag_map(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	struct attachment *a = attach->priv;
	int ret = dma_map_sgtable(attach->dev, &a->sgt, dir, 0);

	if (ret)
		return ERR_PTR(ret);
	a->dir = dir;
	a->mapped = true;
	return &a->sgt;
}

static void flag_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
		       enum dma_data_direction dir)
{
	struct attachment *a = attach->priv;

	a->mapped = false;
	dma_unmap_sgtable(attach->dev, sgt, dir, 0);
}

static void flag_sync(struct dma_buf *dmabuf, bool for_cpu)
{
	struct pages *pages = dmabuf->priv;
	struct attachment *a;

	mutex_lock(&pages->lock);
	list_for_each_entry(a, &pages->mappings, node) {
		if (!a->mapped)
			continue;
		if (for_cpu)
			dma_sync_sgtable_for_cpu(a->dev, &a->sgt, a->dir);
		else
			dma_sync_sgtable_for_device(a->dev, &a->sgt, a->dir);
	}
	mutex_unlock(&pages->lock);
}

static int flag_begin(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	flag_sync(dmabuf, true);
	return 0;
}

static int flag_end(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	flag_sync(dmabuf, false);
	return 0;
}
#endif

static const struct dma_buf_ops flag_ops = {
#ifdef FIXED
	PAGES_DEVICE_OPS,
	PAGES_CPU_OPS,
#else
	.attach = flag_attach,
	.detach = flag_detach,
	.map_dma_buf = flag_map,
	.unmap_dma_buf = flag_unmap,
	.begin_cpu_access = flag_begin,
	.end_cpu_access = flag_end,
	.vmap = pages_vmap,
	.mmap = pages_mmap,
#endif
	.release = pages_release,
};

static int __init flag_init(void)
{
	return pages_heap_add("one-mapped-flag", &flag_ops);
}
module_init(flag_init);
MODULE_LICENSE("Dual MIT/GPL");
