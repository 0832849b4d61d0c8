/* SPDX-License-Identifier: MIT */
/*
 * vunmap-other-map.c - an importer that gives back another map than it was given
 *
 * Report: sonyxperiadev/kernel#2206 (camera_v2, NULL), DisplayLink/evdi#315 (is_iomem lost)
 * Wrong: "this argument is ignored" says the driver's comment; dma_buf_vunmap() is at a BUG_ON
 * Rule: dma_buf_vunmap() gets what dma_buf_vmap() gave
 */
#include <linux/iosys-map.h>

#include "importer.h"

static int camera_job(struct check_import *import)
{
	struct importer *importer = import->own;
	struct iosys_map map;
	int ret;

	ret = dma_buf_vmap_unlocked(importer->dmabuf, &map);
	if (ret)
		return ret;
	ret = dma_buf_begin_cpu_access(importer->dmabuf, importer_cpu_dir(importer));
	if (!ret) {
		ret = check_cpu_copies(import, map.vaddr);
		dma_buf_end_cpu_access(importer->dmabuf, importer_cpu_dir(importer));
	}
#ifndef FIXED
	map = (struct iosys_map)IOSYS_MAP_INIT_VADDR(NULL);
#endif
	dma_buf_vunmap_unlocked(importer->dmabuf, &map);
	return ret;
}

DMABUF_CHECK({ .name = "vunmap-other-map",
	       .open = importer_open,
	       .access = camera_job,
	       .close = importer_close });
