/* SPDX-License-Identifier: MIT */
/*
 * dma-fence.c - fences: signalling, callbacks, waiting
 *
 * The invariants are F1-F6 of linux/dma-fence.h.  How they are kept here:
 *
 *   - SIGNALED is set by a fully ordered test-and-set under fence->lock (F1, F2); everybody else
 *     reads it with acquire.
 *   - A callback is on fence->cb_list or its node is empty, both under fence->lock (F3).  The
 *     signal takes the whole list and keeps the lock while it runs the callbacks, so a removal
 *     that finds its node empty has waited for the callback.
 *   - cb_list, timestamp and rcu share memory: cb_list is read only while SIGNALED is clear, under
 *     the lock; timestamp only after TIMESTAMP was seen; rcu after the last reference.
 *
 * Semantics: Linux 6.12.  Deliberately not here: tracepoints.
 */
#include <linux/dma-fence.h>
#include <linux/atomic.h>
#include <linux/export.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/sched/signal.h>

#include "event.h"

_Static_assert(sizeof(struct dma_fence) <= 64, "a fence fits into a cache line");

/* Context 0 belongs to the stubs. */
static atomic64_t next_context = ATOMIC64_INIT(1);

/* --- life ------------------------------------------------------------------------------------- */

void dma_fence_init(struct dma_fence *fence, const struct dma_fence_ops *ops, spinlock_t *lock,
		    u64 context, u64 seqno)
{
	BUG_ON(!lock);
	BUG_ON(!ops || !ops->get_driver_name || !ops->get_timeline_name);

	fence->lock = lock;
	fence->ops = ops;
	INIT_LIST_HEAD(&fence->cb_list);
	fence->context = context;
	fence->seqno = seqno;
	fence->flags = 0;
	fence->error = 0;
	kref_init(&fence->refcount);
}
EXPORT_SYMBOL(dma_fence_init);

void dma_fence_release(struct kref *kref)
{
	struct dma_fence *fence = container_of(kref, struct dma_fence, refcount);

	if (!dma_fence_test_signaled_flag(fence) && !list_empty(&fence->cb_list)) {
		unsigned long flags;

		WARN(1,
		     "dma-fence: %s %s %llu:%llu released unsignaled while somebody waits for it",
		     fence->ops->get_driver_name(fence), fence->ops->get_timeline_name(fence),
		     fence->context, fence->seqno);
		spin_lock_irqsave(fence->lock, flags);
		fence->error = -EDEADLK;
		dma_fence_signal_locked(fence);
		spin_unlock_irqrestore(fence->lock, flags);
	}

	if (fence->ops->release)
		fence->ops->release(fence);
	else
		dma_fence_free(fence);
}
EXPORT_SYMBOL(dma_fence_release);

void dma_fence_free(struct dma_fence *fence)
{
	kfree_rcu(fence, rcu);
}
EXPORT_SYMBOL(dma_fence_free);

u64 dma_fence_context_alloc(unsigned int num)
{
	WARN(!num, "dma-fence: at least one context is allocated at a time");
	return atomic64_fetch_add(num, &next_context);
}
EXPORT_SYMBOL(dma_fence_context_alloc);

/* --- stubs ------------------------------------------------------------------------------------ */

/* Guards the first use of stub, and is the lock of every stub. */
static DEFINE_SPINLOCK(stub_lock);
static struct dma_fence stub;

static const char *stub_name(struct dma_fence *fence)
{
	return "stub";
}

static const struct dma_fence_ops stub_ops = {
	.get_driver_name = stub_name,
	.get_timeline_name = stub_name,
};

static noinline void stub_prepare(void)
{
	unsigned long flags;

	spin_lock_irqsave(&stub_lock, flags);
	if (!stub.ops) {
		/* The reference of init stays with the static, so the stub is never released. */
		dma_fence_init(&stub, &stub_ops, &stub_lock, 0, 0);
		set_bit(DMA_FENCE_FLAG_ENABLE_SIGNAL_BIT, &stub.flags);
		dma_fence_signal_locked(&stub);
	}
	spin_unlock_irqrestore(&stub_lock, flags);
}

struct dma_fence *dma_fence_get_stub(void)
{
	/* Signaled is the last that happens to it. */
	if (unlikely(!test_bit_acquire(DMA_FENCE_FLAG_TIMESTAMP_BIT, &stub.flags)))
		stub_prepare();
	return dma_fence_get(&stub);
}
EXPORT_SYMBOL(dma_fence_get_stub);

struct dma_fence *dma_fence_allocate_private_stub(ktime_t timestamp)
{
	struct dma_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL);

	if (!fence)
		return NULL;
	dma_fence_init(fence, &stub_ops, &stub_lock, 0, 0);
	set_bit(DMA_FENCE_FLAG_ENABLE_SIGNAL_BIT, &fence->flags);
	dma_fence_signal_timestamp(fence, timestamp);
	return fence;
}
EXPORT_SYMBOL(dma_fence_allocate_private_stub);

/* --- signalling ------------------------------------------------------------------------------- */

