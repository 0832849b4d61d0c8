/* SPDX-License-Identifier: MIT */
/*
 * notify-lock-inversion.c - an importer that takes its lock in move_notify, and the reservation inside
 *	its lock
 *
 * Report: Mellanox/nv_peer_memory#92: "Peer-direct patch may cause deadlock due to lock inversion"
 * Wrong: a registration waits for the reservation with the lock, a move for the lock with the
 *	reservation
 * Rule: what is taken with the reservation held is never held while a reservation is taken
 */
#include <linux/mutex.h>

#include "importer.h"

struct region {
	struct importer base;
	struct mutex lock;
	bool stale; /* guarded by lock */
};

/* Reservation held. */
static void region_move(struct dma_buf_attachment *attach)
{
	struct region *region = attach->importer_priv;

	mutex_lock(&region->lock);
	region->stale = true;
	mutex_unlock(&region->lock);
}

static const struct dma_buf_attach_ops region_ops = {
	.allow_peer2peer = true,
	.move_notify = region_move,
};

static int region_open(struct check_import *import)
{
	struct region *region = kzalloc(sizeof(*region), GFP_KERNEL);
	int ret;

	if (!region)
		return -ENOMEM;
	mutex_init(&region->lock);
	ret = importer_init(&region->base, import, &region_ops);
	if (ret)
		kfree(region);
	return ret;
}

static int region_job(struct check_import *import)
{
	struct region *region = import->own;
	int ret;

#ifdef FIXED
	dma_resv_lock(import->dmabuf->resv, NULL);
	ret = importer_job_locked(import);
	dma_resv_unlock(import->dmabuf->resv);
	mutex_lock(&region->lock);
	region->stale = false;
	mutex_unlock(&region->lock);
#else
	mutex_lock(&region->lock);
	dma_resv_lock(import->dmabuf->resv, NULL);
	ret = importer_job_locked(import);
	dma_resv_unlock(import->dmabuf->resv);
	region->stale = false;
	mutex_unlock(&region->lock);
#endif
	return ret;
}

static void region_close(struct check_import *import)
{
	struct region *region = import->own;

	importer_fini(&region->base);
	mutex_destroy(&region->lock);
	kfree(region);
}

DMABUF_CHECK({ .name = "notify-lock-inversion",
	       .open = region_open,
	       .access = region_job,
	       .close = region_close });
