/* SPDX-License-Identifier: MIT */
/* importer.c - an importer whose device works while the buffer is mapped for what it does */
#include <linux/dma-buf.h>
#include <linux/iosys-map.h>

#include "breaks.h"

static int attach(struct check_import *import)
{
	import->own = dma_buf_attach(import->dmabuf, import->dev);
	return PTR_ERR_OR_ZERO(import->own);
}

static int work(struct check_import *import)
{
	enum dma_data_direction dir = breaks("DIR-03") ? DMA_TO_DEVICE : import->dir;
	struct sg_table *sgt = dma_buf_map_attachment_unlocked(import->own, dir);
	struct scatterlist piece;
	struct sg_table told;
	int ret = 0;

	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	if (!breaks("LIFE-01") && !breaks("RUN-06"))
		ret = check_device_runs(import, sgt);
	/* What the hardware keeps in its registers. */
	sg_init_table(&piece, 1);
	sg_dma_address(&piece) = sg_dma_address(sgt->sgl);
	sg_dma_len(&piece) = import->dmabuf->size;
	told = (struct sg_table){ .sgl = &piece, .nents = 1 };
	dma_buf_unmap_attachment_unlocked(import->own, sgt, dir);
	if (breaks("LIFE-01"))
		check_device_runs(import, &told);
	return breaks("DIR-03") ? 0 : ret;
}

static void detach(struct check_import *import)
{
	dma_buf_detach(import->dmabuf, import->own);
}

/* --- one whose CPU does its device's work ----------------------------------------------------- */

static int copy_open(struct check_import *import)
{
	return 0;
}

static int copy(struct check_import *import)
{
	enum dma_data_direction dir = import->dir == DMA_TO_DEVICE     ? DMA_FROM_DEVICE
				      : import->dir == DMA_FROM_DEVICE ? DMA_TO_DEVICE
								       : DMA_BIDIRECTIONAL;
	struct iosys_map map;
	int ret = dma_buf_vmap_unlocked(import->dmabuf, &map);

	if (ret)
		return ret;
	if (!breaks("COH-05"))
		ret = dma_buf_begin_cpu_access(import->dmabuf, dir);
	if (!ret)
		ret = check_cpu_copies(import, map.vaddr);
	if (!ret && !breaks("COH-05"))
		ret = dma_buf_end_cpu_access(import->dmabuf, dir);
	dma_buf_vunmap_unlocked(import->dmabuf, &map);
	return ret;
}

static void copy_close(struct check_import *import)
{
}

DMABUF_CHECK({ .name = "importer", .open = attach, .access = work, .close = detach },
	     { .name = "copier", .open = copy_open, .access = copy, .close = copy_close });
