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
	int ret;

	dma_resv_lock(import->dmabuf->resv, NULL);
	ret = importer_job_locked(import);
	dma_resv_unlock(import->dmabuf->resv);
	return ret;
}

DMABUF_CHECK(
	{ .name = "no-move-notify", .open = gds_open, .access = gds_job, .close = importer_close });
