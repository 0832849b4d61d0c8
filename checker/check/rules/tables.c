/* SPDX-License-Identifier: MIT */
/* tables.c - a driver that exports each object once, leaves tables as they are, and closes its files */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/file.h>
#include <linux/mm.h>

#include "breaks.h"

static struct sg_table *map(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	struct sg_table *sgt = kzalloc(sizeof(*sgt), GFP_KERNEL);

	if (!sgt || sg_alloc_table(sgt, 1, GFP_KERNEL))
		goto free_sgt;
	sg_set_page(sgt->sgl, attach->dmabuf->priv, PAGE_SIZE, 0);
	if (!dma_map_sgtable(attach->dev, sgt, dir, 0))
		return sgt;
	sg_free_table(sgt);
free_sgt:
	kfree(sgt);
	return ERR_PTR(-ENOMEM);
}

static void unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
		  enum dma_data_direction dir)
{
	dma_unmap_sgtable(attach->dev, sgt, dir, 0);
	sg_free_table(sgt);
	kfree(sgt);
}

static void release(struct dma_buf *dmabuf)
{
	put_page(dmabuf->priv);
}

static const struct dma_buf_ops ops = {
	.map_dma_buf = map,
	.unmap_dma_buf = unmap,
	.release = release,
};

/* Takes the caller's reference of @page. */
static struct dma_buf *export_page(struct page *page)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dmabuf;

	info.ops = &ops;
	info.size = PAGE_SIZE;
	info.flags = O_RDWR | O_CLOEXEC;
	info.priv = page;
	dmabuf = dma_buf_export(&info);
	if (IS_ERR(dmabuf))
		put_page(page);
	return dmabuf;
}

static int use(struct dma_buf *dmabuf, struct device *dev)
{
	struct dma_buf_attachment *attach = dma_buf_attach(dmabuf, dev);
	struct sg_table *sgt;

	if (IS_ERR(attach))
		return PTR_ERR(attach);
	sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
	if (!IS_ERR(sgt)) {
		sg_dma_len(sgt->sgl) -= breaks("EXP-03") ? 512 : 0;
		dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
	}
	dma_buf_detach(dmabuf, attach);
	return PTR_ERR_OR_ZERO(sgt);
}

static int two_objects(struct device *dev)
{
	struct page *page = alloc_page(GFP_KERNEL | __GFP_ZERO), *second;
	struct dma_buf *one, *other;
	int ret = -ENOMEM;

	if (!page)
		return ret;
	get_page(page);
	one = export_page(page);
	ret = PTR_ERR_OR_ZERO(one);
	if (ret)
		goto put_page;
	second = breaks("EXP-02") ? page : alloc_page(GFP_KERNEL | __GFP_ZERO);
	ret = -ENOMEM;
	if (!second)
		goto put_one;
	if (second == page)
		get_page(page);
	other = export_page(second);
	ret = PTR_ERR_OR_ZERO(other);
	if (ret)
		goto put_one;
	ret = use(one, dev);
	if (!ret)
		ret = use(other, dev);
	dma_buf_put(other);
put_one:
	dma_buf_put(one);
put_page:
	put_page(page);
	return ret;
}

static int run(struct device *dev, struct dma_buf *dmabuf)
{
	int fd = get_unused_fd_flags(O_CLOEXEC);

	if (fd < 0)
		return fd;
	if (!breaks("BAL-12"))
		put_unused_fd(fd);
	return two_objects(dev);
}

DMABUF_CHECK({ .name = "tables", .run = run });
