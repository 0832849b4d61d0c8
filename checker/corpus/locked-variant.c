/* SPDX-License-Identifier: MIT */
/*
 * locked-variant.c - an importer that maps without the reservation
 *
 * Report: raspberrypi/linux#6814 (vc-sm-cma), armbian/build#10129 (remoteproc): since 6.2
 *	dma_buf_map_attachment() needs the reservation
 * Wrong: the exporter's map_dma_buf() runs beside another one of the same buffer, or its move
 * Rule: dma_buf_map_attachment() and _unmap_attachment(): held; their _unlocked variants: not held
 */
#include "importer.h"

static int vcsm_job(struct check_import *import)
{
	struct importer *importer = import->own;
	struct sg_table *sgt;
	int ret;

#ifdef FIXED
	sgt = dma_buf_map_attachment_unlocked(importer->attach, importer->dir);
#else
	sgt = dma_buf_map_attachment(importer->attach, importer->dir);
#endif
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	ret = check_device_runs(import, sgt);
#ifdef FIXED
	dma_buf_unmap_attachment_unlocked(importer->attach, sgt, importer->dir);
#else
	dma_buf_unmap_attachment(importer->attach, sgt, importer->dir);
#endif
	return ret;
}

DMABUF_CHECK({ .name = "locked-variant",
	       .open = importer_open,
	       .access = vcsm_job,
	       .close = importer_close });
