/* SPDX-License-Identifier: MIT */
/*
 * revoke.c - an exporter takes all mappings of its buffer away, for good
 *
 * Invariants
 *   RV1  From the moment it begins nobody gets a mapping: not from what is kept, not from the exporter.
 *   RV2  Each of the two waits is bounded.  Who has not gone by then is named, and his mapping, with
 *        the exporter's attachment behind it, lives until he unmaps: then the exporter is called.
 *   RV3  Where the second wait is long he is named while it lasts, too.
 */
#include <linux/bug.h>
#include <linux/device.h>
#include <linux/dma-fence.h>
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/printk.h>
#include <linux/wait.h>

#include "buffer.h"
#include "event.h"
#include "remap.h"
#include "slot-set.h"

/* How many mappings are in use; those of sets that were killed are all that is left of kept ones. */
static unsigned int users(struct dma_buf *dmabuf, bool name)
{
	unsigned int count;

	dma_resv_lock(dmabuf->resv, NULL);
	count = remap_users(dmabuf, name) + to_buffer(dmabuf)->quarantined;
	if (name)
		slot_sets_name_dead(dmabuf, "still uses a kept mapping of a revoked");
	dma_resv_unlock(dmabuf->resv);
	return count;
}

static bool wait_so_long(struct dma_buf *dmabuf, long timeout)
{
	struct buffer *buffer = to_buffer(dmabuf);

	for (;;) {
		unsigned int seen = READ_ONCE(buffer->unmaps);

		if (!users(dmabuf, false))
			return true;
		if (timeout <= 0)
			return false;
		timeout = wait_event_timeout(buffer->unmapped, READ_ONCE(buffer->unmaps) != seen,
					     timeout);
	}
}

/* RV3 */
static bool wait_for_unmaps(struct dma_buf *dmabuf, long timeout)
{
	long patience = min(timeout, (long)msecs_to_jiffies(READ_ONCE(buffer_patience_ms)));

	if (wait_so_long(dmabuf, patience))
		return true;
	return timeout > patience && users(dmabuf, true) &&
	       wait_so_long(dmabuf, timeout - patience);
}

static void name_fences(struct dma_buf *dmabuf)
{
	struct dma_resv_iter cursor;
	struct dma_fence *fence;

	dma_resv_lock(dmabuf->resv, NULL);
	dma_resv_for_each_fence(&cursor, dmabuf->resv, DMA_RESV_USAGE_BOOKKEEP, fence)
		if (!dma_fence_is_signaled(fence))
			pr_err("dma-buf: a fence of %s, %s, has not signaled for a revoked %s "
			       "buffer\n",
			       fence->ops->get_driver_name(fence),
			       fence->ops->get_timeline_name(fence), dmabuf->exp_name);
	dma_resv_unlock(dmabuf->resv);
}

int dma_buf_revoke(struct dma_buf *dmabuf, long timeout)
{
	struct buffer *buffer;
	int ret = 0;

	if (WARN(!dmabuf, "dma-buf: revoke of no buffer\n"))
		return -EINVAL;
	might_sleep();
	if (lock_rule(dma_buf_revoke, dmabuf->resv))
		return -EDEADLK;

	buffer = to_buffer(dmabuf);
	dma_resv_lock(dmabuf->resv, NULL);
	WRITE_ONCE(buffer->revoked, true);
	if (dma_buf_is_dynamic(dmabuf))
		dma_buf_move_notify(dmabuf);
	dma_resv_unlock(dmabuf->resv);
	slot_sets_revoke(dmabuf);

	if (dma_resv_wait_timeout(dmabuf->resv, DMA_RESV_USAGE_BOOKKEEP, false, timeout) <= 0) {
		name_fences(dmabuf);
		ret = -ETIMEDOUT;
	}
	if (!wait_for_unmaps(dmabuf, timeout) && users(dmabuf, true))
		ret = -ETIMEDOUT;
	return ret;
}
