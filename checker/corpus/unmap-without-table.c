/* SPDX-License-Identifier: MIT */
/*
 * unmap-without-table.c - an importer whose error path unmaps what it has not mapped
 *
 * Report: raspberrypi/linux#7504, #3959: DRM's import unmaps a table that is NULL on its error path; a
 *	NULL dereference in dma_direct_unmap_sg()
 * Wrong: one label for two states; the table is still NULL where the first failure jumps to it
 * Rule: only what was mapped is unmapped, once
 */
#include "importer.h"

static int prime_job(struct check_import *import)
{
	struct importer *importer = import->own;
	struct sg_table *sgt = NULL;
	void *object;
	int ret = -ENOMEM;

	object = kzalloc(64, GFP_KERNEL);
	if (!object)
#ifdef FIXED
		return ret;
#else
		goto unmap;
#endif
	sgt = dma_buf_map_attachment_unlocked(importer->attach, importer->dir);
	if (IS_ERR(sgt)) {
		ret = PTR_ERR(sgt);
		goto free_object;
	}
	ret = check_device_runs(import, sgt);
#ifndef FIXED
unmap:
#endif
	dma_buf_unmap_attachment_unlocked(importer->attach, sgt, importer->dir);
free_object:
	kfree(object);
	return ret;
}

DMABUF_CHECK({ .name = "unmap-without-table",
	       .open = importer_open,
	       .access = prime_job,
	       .close = importer_close });
