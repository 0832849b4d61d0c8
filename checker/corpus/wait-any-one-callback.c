/* SPDX-License-Identifier: MIT */
/*
 * wait-any-one-callback.c - a wait for any of n fences that allocates one callback
 *
 * Report: freebsd/drm-kmod#251: "Various panics caused by corruption of DMA fence data", with a session
 *	of many windows
 * Wrong: malloc(sizeof(*cb)) where n of them are needed; the second fence's is beyond the end
 * Rule: each fence that is waited for has a callback of its own
 */
#include "queue.h"
#include "wait-any.h"

/* Waits until one of those who use the buffer has finished. */
static int wait_for_one(struct dma_resv *resv)
{
	struct dma_fence **fences;
	struct any_cb *cb;
	unsigned int count;
	int ret;

	ret = dma_resv_get_fences(resv, DMA_RESV_USAGE_READ, &count, &fences);
	if (ret || !count)
		return ret;
#ifdef FIXED
	cb = kcalloc(count, sizeof(*cb), GFP_KERNEL);
#else
	cb = kzalloc(sizeof(*cb), GFP_KERNEL);
#endif
	if (cb)
		any_wait(cb, fences, count, HZ);
	else
		ret = -ENOMEM;
	kfree(cb);
	while (count--)
		dma_fence_put(fences[count]);
	kfree(fences);
	return ret;
}

static int throttled_job(struct check_import *import)
{
	int ret = wait_for_one(import->dmabuf->resv);

	return ret ? ret : queue_job(import);
}

DMABUF_CHECK({ .name = "wait-any-one-callback",
	       .dirs = CHECK_DIR(DMA_TO_DEVICE),
	       .open = queue_open,
	       .access = throttled_job,
	       .close = queue_close });
