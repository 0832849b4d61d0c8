/* SPDX-License-Identifier: MIT */
/*
 * wait-any-past-the-end.c - a wait for any of n fences that then looks at the one behind the last
 *
 * Report: NetBSD, sys/external/bsd/drm2/linux/linux_dma_fence.c before 1.32: the loop after the wait in
 *	dma_fence_wait_any_timeout() counts j and tests fences[i]
 * Wrong: i is n after all callbacks were added; what is behind the array is taken for a fence
 * Rule: memory is touched only within its bounds
 */
#include "queue.h"
#include "wait-any.h"

/* Has one signaled? @waited: as any_wait() returned it */
static bool any_is_signalled(struct any_cb *cb, unsigned int count, unsigned int waited)
{
	for (unsigned int i = 0; i < count; i++) {
#ifdef FIXED
		if (dma_fence_is_signaled(cb[i].fence))
#else
		if (dma_fence_is_signaled(cb[waited].fence))
#endif
			return true;
	}
	return false;
}

/* Waits until one of those who use the buffer has finished. */
static int wait_for_one(struct dma_resv *resv)
{
	struct dma_fence **fences;
	struct any_cb *cb;
	unsigned int count, waited;
	int ret;

	ret = dma_resv_get_fences(resv, DMA_RESV_USAGE_READ, &count, &fences);
	if (ret || !count)
		return ret;
	cb = kcalloc(count, sizeof(*cb), GFP_KERNEL);
	if (!cb) {
		ret = -ENOMEM;
		goto put_fences;
	}
	do {
		waited = any_wait(cb, fences, count, HZ);
	} while (!any_is_signalled(cb, count, waited));
	kfree(cb);
put_fences:
	while (count--)
		dma_fence_put(fences[count]);
	kfree(fences);
	return ret;
}

static int checked_job(struct check_import *import)
{
	int ret = wait_for_one(import->dmabuf->resv);

	return ret ? ret : queue_job(import);
}

DMABUF_CHECK({ .name = "wait-any-past-the-end",
	       .dirs = CHECK_DIR(DMA_TO_DEVICE),
	       .open = queue_open,
	       .access = checked_job,
	       .close = queue_close });
