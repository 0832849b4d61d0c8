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

/*
 * Imports; the driver's own structure begins with @importer.
 * @ops: of one whose buffers may move, with @importer as their importer_priv; NULL: they may not
 */
static inline int importer_init(struct importer *importer, struct check_import *import,
				const struct dma_buf_attach_ops *ops)
{
	importer->attach = dma_buf_dynamic_attach(import->dmabuf, import->dev, ops, importer);
	if (IS_ERR(importer->attach))
		return PTR_ERR(importer->attach);
	get_dma_buf(import->dmabuf);
	importer->dmabuf = import->dmabuf;
	importer->dir = import->dir;
	import->own = importer;
	return 0;
}

/* Undoes importer_init(). */
static inline void importer_fini(struct importer *importer)
{
	dma_buf_detach(importer->dmabuf, importer->attach);
	dma_buf_put(importer->dmabuf);
}

static inline int importer_open_dynamic(struct check_import *import,
					const struct dma_buf_attach_ops *ops)
{
	struct importer *importer = kzalloc(sizeof(*importer), GFP_KERNEL);
	int ret;

	if (!importer)
		return -ENOMEM;
	ret = importer_init(importer, import, ops);
	if (ret)
		kfree(importer);
	return ret;
}

static inline int importer_open(struct check_import *import)
{
	return importer_open_dynamic(import, NULL);
}

/* Reservation held. Maps where the buffer is, once who moves it is done. */
static inline struct sg_table *importer_map_locked(struct importer *importer)
{
	dma_resv_wait_timeout(importer->dmabuf->resv, DMA_RESV_USAGE_KERNEL, false,
			      MAX_SCHEDULE_TIMEOUT);
	return dma_buf_map_attachment(importer->attach, importer->dir);
}

/* Reservation held, from before the map until after the unmap: nobody moves the buffer. */
static inline int importer_job_locked(struct check_import *import)
{
	struct importer *importer = import->own;
	struct sg_table *sgt = importer_map_locked(importer);
	int ret;

	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	ret = check_device_runs(import, sgt);
	dma_buf_unmap_attachment(importer->attach, sgt, importer->dir);
	return ret;
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

	importer_fini(importer);
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
