/* SPDX-License-Identifier: MIT */
/*
 * dma-fence-chain.c - timelines of fences
 *
 * The invariants are C1-C7 of linux/dma-fence-chain.h.  How they are kept here:
 *
 *   - prev is read under RCU and a reference taken that is that of the fence in place; it moves by
 *     one cmpxchg(), whose winner inherits the reference that stood there (C2).
 *   - Who waits for a link hangs one callback on the first unsignaled fence of the walk.  That
 *     fence's signal queues the irq_work, which looks for the next one and so on: one callback
 *     for a chain of any length (C4, C6).
 *   - A release takes the links that only it holds out of their places one by one before it puts
 *     them, so that each is released alone (C4).
 */
#include <linux/dma-fence-chain.h>
#include <linux/atomic.h>
#include <linux/export.h>
#include <linux/minmax.h>
#include <linux/rcupdate.h>

static struct dma_fence *get_prev(struct dma_fence_chain *chain)
{
	struct dma_fence *prev;

	rcu_read_lock();
	prev = dma_fence_get_rcu_safe(&chain->prev);
	rcu_read_unlock();
	return prev;
}

/*
 * Can @chain refer past @prev?  If so a reference of what stands behind it goes to *@behind, NULL
 * when nothing does.
 */
static bool can_skip(struct dma_fence *prev, struct dma_fence **behind)
{
	struct dma_fence_chain *link = to_dma_fence_chain(prev);

	*behind = NULL;
	if (!dma_fence_is_signaled(link ? link->fence : prev))
		return false;
	if (link)
		*behind = get_prev(link);
	return true;
}

struct dma_fence *dma_fence_chain_walk(struct dma_fence *fence)
{
	struct dma_fence_chain *chain = to_dma_fence_chain(fence);
	struct dma_fence *prev, *behind;

	if (!chain) {
		dma_fence_put(fence);
		return NULL;
	}

	while ((prev = get_prev(chain)) && can_skip(prev, &behind)) {
		/* The loser of two walkers drops what the winner dropped or kept already. */
		if (cmpxchg(&chain->prev, prev, behind) == prev)
			dma_fence_put(prev);
		else
			dma_fence_put(behind);
		dma_fence_put(prev);
	}

	dma_fence_put(fence);
	return prev;
}
EXPORT_SYMBOL(dma_fence_chain_walk);

int dma_fence_chain_find_seqno(struct dma_fence **pfence, uint64_t seqno)
{
	struct dma_fence_chain *newest;
	struct dma_fence *fence;

	if (!seqno)
		return 0;

	newest = to_dma_fence_chain(*pfence);
	if (!newest || newest->base.seqno < seqno)
		return -EINVAL;

	dma_fence_chain_for_each(fence, &newest->base) {
		if (fence->context != newest->base.context ||
		    to_dma_fence_chain(fence)->prev_seqno < seqno)
			break;
	}
	*pfence = fence;
	dma_fence_put(&newest->base);
	return 0;
}
EXPORT_SYMBOL(dma_fence_chain_find_seqno);

/* --- signalling ------------------------------------------------------------------------------- */

static bool chain_enable_signaling(struct dma_fence *fence);

static void continue_or_signal(struct irq_work *work)
{
	struct dma_fence_chain *chain = container_of(work, struct dma_fence_chain, work);

	if (!chain_enable_signaling(&chain->base))
		dma_fence_signal(&chain->base);
	dma_fence_put(&chain->base);
}

/* Under the lock of @fence, where no other fence may be waited for: hence the irq_work. */
static void contained_signaled(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	struct dma_fence_chain *chain = container_of(cb, struct dma_fence_chain, cb);

	irq_work_queue(&chain->work);
	/* Not the last one: whoever signals holds a reference. */
	dma_fence_put(fence);
}

/* Also called from the irq_work, without the lock: there is one callback, so one caller. */
static bool chain_enable_signaling(struct dma_fence *head)
{
	struct dma_fence_chain *chain = to_dma_fence_chain(head);
	struct dma_fence *fence;

	/* The callback's. */
	dma_fence_get(head);
	dma_fence_chain_for_each(fence, head) {
		struct dma_fence *contained = dma_fence_get(dma_fence_chain_contained(fence));

		if (!dma_fence_add_callback(contained, &chain->cb, contained_signaled)) {
			dma_fence_put(fence);
			return true;
		}
		dma_fence_put(contained);
	}
	dma_fence_put(head);
	return false;
}

/* --- the fence's other operations ------------------------------------------------------------- */

static const char *chain_driver_name(struct dma_fence *fence)
{
	return "dma_fence_chain";
}

static const char *chain_timeline_name(struct dma_fence *fence)
{
	return "unbound";
}

static bool chain_signaled(struct dma_fence *head)
{
	struct dma_fence *fence;

	dma_fence_chain_for_each(fence, head) {
		if (!dma_fence_is_signaled(dma_fence_chain_contained(fence))) {
			dma_fence_put(fence);
			return false;
		}
	}
	return true;
}

static void chain_release(struct dma_fence *fence)
{
	struct dma_fence_chain *chain = to_dma_fence_chain(fence);
	struct dma_fence *prev;

	while ((prev = rcu_dereference_protected(chain->prev, true))) {
		struct dma_fence_chain *link = to_dma_fence_chain(prev);

		/* A prev that others hold outlives this put. */
		if (!link || kref_read(&prev->refcount) > 1)
			break;
		/* Nobody else can walk from link: this is its only reference. */
		rcu_assign_pointer(chain->prev, rcu_dereference_protected(link->prev, true));
		RCU_INIT_POINTER(link->prev, NULL);
		dma_fence_put(prev);
	}
	dma_fence_put(prev);

	dma_fence_put(chain->fence);
	dma_fence_free(fence);
}

static void chain_set_deadline(struct dma_fence *head, ktime_t deadline)
{
	struct dma_fence *fence;

	dma_fence_chain_for_each(fence, head)
		dma_fence_set_deadline(dma_fence_chain_contained(fence), deadline);
}

static const struct dma_fence_ops chain_ops = {
	.use_64bit_seqno = true,
	.container = DMA_FENCE_CHAIN,
	.get_driver_name = chain_driver_name,
	.get_timeline_name = chain_timeline_name,
	.enable_signaling = chain_enable_signaling,
	.signaled = chain_signaled,
	.release = chain_release,
	.set_deadline = chain_set_deadline,
};

/* --- life ------------------------------------------------------------------------------------- */

void dma_fence_chain_init(struct dma_fence_chain *chain, struct dma_fence *prev,
			  struct dma_fence *fence, u64 seqno)
{
	struct dma_fence_chain *link = to_dma_fence_chain(prev);
	u64 context;

	WARN(dma_fence_is_chain(fence), "dma-fence-chain: a link contains no link");

	chain->prev_seqno = 0;
	if (link && __dma_fence_is_later(seqno, prev->seqno, prev->ops)) {
		context = prev->context;
		chain->prev_seqno = prev->seqno;
	} else {
		context = dma_fence_context_alloc(1);
		if (link)
			seqno = max(prev->seqno, seqno);
	}

	spin_lock_init(&chain->lock);
	rcu_assign_pointer(chain->prev, prev);
	chain->fence = fence;
	init_irq_work(&chain->work, continue_or_signal);
	dma_fence_init(&chain->base, &chain_ops, &chain->lock, context, seqno);
}
EXPORT_SYMBOL(dma_fence_chain_init);