int dma_fence_signal_timestamp_locked(struct dma_fence *fence, ktime_t timestamp)
{
	struct dma_fence_cb *cb, *next;
	struct list_head callbacks;

	lockdep_assert_held(fence->lock);

	if (test_and_set_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &fence->flags))
		return -EINVAL;

	list_replace(&fence->cb_list, &callbacks);
	fence->timestamp = timestamp;
	/* Fully ordered, unlike set_bit(): dma_fence_timestamp() reads the time without the lock.
	 */
	test_and_set_bit(DMA_FENCE_FLAG_TIMESTAMP_BIT, &fence->flags);
	/* Told here, for the last callback may take the fence with it. */
	event_tell(EVENT_FENCE_SIGNAL, fence, NULL, 0, 0, 0);

	list_for_each_entry_safe(cb, next, &callbacks, node) {
		/* The owner may free or reuse cb inside func. */
		INIT_LIST_HEAD(&cb->node);
		cb->func(fence, cb);
	}
	return 0;
}
EXPORT_SYMBOL(dma_fence_signal_timestamp_locked);

static inline int signal_at(struct dma_fence *fence, ktime_t timestamp)
{
	unsigned long flags;
	int ret;

	if (WARN(!fence, "dma-fence: no fence to signal"))
		return -EINVAL;

	spin_lock_irqsave(fence->lock, flags);
	ret = dma_fence_signal_timestamp_locked(fence, timestamp);
	spin_unlock_irqrestore(fence->lock, flags);
	return ret;
}

int dma_fence_signal_timestamp(struct dma_fence *fence, ktime_t timestamp)
{
	return signal_at(fence, timestamp);
}
EXPORT_SYMBOL(dma_fence_signal_timestamp);

int dma_fence_signal_locked(struct dma_fence *fence)
{
	return dma_fence_signal_timestamp_locked(fence, ktime_get());
}
EXPORT_SYMBOL(dma_fence_signal_locked);

int dma_fence_signal(struct dma_fence *fence)
{
	return signal_at(fence, ktime_get());
}
EXPORT_SYMBOL(dma_fence_signal);

/* Returns whether the fence will be signaled later. */
static bool enable_signaling_locked(struct dma_fence *fence)
{
	bool enabled;

	lockdep_assert_held(fence->lock);

	enabled = test_and_set_bit(DMA_FENCE_FLAG_ENABLE_SIGNAL_BIT, &fence->flags);
	if (dma_fence_test_signaled_flag(fence))
		return false;
	if (!enabled && fence->ops->enable_signaling && !fence->ops->enable_signaling(fence)) {
		dma_fence_signal_locked(fence);
		return false;
	}
	return true;
}

void dma_fence_enable_sw_signaling(struct dma_fence *fence)
{
	unsigned long flags;

	spin_lock_irqsave(fence->lock, flags);
	enable_signaling_locked(fence);
	spin_unlock_irqrestore(fence->lock, flags);
}
EXPORT_SYMBOL(dma_fence_enable_sw_signaling);

/* --- asking ----------------------------------------------------------------------------------- */

int dma_fence_get_status(struct dma_fence *fence)
{
	unsigned long flags;
	int status;

	spin_lock_irqsave(fence->lock, flags);
	status = dma_fence_get_status_locked(fence);
	spin_unlock_irqrestore(fence->lock, flags);
	return status;
}
EXPORT_SYMBOL(dma_fence_get_status);

ktime_t dma_fence_timestamp(struct dma_fence *fence)
{
	if (WARN(!dma_fence_test_signaled_flag(fence),
		 "dma-fence: only a signaled fence has a timestamp"))
		return ktime_get();

	while (!test_bit_acquire(DMA_FENCE_FLAG_TIMESTAMP_BIT, &fence->flags))
		cpu_relax();
	return fence->timestamp;
}
EXPORT_SYMBOL(dma_fence_timestamp);

void dma_fence_set_deadline(struct dma_fence *fence, ktime_t deadline)
{
	if (fence->ops->set_deadline && !dma_fence_is_signaled(fence))
		fence->ops->set_deadline(fence, deadline);
}
EXPORT_SYMBOL(dma_fence_set_deadline);

void dma_fence_describe(struct dma_fence *fence, struct seq_file *seq)
{
	seq_printf(seq, "%s %s seq %llu %ssignalled\n", fence->ops->get_driver_name(fence),
		   fence->ops->get_timeline_name(fence), (unsigned long long)fence->seqno,
		   dma_fence_is_signaled(fence) ? "" : "un");
}
EXPORT_SYMBOL(dma_fence_describe);

/* --- waiting ---------------------------------------------------------------------------------- */

int dma_fence_add_callback(struct dma_fence *fence, struct dma_fence_cb *cb, dma_fence_func_t func)
{
	unsigned long flags;
	int ret = 0;

	if (WARN(!fence || !func, "dma-fence: a callback needs a fence and a function"))
		return -EINVAL;

	INIT_LIST_HEAD(&cb->node);
	if (dma_fence_test_signaled_flag(fence))
		return -ENOENT;

	spin_lock_irqsave(fence->lock, flags);
	if (enable_signaling_locked(fence)) {
		cb->func = func;
		list_add_tail(&cb->node, &fence->cb_list);
	} else {
		ret = -ENOENT;
	}
	spin_unlock_irqrestore(fence->lock, flags);
	return ret;
}
EXPORT_SYMBOL(dma_fence_add_callback);

