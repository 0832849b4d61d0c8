/* SPDX-License-Identifier: MIT */
/*
 * importer.h - what the corpus's importers have in common: import, one mapping for each job, free
 *
 * A driver takes the steps it has no bug in and brings the others.
 *
 * Invariants
 *   IM1  Whoever has an importer has a reference of its buffer.
 *   IM2  A mapping lives for one job, so the map and the unmap sync it.
 */
#ifndef CORPUS_IMPORTER_H
#define CORPUS_IMPORTER_H

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/slab.h>
#include <libdmabuf-check.h>

struct importer {
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
	enum dma_data_direction dir;
};

static inline int importer_open(struct check_import *import)
{
	struct importer *importer = kzalloc(sizeof(*importer), GFP_KERNEL);
	int ret;

	if (!importer)
		return -ENOMEM;
	importer->attach = dma_buf_attach(import->dmabuf, import->dev);
	if (IS_ERR(importer->attach)) {
		ret = PTR_ERR(importer->attach);
		kfree(importer);
		return ret;
	}
	get_dma_buf(import->dmabuf);
	importer->dmabuf = import->dmabuf;
	importer->dir = import->dir;
	import->own = importer;
	return 0;
}

static inline int importer_job(struct check_import *import)
{
	struct importer *importer = import->own;
	struct sg_table *sgt;
	int ret;

	sgt = dma_buf_map_attachment_unlocked(importer->attach, importer->dir);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	ret = check_device_runs(import, sgt);
	dma_buf_unmap_attachment_unlocked(importer->attach, sgt, importer->dir);
	return ret;
}

static inline void importer_close(struct check_import *import)
{
	struct importer *importer = import->own;

	dma_buf_detach(importer->dmabuf, importer->attach);
	dma_buf_put(importer->dmabuf);
	kfree(importer);
}

/* The direction of the CPU's access in the place of a device's: it reads what a device would read. */
static inline enum dma_data_direction importer_cpu_dir(const struct importer *importer)
{
	switch (importer->dir) {
	case DMA_TO_DEVICE:
		return DMA_FROM_DEVICE;
	case DMA_FROM_DEVICE:
		return DMA_TO_DEVICE;
	default:
		return importer->dir;
	}
}

#endif
