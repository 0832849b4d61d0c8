/* SPDX-License-Identifier: MIT */
/*
 * no-move-notify.c - a dynamic importer without move_notify
 *
 * Report: ScaleX-IO/uGDS#31: "restore move_notify callback", which a release had removed
 * Wrong: dma_buf_dynamic_attach() refuses it, so nothing can be imported any more
 * Rule: an importer with attach ops has move_notify
 */
#include "importer.h"

#ifdef FIXED
static void gds_move(struct dma_buf_attachment *attach)
{
	/* Each job maps anew, with the reservation held. */
}
#endif

static const struct dma_buf_attach_ops gds_ops = {
	.allow_peer2peer = true,
#ifdef FIXED
	.move_notify = gds_move,
#endif
};

static int gds_open(struct check_import *import)
{
	return importer_open_dynamic(import, &gds_ops);
}

static int gds_job(struct check_import *import)
{
	struct importer *importer = import->own;
	struct sg_table *sgt;
	int ret;

	dma_resv_lock(importer->dmabuf->resv, NULL);
	dma_resv_wait_timeout(importer->dmabuf->resv, DMA_RESV_USAGE_KERNEL, false,
			      MAX_SCHEDULE_TIMEOUT);
	sgt = dma_buf_map_attachment(importer->attach, importer->dir);
	if (IS_ERR(sgt)) {
		ret = PTR_ERR(sgt);
		goto unlock;
	}
	ret = check_device_runs(import, sgt);
	dma_buf_unmap_attachment(importer->attach, sgt, importer->dir);
unlock:
	dma_resv_unlock(importer->dmabuf->resv);
	return ret;
}

DMABUF_CHECK(
	{ .name = "no-move-notify", .open = gds_open, .access = gds_job, .close = importer_close });
