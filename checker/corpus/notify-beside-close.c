/* SPDX-License-Identifier: MIT */
/*
 * notify-beside-close.c - an importer whose close and whose move_notify both unmap, with no lock
 *
 * Report: Mellanox/nv_peer_memory#53: "concurrent invalidation and tear-down can trigger a bug"
 * Wrong: both find the mapping there and both unmap it
 * Rule: what move_notify touches is the reservation's
 */
#include "importer.h"

static void peer_unmap(struct importer *importer)
{
	if (!importer->sgt)
		return;
	dma_buf_unmap_attachment(importer->attach, importer->sgt, importer->dir);
	importer->sgt = NULL;
}

/* Reservation held. */
static void peer_move(struct dma_buf_attachment *attach)
{
	peer_unmap(attach->importer_priv);
}

static const struct dma_buf_attach_ops peer_ops = {
	.allow_peer2peer = true,
	.move_notify = peer_move,
};

static int peer_open(struct check_import *import)
{
	return importer_open_dynamic(import, &peer_ops);
}

/* Registered memory: mapped until it moves or goes. Here each job registers anew. */
static int peer_job(struct check_import *import)
{
	struct importer *importer = import->own;
	struct sg_table *sgt;
	int ret;

	dma_resv_lock(importer->dmabuf->resv, NULL);
	peer_unmap(importer);
	sgt = importer_map_locked(importer);
	if (IS_ERR(sgt)) {
		ret = PTR_ERR(sgt);
		goto unlock;
	}
	importer->sgt = sgt;
	ret = check_device_runs(import, sgt);
unlock:
	dma_resv_unlock(importer->dmabuf->resv);
	return ret;
}

static void peer_close(struct check_import *import)
{
	struct importer *importer = import->own;

#ifdef FIXED
	dma_resv_lock(importer->dmabuf->resv, NULL);
	peer_unmap(importer);
	dma_resv_unlock(importer->dmabuf->resv);
#else
	if (importer->sgt) {
		dma_buf_unmap_attachment_unlocked(importer->attach, importer->sgt, importer->dir);
		importer->sgt = NULL;
	}
#endif
	importer_close(import);
}

DMABUF_CHECK({ .name = "notify-beside-close",
	       .dirs = CHECK_DIR(DMA_TO_DEVICE),
	       .open = peer_open,
	       .access = peer_job,
	       .close = peer_close });
