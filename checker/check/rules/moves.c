/* SPDX-License-Identifier: MIT */
/* moves.c - an importer that follows moves: it queues a job whose fence is in the reservation */
#include <linux/completion.h>
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/jiffies.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "breaks.h"

struct importer {
	struct dma_buf_attachment *attach;
	struct check_import *import;
	struct completion told; /* of a move */

	/* guarded by the reservation */
	struct sg_table *sgt; /* kept until it moves, or NULL */
	bool moved;

	/* from access() until its work is done */
	struct work_struct work;
	struct dma_fence *fence;
	spinlock_t lock;
};

static const char *name(struct dma_fence *fence)
{
	return "moves";
}

static const struct dma_fence_ops fence_ops = {
	.get_driver_name = name,
	.get_timeline_name = name,
};

static void move_notify(struct dma_buf_attachment *attach)
{
	struct importer *importer = attach->importer_priv;

	if (breaks("MOVE-09") && !dma_buf_pin(attach))
		dma_buf_unpin(attach);
	if (breaks("MOVE-10"))
		dma_buf_move_notify(attach->dmabuf);
	/* Its device may be at work: it is unmapped when the next job comes. */
	importer->moved = true;
	complete(&importer->told);
}

static const struct dma_buf_attach_ops follows = {
	.allow_peer2peer = true,
	.move_notify = move_notify,
};

static void work(struct work_struct *work)
{
	struct importer *importer = container_of(work, struct importer, work);
	enum dma_data_direction dir = importer->import->dir;
	struct device *dev = importer->import->dev;

	/* A job that takes until the buffer has moved, if it does. */
	if (breaks("MOVE-05") && wait_for_completion_timeout(&importer->told, HZ / 5)) {
		dma_resv_lock(importer->import->dmabuf->resv, NULL);
		dma_resv_unlock(importer->import->dmabuf->resv);
	}
	dma_sync_sgtable_for_device(dev, importer->sgt, dir);
	check_device_runs(importer->import, importer->sgt);
	dma_sync_sgtable_for_cpu(dev, importer->sgt, dir);
	dma_fence_signal(importer->fence);
	dma_fence_put(importer->fence);
}

/* Reservation held, nothing queued. */
static void forget(struct importer *importer)
{
	if (importer->sgt)
		dma_buf_unmap_attachment(importer->attach, importer->sgt, importer->import->dir);
	importer->sgt = NULL;
}

static int map(struct importer *importer)
{
	struct sg_table *sgt;

	if (importer->sgt && (!importer->moved || breaks("MOVE-04")))
		return 0;
	forget(importer);
	importer->moved = false;
	dma_resv_wait_timeout(importer->attach->dmabuf->resv, DMA_RESV_USAGE_KERNEL, false,
			      MAX_SCHEDULE_TIMEOUT);
	sgt = dma_buf_map_attachment(importer->attach, importer->import->dir);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	importer->sgt = sgt;
	return 0;
}

/* Reservation held. */
static int queue(struct importer *importer)
{
	struct dma_resv *resv = importer->attach->dmabuf->resv;
	int ret;

	reinit_completion(&importer->told);
	ret = map(importer);
	if (ret)
		return ret;
	ret = dma_resv_reserve_fences(resv, 1);
	if (ret)
		return ret;
	importer->fence = kzalloc(sizeof(*importer->fence), GFP_KERNEL);
	if (!importer->fence)
		return -ENOMEM;
	dma_fence_init(importer->fence, &fence_ops, &importer->lock, dma_fence_context_alloc(1), 1);
	importer->import->fence = dma_fence_get(importer->fence);
	if (!breaks("MOVE-05"))
		dma_resv_add_fence(resv, importer->fence, DMA_RESV_USAGE_WRITE);
	queue_work(system_wq, &importer->work);
	return 0;
}

static int job(struct check_import *import)
{
	struct importer *importer = import->own;
	int ret;

	flush_work(&importer->work);
	dma_resv_lock(import->dmabuf->resv, NULL);
	ret = queue(importer);
	dma_resv_unlock(import->dmabuf->resv);
	return ret;
}

static int import_open(struct check_import *import)
{
	struct importer *importer = kzalloc(sizeof(*importer), GFP_KERNEL);
	int ret;

	if (!importer)
		return -ENOMEM;
	importer->import = import;
	spin_lock_init(&importer->lock);
	init_completion(&importer->told);
	INIT_WORK(&importer->work, work);
	importer->attach = dma_buf_dynamic_attach(import->dmabuf, import->dev, &follows, importer);
	if (IS_ERR(importer->attach)) {
		ret = PTR_ERR(importer->attach);
		kfree(importer);
		return ret;
	}
	import->own = importer;
	return 0;
}

static void import_close(struct check_import *import)
{
	struct importer *importer = import->own;

	flush_work(&importer->work);
	dma_resv_lock(import->dmabuf->resv, NULL);
	forget(importer);
	dma_resv_unlock(import->dmabuf->resv);
	dma_buf_detach(import->dmabuf, importer->attach);
	kfree(importer);
}

DMABUF_CHECK({ .name = "moves", .open = import_open, .access = job, .close = import_close });
