/* SPDX-License-Identifier: MIT */
/*
 * vmap-without-access.c - an importer whose CPU writes and reads with no bracket at all
 *
 * Report: Linux 6.12, drivers/media/common/videobuf2/videobuf2-vmalloc.c: UVC copies frames into
 *	dma-bufs it only has a vmap of
 * Wrong: what the CPU wrote stays in its cache, what a device wrote is not looked for
 * Rule: each access of the CPU is between begin_cpu_access() and end_cpu_access()
 */
#include <linux/iosys-map.h>

#include "importer.h"

static int uvc_job(struct check_import *import)
{
	struct importer *importer = import->own;
	struct iosys_map map;
	int ret;

	ret = dma_buf_vmap_unlocked(importer->dmabuf, &map);
	if (ret)
		return ret;
#ifdef FIXED
	ret = dma_buf_begin_cpu_access(importer->dmabuf, importer_cpu_dir(importer));
	if (ret)
		goto vunmap;
	ret = check_cpu_copies(import, map.vaddr);
	dma_buf_end_cpu_access(importer->dmabuf, importer_cpu_dir(importer));
vunmap:
#else
	ret = check_cpu_copies(import, map.vaddr);
#endif
	dma_buf_vunmap_unlocked(importer->dmabuf, &map);
	return ret;
}

DMABUF_CHECK({ .name = "vmap-without-access",
	       .open = importer_open,
	       .access = uvc_job,
	       .close = importer_close });
