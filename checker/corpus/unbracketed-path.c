/* SPDX-License-Identifier: MIT */
/*
 * unbracketed-path.c - an importer that brackets its CPU accesses on one path and forgets the other
 *
 * Report: fxd0h/libdrmtap#10: "V3 DMA-BUF path skips dmabuf_sync"
 * Wrong: the first grab maps and brackets; the fast path, which finds the map there, only copies, and
 *	reads stale pixels where the CPU's cache has old ones
 * Rule: each access of the CPU is between begin_cpu_access() and end_cpu_access()
 */
#include <linux/iosys-map.h>

#include "importer.h"

struct grabber {
	struct importer *importer;
	struct iosys_map map;
	bool mapped;
};

static int grab_open(struct check_import *import)
{
	struct grabber *grabber = kzalloc(sizeof(*grabber), GFP_KERNEL);
	int ret;

	if (!grabber)
		return -ENOMEM;
	ret = importer_open(import);
	if (ret) {
		kfree(grabber);
		return ret;
	}
	grabber->importer = import->own;
	import->own = grabber;
	return 0;
}

static int grab_bracketed(struct check_import *import)
{
	struct grabber *grabber = import->own;
	enum dma_data_direction dir = importer_cpu_dir(grabber->importer);
	int ret = dma_buf_begin_cpu_access(import->dmabuf, dir);

	if (ret)
		return ret;
	ret = check_cpu_copies(import, grabber->map.vaddr);
	dma_buf_end_cpu_access(import->dmabuf, dir);
	return ret;
}

static int grab_job(struct check_import *import)
{
	struct grabber *grabber = import->own;
	int ret;

#ifndef FIXED
	if (grabber->mapped)
		return check_cpu_copies(import, grabber->map.vaddr);
#endif
	if (!grabber->mapped) {
		ret = dma_buf_vmap_unlocked(import->dmabuf, &grabber->map);
		if (ret)
			return ret;
		grabber->mapped = true;
	}
	return grab_bracketed(import);
}

static void grab_close(struct check_import *import)
{
	struct grabber *grabber = import->own;

	if (grabber->mapped)
		dma_buf_vunmap_unlocked(import->dmabuf, &grabber->map);
	import->own = grabber->importer;
	importer_close(import);
	kfree(grabber);
}

DMABUF_CHECK(
	{ .name = "unbracketed-path", .open = grab_open, .access = grab_job, .close = grab_close });
