/* SPDX-License-Identifier: MIT */
/*
 * detach-before-unmap.c - an importer that detaches first and unmaps then
 *
 * Report: qualcomm-linux/kernel#867, #1118: fastrpc unmaps through an attachment that is gone; the
 *	device pointer in it reads 0x6b6b6b6b
 * Wrong: detach frees the attachment, and in Linux 6.12 a kept mapping; the unmap reads both
 * Rule: unmap before detach
 */
#include "importer.h"

static int fastrpc_invoke(struct check_import *import)
{
	struct dma_buf_attachment *attach = dma_buf_attach(import->dmabuf, import->dev);
	struct sg_table *sgt;
	int ret;

	if (IS_ERR(attach))
		return PTR_ERR(attach);
	sgt = dma_buf_map_attachment_unlocked(attach, import->dir);
	if (IS_ERR(sgt)) {
		ret = PTR_ERR(sgt);
		goto detach;
	}
	ret = check_device_runs(import, sgt);
#ifdef FIXED
	dma_buf_unmap_attachment_unlocked(attach, sgt, import->dir);
detach:
	dma_buf_detach(import->dmabuf, attach);
#else
	dma_buf_detach(import->dmabuf, attach);
	dma_buf_unmap_attachment_unlocked(attach, sgt, import->dir);
	return ret;
detach:
	dma_buf_detach(import->dmabuf, attach);
#endif
	return ret;
}

DMABUF_CHECK({ .name = "detach-before-unmap",
	       .open = importer_open,
	       .access = fastrpc_invoke,
	       .close = importer_close });
