/* SPDX-License-Identifier: MIT */
/*
 * pin-failure-leaks.c - an importer that stays attached when it cannot pin
 *
 * Report: freebsd/drm-kmod, dma_buf_dynamic_attach(): the attachment leaks when the exporter's pin
 *	fails
 * Wrong: the path for a failed pin returns the errno and nothing else
 * Rule: who fails half-way undoes the half
 */
#include "importer.h"

static void scanout_move(struct dma_buf_attachment *attach)
{
	/* Pinned: it does not move. */
}

static const struct dma_buf_attach_ops scanout_ops = {
	.allow_peer2peer = true,
	.move_notify = scanout_move,
};

static int scanout_open(struct check_import *import)
{
	struct importer *importer = kzalloc(sizeof(*importer), GFP_KERNEL);
	struct dma_buf_attachment *attach;
	int ret;

	if (!importer)
		return -ENOMEM;
	attach = dma_buf_dynamic_attach(import->dmabuf, import->dev, &scanout_ops, importer);
	if (IS_ERR(attach)) {
		ret = PTR_ERR(attach);
		goto free_importer;
	}
	dma_resv_lock(import->dmabuf->resv, NULL);
	ret = dma_buf_pin(attach);
	dma_resv_unlock(import->dmabuf->resv);
	if (ret)
		goto detach;
	get_dma_buf(import->dmabuf);
	importer->dmabuf = import->dmabuf;
	importer->attach = attach;
	importer->dir = import->dir;
	import->own = importer;
	return 0;

detach:
#ifdef FIXED
	dma_buf_detach(import->dmabuf, attach);
#endif
free_importer:
	kfree(importer);
	return ret;
}

static void scanout_close(struct check_import *import)
{
	struct importer *importer = import->own;

	dma_resv_lock(importer->dmabuf->resv, NULL);
	dma_buf_unpin(importer->attach);
	dma_resv_unlock(importer->dmabuf->resv);
	importer_close(import);
}

DMABUF_CHECK({ .name = "pin-failure-leaks",
	       .open = scanout_open,
	       .access = importer_job,
	       .close = scanout_close });
