/* SPDX-License-Identifier: MIT */
/*
 * test-exporter.c - see test-exporter.h
 */
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "test-exporter.h"

/* Some ops are called without the reservation, and for two devices at once. */
static void count(int *calls)
{
	__atomic_fetch_add(calls, 1, __ATOMIC_RELAXED);
}

static int test_attach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	struct test_exporter *exporter = dmabuf->priv;

	if (exporter->refuse_attach)
		return exporter->refuse_attach;
	count(&exporter->attaches);
	return 0;
}

static void test_detach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	struct test_exporter *exporter = dmabuf->priv;

	count(&exporter->detaches);
}

int test_pin(struct dma_buf_attachment *attach)
{
	struct test_exporter *exporter = attach->dmabuf->priv;

	dma_resv_assert_held(attach->dmabuf->resv);
	count(&exporter->pins);
	return 0;
}

void test_unpin(struct dma_buf_attachment *attach)
{
	struct test_exporter *exporter = attach->dmabuf->priv;

	dma_resv_assert_held(attach->dmabuf->resv);
	count(&exporter->unpins);
}

static struct sg_table *test_map(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	struct test_exporter *exporter = attach->dmabuf->priv;
	struct sg_table *sgt;
	int ret;

	dma_resv_assert_held(attach->dmabuf->resv);
	if (exporter->refuse_map)
		return ERR_PTR(exporter->refuse_map);
	sgt = kzalloc(sizeof(*sgt), GFP_KERNEL);
	if (!sgt)
		return NULL;
	ret = sg_alloc_table(sgt, 1, GFP_KERNEL);
	if (ret)
		goto free_sgt;
	sg_set_page(sgt->sgl, exporter->pages, attach->dmabuf->size - exporter->lacks, 0);
	ret = dma_map_sgtable(attach->dev, sgt, dir, 0);
	if (ret)
		goto free_table;
	count(&exporter->maps);
	exporter->last_map = dir;
	return sgt;

free_table:
	sg_free_table(sgt);
free_sgt:
	kfree(sgt);
	return ERR_PTR(ret);
}

static void test_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
		       enum dma_data_direction dir)
{
	struct test_exporter *exporter = attach->dmabuf->priv;

	dma_resv_assert_held(attach->dmabuf->resv);
	count(&exporter->unmaps);
	exporter->last_unmap = dir;
	dma_unmap_sgtable(attach->dev, sgt, dir, 0);
	sg_free_table(sgt);
	kfree(sgt);
}

static int test_begin(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct test_exporter *exporter = dmabuf->priv;

	count(&exporter->begins);
	return 0;
}

static int test_end(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct test_exporter *exporter = dmabuf->priv;

	count(&exporter->ends);
	return 0;
}

static int test_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	struct test_exporter *exporter = dmabuf->priv;

	count(&exporter->mmaps);
	if (exporter->refuse_mmap)
		return exporter->refuse_mmap;
	vma->vm_ops = exporter->vm_ops;
	vma->vm_private_data = exporter;
	return remap_pfn_range(vma, vma->vm_start, page_to_pfn(exporter->pages) + vma->vm_pgoff,
			       vma->vm_end - vma->vm_start, vma->vm_page_prot);
}

static void test_release(struct dma_buf *dmabuf)
{
	struct test_exporter *exporter = dmabuf->priv;

	count(&exporter->releases);
	__free_pages(exporter->pages, exporter->order);
}

struct dma_buf *test_export(struct test_exporter *exporter, unsigned int order)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dmabuf;

	exporter->order = order;
	exporter->pages = alloc_pages(GFP_KERNEL | __GFP_ZERO, order);
	if (!exporter->pages)
		return ERR_PTR(-ENOMEM);
	exporter->ops.attach = test_attach;
	exporter->ops.detach = test_detach;
	exporter->ops.map_dma_buf = test_map;
	exporter->ops.unmap_dma_buf = test_unmap;
	exporter->ops.release = test_release;
	exporter->ops.begin_cpu_access = test_begin;
	exporter->ops.end_cpu_access = test_end;
	exporter->ops.mmap = test_mmap;
	exporter->ops.tells_own_access = !exporter->blind;

	info.exp_name = "test";
	info.ops = &exporter->ops;
	info.size = PAGE_SIZE << order;
	info.flags = exporter->flags;
	info.resv = exporter->resv;
	info.priv = exporter;
	dmabuf = dma_buf_export(&info);
	if (IS_ERR(dmabuf))
		__free_pages(exporter->pages, order);
	return dmabuf;
}

u8 *test_bytes(struct test_exporter *exporter)
{
	return page_address(exporter->pages);
}