bool dma_fence_remove_callback(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	unsigned long flags;
	bool armed;

	spin_lock_irqsave(fence->lock, flags);
	armed = !list_empty(&cb->node);
	if (armed)
		list_del_init(&cb->node);
	spin_unlock_irqrestore(fence->lock, flags);
	return armed;
}
EXPORT_SYMBOL(dma_fence_remove_callback);

/* Lives on the waiter's stack: the waiter takes fence->lock once more before it returns. */
struct waiter {
	struct dma_fence_cb base;
	struct task_struct *task;
};

static void wake_waiter(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	wake_up_state(container_of(cb, struct waiter, base)->task, TASK_NORMAL);
}

signed long dma_fence_default_wait(struct dma_fence *fence, bool intr, signed long timeout)
{
	struct waiter waiter = { .base.func = wake_waiter, .task = current };
	signed long ret = timeout ? timeout : 1;
	unsigned long flags;

	INIT_LIST_HEAD(&waiter.base.node);
	spin_lock_irqsave(fence->lock, flags);

	if (dma_fence_test_signaled_flag(fence))
		goto unlock;
	if (intr && signal_pending(current)) {
		ret = -ERESTARTSYS;
		goto unlock;
	}
	if (!timeout) {
		ret = 0;
		goto unlock;
	}

	list_add(&waiter.base.node, &fence->cb_list);
	while (!dma_fence_test_signaled_flag(fence) && ret > 0) {
		/* Before the lock goes: a signal from then on finds a state to change. */
		set_current_state(intr ? TASK_INTERRUPTIBLE : TASK_UNINTERRUPTIBLE);
		spin_unlock_irqrestore(fence->lock, flags);

		ret = schedule_timeout(ret);

		spin_lock_irqsave(fence->lock, flags);
		if (ret > 0 && intr && signal_pending(current))
			ret = -ERESTARTSYS;
	}
	if (!list_empty(&waiter.base.node))
		list_del(&waiter.base.node);
	__set_current_state(TASK_RUNNING);

unlock:
	spin_unlock_irqrestore(fence->lock, flags);
	return ret;
}
EXPORT_SYMBOL(dma_fence_default_wait);

static void might_wait(void)
{
	if (IS_ENABLED(HOST_LOCKDEP))
		host_might_wait_for_fence();
}

signed long dma_fence_wait_timeout(struct dma_fence *fence, bool intr, signed long timeout)
{
	if (WARN(timeout < 0, "dma-fence: a negative timeout"))
		return -EINVAL;

	might_sleep();
	might_wait();
	dma_fence_enable_sw_signaling(fence);
	if (fence->ops->wait)
		return fence->ops->wait(fence, intr, timeout);
	return dma_fence_default_wait(fence, intr, timeout);
}
EXPORT_SYMBOL(dma_fence_wait_timeout);

static bool any_signaled(struct dma_fence **fences, u32 count, u32 *idx)
{
	u32 i;

	for (i = 0; i < count; i++) {
		if (dma_fence_test_signaled_flag(fences[i])) {
			if (idx)
				*idx = i;
			return true;
		}
	}
	return false;
}

signed long dma_fence_wait_any_timeout(struct dma_fence **fences, u32 count, bool intr,
				       signed long timeout, u32 *idx)
{
	signed long ret = timeout;
	struct waiter *waiters;
	u32 armed;

	if (WARN(!fences || !count || timeout < 0,
		 "dma-fence: waiting for any takes fences and no negative timeout"))
		return -EINVAL;

	if (!timeout) {
		for (armed = 0; armed < count; armed++) {
			if (dma_fence_is_signaled(fences[armed])) {
				if (idx)
					*idx = armed;
				return 1;
			}
		}
		return 0;
	}

	might_sleep();
	might_wait();
	waiters = kcalloc(count, sizeof(*waiters), GFP_KERNEL);
	if (!waiters)
		return -ENOMEM;

	for (armed = 0; armed < count; armed++) {
		waiters[armed].task = current;
		if (dma_fence_add_callback(fences[armed], &waiters[armed].base, wake_waiter)) {
			if (idx)
				*idx = armed;
			goto disarm;
		}
	}

	while (ret > 0) {
		set_current_state(intr ? TASK_INTERRUPTIBLE : TASK_UNINTERRUPTIBLE);
		if (any_signaled(fences, count, idx))
			break;
		ret = schedule_timeout(ret);
		if (ret > 0 && intr && signal_pending(current))
			ret = -ERESTARTSYS;
	}
	__set_current_state(TASK_RUNNING);

disarm:
	while (armed--)
		dma_fence_remove_callback(fences[armed], &waiters[armed].base);
	kfree(waiters);
	return ret;
}
EXPORT_SYMBOL(dma_fence_wait_any_timeout);
