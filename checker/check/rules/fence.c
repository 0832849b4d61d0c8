/* SPDX-License-Identifier: MIT */
/* fence.c - an importer that queues its jobs, each with a fence in the reservation */
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "breaks.h"

struct queued {
	struct check_import *import;
	struct dma_buf_attachment *attach;
	u64 context, seqno;
	spinlock_t lock; /* of fences, which leave it alone once they have signaled */
	struct work_struct work;
	struct dma_fence *fence; /* of the job that is queued */
};

static const char *name(struct dma_fence *fence)
{
	return "queued";
}

static const struct dma_fence_ops fence_ops = {
	.get_driver_name = name,
	.get_timeline_name = name,
};

static void run_job(struct work_struct *work)
{
	struct queued *queued = container_of(work, struct queued, work);
	struct dma_fence *fence = queued->fence; /* with its signal comes the next */
	struct check_import *import = queued->import;
	struct sg_table *sgt;

	sgt = dma_buf_map_attachment_unlocked(queued->attach, import->dir);
	if (!IS_ERR(sgt)) {
		check_device_runs(import, sgt);
		dma_buf_unmap_attachment_unlocked(queued->attach, sgt, import->dir);
	}
	if (!breaks("FENCE-01"))
		dma_fence_signal(fence);
	dma_fence_put(fence);
}

static int submit(struct check_import *import)
{
	struct queued *queued = import->own;
	struct dma_resv *resv = import->dmabuf->resv;
	struct dma_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL);
	int ret;

	if (!fence)
		return -ENOMEM;
	dma_resv_lock(resv, NULL);
	ret = dma_resv_reserve_fences(resv, 1);
	if (ret) {
		dma_resv_unlock(resv);
		kfree(fence);
		return ret;
	}
	dma_fence_init(fence, &fence_ops, &queued->lock, queued->context, ++queued->seqno);
	dma_resv_add_fence(resv, fence,
			   import->dir == DMA_TO_DEVICE ? DMA_RESV_USAGE_READ
							: DMA_RESV_USAGE_WRITE);
	dma_resv_unlock(resv);
	queued->fence = fence;
	schedule_work(&queued->work);
	return 0;
}

static int queue_open(struct check_import *import)
{
	struct queued *queued = kzalloc(sizeof(*queued), GFP_KERNEL);

	if (!queued)
		return -ENOMEM;
	queued->attach = dma_buf_attach(import->dmabuf, import->dev);
	if (IS_ERR(queued->attach)) {
		int ret = PTR_ERR(queued->attach);

		kfree(queued);
		return ret;
	}
	queued->import = import;
	queued->context = dma_fence_context_alloc(1);
	spin_lock_init(&queued->lock);
	INIT_WORK(&queued->work, run_job);
	import->own = queued;
	return 0;
}

static void queue_close(struct check_import *import)
{
	struct queued *queued = import->own;

	flush_work(&queued->work);
	dma_buf_detach(import->dmabuf, queued->attach);
	kfree(queued);
}

DMABUF_CHECK({ .name = "queued", .open = queue_open, .access = submit, .close = queue_close });
