/* SPDX-License-Identifier: MIT */
/*
 * wait-any.h - wait until one of several fences signals, as the two drivers need it that get it wrong
 */
#ifndef CORPUS_WAIT_ANY_H
#define CORPUS_WAIT_ANY_H

#include <linux/completion.h>
#include <linux/dma-fence.h>

struct any_cb {
	struct dma_fence_cb base;
	struct dma_fence *fence;
	struct completion *done;
};

static inline void any_signalled(struct dma_fence *fence, struct dma_fence_cb *base)
{
	complete(container_of(base, struct any_cb, base)->done);
}

/*
 * Waits until one of @fences signals, or for @timeout jiffies.
 * @cb: one for each fence; has its fence afterwards
 * Returns how many fences it waited for: @count, or less when one had signaled before.
 */
static inline unsigned int any_wait(struct any_cb *cb, struct dma_fence **fences,
				    unsigned int count, unsigned long timeout)
{
	DECLARE_COMPLETION_ONSTACK(done);
	unsigned int armed = 0;

	for (unsigned int i = 0; i < count; i++)
		cb[i].fence = fences[i];
	while (armed < count) {
		cb[armed].done = &done;
		if (dma_fence_add_callback(fences[armed], &cb[armed].base, any_signalled))
			break;
		armed++;
	}
	if (armed == count)
		wait_for_completion_timeout(&done, timeout);
	for (unsigned int i = 0; i < armed; i++)
		dma_fence_remove_callback(fences[i], &cb[i].base);
	return armed;
}

#endif
