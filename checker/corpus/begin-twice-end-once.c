/* SPDX-License-Identifier: MIT */
/*
 * begin-twice-end-once.c - an importer that begins each CPU access twice and ends it once
 *
 * Report: fxd0h/libdrmtap#43: "2 START / 1 END per frame"
 * Wrong: the helper that maps begins an access of its own, which nobody ends; an exporter that counts
 *	keeps the buffer where the CPU can read it
 * Rule: each begin_cpu_access() that succeeds has its end_cpu_access()
 */
#include <linux/iosys-map.h>

#include "importer.h"

static int grab_map(struct importer *importer, struct iosys_map *map)
{
#ifndef FIXED
	int ret = dma_buf_begin_cpu_access(importer->dmabuf, importer_cpu_dir(importer));

	if (ret)
		return ret;
#endif
	return dma_buf_vmap_unlocked(importer->dmabuf, map);
}

static int grab_job(struct check_import *import)
{
	struct importer *importer = import->own;
	struct iosys_map map;
	int ret;

	ret = grab_map(importer, &map);
	if (ret)
		return ret;
	ret = dma_buf_begin_cpu_access(importer->dmabuf, importer_cpu_dir(importer));
	if (!ret) {
		ret = check_cpu_copies(import, map.vaddr);
		dma_buf_end_cpu_access(importer->dmabuf, importer_cpu_dir(importer));
	}
	dma_buf_vunmap_unlocked(importer->dmabuf, &map);
	return ret;
}

DMABUF_CHECK({ .name = "begin-twice-end-once",
	       .open = importer_open,
	       .access = grab_job,
	       .close = importer_close });
