/* SPDX-License-Identifier: MIT */
/*
 * kept-never-synced.c - an importer that maps once and lets its device work for ever
 *
 * Report: raspberrypi/linux#5727: vc4's planes show what the bounce buffer had, purest green;
 *	xbmc/xbmc#28983
 * Wrong: DRM maps at import and never syncs; a device that does not snoop, or is bounced, never sees
 *	what others write later
 * Rule: who keeps a mapping syncs it before and after each access of his device
 */
#include <linux/dma-mapping.h>

#include "importer.h"

static int plane_open(struct check_import *import)
{
	int ret = importer_open(import);
	struct importer *importer = import->own;
	struct sg_table *sgt;

	if (ret)
		return ret;
	sgt = dma_buf_map_attachment_unlocked(importer->attach, importer->dir);
	if (IS_ERR(sgt)) {
		importer_close(import);
		return PTR_ERR(sgt);
	}
	importer->sgt = sgt;
	return 0;
}

static int plane_job(struct check_import *import)
{
	struct importer *importer = import->own;
	int ret;

#ifdef FIXED
	dma_sync_sgtable_for_device(import->dev, importer->sgt, importer->dir);
#endif
	ret = check_device_runs(import, importer->sgt);
#ifdef FIXED
	dma_sync_sgtable_for_cpu(import->dev, importer->sgt, importer->dir);
#endif
	return ret;
}

static void plane_close(struct check_import *import)
{
	struct importer *importer = import->own;

	dma_buf_unmap_attachment_unlocked(importer->attach, importer->sgt, importer->dir);
	importer_close(import);
}

DMABUF_CHECK({ .name = "kept-never-synced",
	       .open = plane_open,
	       .access = plane_job,
	       .close = plane_close });
