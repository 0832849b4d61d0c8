/* SPDX-License-Identifier: MIT */
/*
 * test-fallible.c - see test-fallible.h
 */
#include <linux/dma-mapping.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "host/port.h"
#include "test-fallible.h"

#define PAGES (FALLIBLE_BYTES / PAGE_SIZE)

enum fallible_mistake fallible_mistake;

struct fallible {
	struct page *pages[2 * PAGES]; /* the buffer is every second one */
	struct page *own[PAGES];
};

static int must_fail(void)
{
	return -port_failure(PORT_FAULT_CALLBACK);
}

static int fallible_attach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	int ret = must_fail();

	if (ret)
		return ret;
	attach->priv = kmalloc(1, GFP_KERNEL);
	return attach->priv ? 0 : -ENOMEM;
}

static void fallible_detach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	kfree(attach->priv);
}

static int fallible_pin(struct dma_buf_attachment *attach)
{
	return must_fail();
}

static void fallible_unpin(struct dma_buf_attachment *attach)
{
}

static int map_failed(struct dma_buf_attachment *attach, int ret)
{
	struct fallible *fallible = attach->dmabuf->priv;

	switch (fallible_mistake) {
	case FALLIBLE_KEEPS_BUFFER:
		get_dma_buf(attach->dmabuf);
		break;
	case FALLIBLE_KEEPS_PAGE:
		get_page(fallible->own[0]);
		break;
	case FALLIBLE_WRONG_ERRNO:
		return -EPERM;
	case FALLIBLE_RIGHT:
	case FALLIBLE_MISTAKES:
		break;
	}
	return ret;
}

static struct sg_table *fallible_map(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	struct fallible *fallible = attach->dmabuf->priv;
	struct sg_table *table;
	int ret = must_fail();

	if (ret)
		return ERR_PTR(map_failed(attach, ret));
	table = kzalloc(sizeof(*table), GFP_KERNEL);
	if (!table)
		return ERR_PTR(map_failed(attach, -ENOMEM));
	ret = sg_alloc_table_from_pages(table, fallible->own, PAGES, 0, FALLIBLE_BYTES, GFP_KERNEL);
	if (ret)
		goto free_struct;
	ret = dma_map_sgtable(attach->dev, table, dir, 0);
	if (ret)
		goto free_table;
	return table;

free_table:
	sg_free_table(table);
free_struct:
	kfree(table);
	return ERR_PTR(map_failed(attach, ret));
}

static void fallible_unmap(struct dma_buf_attachment *attach, struct sg_table *table,
			   enum dma_data_direction dir)
{
	dma_unmap_sgtable(attach->dev, table, dir, 0);
	sg_free_table(table);
	kfree(table);
}

static int fallible_begin(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	return must_fail();
}

static int fallible_end(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	return must_fail();
}

static int fallible_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	struct fallible *fallible = dmabuf->priv;
	int ret = must_fail();

	return ret ?: vm_map_pages(vma, fallible->own, PAGES);
}

static int fallible_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct fallible *fallible = dmabuf->priv;
	int ret = must_fail();
	void *at;

	if (ret)
		return ret;
	at = vmap(fallible->own, PAGES, VM_MAP, PAGE_KERNEL);
	if (!at)
		return -ENOMEM;
	iosys_map_set_vaddr(map, at);
	return 0;
}

static void fallible_vunmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	vunmap(map->vaddr);
}

static void fallible_free(struct fallible *fallible)
{
	for (unsigned int i = 0; i < 2 * PAGES; i++)
		if (fallible->pages[i])
			__free_page(fallible->pages[i]);
	kfree(fallible);
}

static void fallible_release(struct dma_buf *dmabuf)
{
	fallible_free(dmabuf->priv);
}

#define COMMON_OPS                                                                         \
	.attach = fallible_attach, .detach = fallible_detach, .map_dma_buf = fallible_map, \
	.unmap_dma_buf = fallible_unmap, .begin_cpu_access = fallible_begin,               \
	.end_cpu_access = fallible_end, .mmap = fallible_mmap, .vmap = fallible_vmap,      \
	.vunmap = fallible_vunmap, .release = fallible_release, .tells_own_access = true

static const struct dma_buf_ops ops[FALLIBLE_KINDS] = {
	[FALLIBLE_FIXED] = { COMMON_OPS },
	[FALLIBLE_WIDENS] = { COMMON_OPS, .may_widen = true },
	[FALLIBLE_DYNAMIC] = { COMMON_OPS, .pin = fallible_pin, .unpin = fallible_unpin },
};

struct dma_buf *fallible_export(enum fallible_kind kind)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct fallible *fallible = kzalloc(sizeof(*fallible), GFP_KERNEL);
	struct dma_buf *dmabuf = ERR_PTR(-ENOMEM);

	if (!fallible)
		return dmabuf;
	for (unsigned int i = 0; i < 2 * PAGES; i++) {
		fallible->pages[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!fallible->pages[i])
			goto free_fallible;
		if (i % 2)
			fallible->own[i / 2] = fallible->pages[i];
	}
	info.exp_name = "fallible";
	info.ops = &ops[kind];
	info.size = FALLIBLE_BYTES;
	info.flags = O_RDWR;
	info.priv = fallible;
	dmabuf = dma_buf_export(&info);
	if (!IS_ERR(dmabuf))
		return dmabuf;

free_fallible:
	fallible_free(fallible);
	return dmabuf;
}
