/* SPDX-License-Identifier: MIT */
/*
 * other-unmap-direction.c - an importer that unmaps with another direction than it mapped
 *
 * Report: clusterfarmem/fastswap#9: begin_read() maps DMA_TO_DEVICE, read_done() unmaps
 *	DMA_FROM_DEVICE
 * Wrong: what the device wrote is not synced, or what it did not write is copied over memory
 * Rule: unmap has map's direction
 */
#include "importer.h"

static int read_job(struct check_import *import)
{
	struct importer *importer = import->own;
	enum dma_data_direction dir = DMA_BIDIRECTIONAL;
	struct sg_table *sgt;
	int ret;

#ifdef FIXED
	dir = importer->dir;
#endif
	sgt = dma_buf_map_attachment_unlocked(importer->attach, dir);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	ret = check_device_runs(import, sgt);
	dma_buf_unmap_attachment_unlocked(importer->attach, sgt, importer->dir);
	return ret;
}

DMABUF_CHECK({ .name = "other-unmap-direction",
	       .dirs = CHECK_DIR(DMA_TO_DEVICE) | CHECK_DIR(DMA_FROM_DEVICE),
	       .open = importer_open,
	       .access = read_job,
	       .close = importer_close });
