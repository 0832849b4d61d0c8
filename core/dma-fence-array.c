/* SPDX-License-Identifier: MIT */
/*
 * dma-fence-array.c - arrays of fences
 *
 * The invariants are A1-A5 of linux/dma-fence-array.h.  How they are kept here:
 *
 *   - num_pending counts down.  Before signalling is enabled only enable_signaling() writes it;
 *     who takes it to 0 signals (A3), nobody else does.
 *   - ops->signaled reads num_pending first and then whether signalling is enabled: a count that
 *     is going down is never taken for one that has not begun.
 *   - Each armed callback holds a reference of the array; the one that takes num_pending to 0
 *     hands its own to the irq_work.
 *   - base.error is ERROR_UNKNOWN until one cmpxchg() writes what it will be (A5).
 */
#include <linux/dma-fence-array.h>
#include <linux/export.h>
#include <linux/overflow.h>
#include <linux/slab.h>

/* No errno, and not 0: no member has failed so far. */
#define ERROR_UNKNOWN 1

static void settle_error(struct dma_fence_array *array, int error)
{
	cmpxchg(&array->base.error, ERROR_UNKNOWN, error);
}

static void note_failure(struct dma_fence_array *array, struct dma_fence *member)
{
	if (member->error)
		settle_error(array, member->error);
}

static void signal_array(struct irq_work *work)
{
	struct dma_fence_array *array = container_of(work, struct dma_fence_array, work);

	settle_error(array, 0);
	dma_fence_signal(&array->base);
	dma_fence_put(&array->base);
}

/* Under the member's lock, whose order to array->lock is unknown: hence the irq_work. */
static void member_signaled(struct dma_fence *member, struct dma_fence_cb *cb)
{
	struct dma_fence_array *array = container_of(cb, struct dma_fence_array_cb, cb)->array;

	note_failure(array, member);
	if (atomic_dec_and_test(&array->num_pending))
		irq_work_queue(&array->work);
	else
		dma_fence_put(&array->base);
}

/* --- the fence's operations ------------------------------------------------------------------- */

static const char *array_driver_name(struct dma_fence *fence)
{
	return "dma_fence_array";
}

static const char *array_timeline_name(struct dma_fence *fence)
{
	return "unbound";
}

static bool array_enable_signaling(struct dma_fence *fence)
{
	struct dma_fence_array *array = to_dma_fence_array(fence);
	unsigned int i;

	for (i = 0; i < array->num_fences; i++) {
		struct dma_fence_array_cb *cb = &array->callbacks[i];

		cb->array = array;
		dma_fence_get(&array->base);
		if (!dma_fence_add_callback(array->fences[i], &cb->cb, member_signaled))
			continue;

		note_failure(array, array->fences[i]);
		dma_fence_put(&array->base);
		if (atomic_dec_and_test(&array->num_pending)) {
			settle_error(array, 0);
			return false;
		}
	}
	return true;
}

static bool array_signaled(struct dma_fence *fence)
{
	struct dma_fence_array *array = to_dma_fence_array(fence);
	int missing = atomic_read_acquire(&array->num_pending);
	unsigned int i;

	if (test_bit(DMA_FENCE_FLAG_ENABLE_SIGNAL_BIT, &fence->flags)) {
		if (missing > 0)
			return false;
		goto signaled;
	}

	for (i = 0; i < array->num_fences; i++) {
		if (dma_fence_is_signaled(array->fences[i]) && --missing == 0)
			goto signaled;
	}
	return false;

signaled:
	settle_error(array, 0);
	return true;
}

static void array_release(struct dma_fence *fence)
{
	struct dma_fence_array *array = to_dma_fence_array(fence);
	unsigned int i;

	for (i = 0; i < array->num_fences; i++)
		dma_fence_put(array->fences[i]);
	kfree(array->fences);
	dma_fence_free(fence);
}

static void array_set_deadline(struct dma_fence *fence, ktime_t deadline)
{
	struct dma_fence_array *array = to_dma_fence_array(fence);
	unsigned int i;

	for (i = 0; i < array->num_fences; i++)
		dma_fence_set_deadline(array->fences[i], deadline);
}

static const struct dma_fence_ops array_ops = {
	.container = DMA_FENCE_ARRAY,
	.get_driver_name = array_driver_name,
	.get_timeline_name = array_timeline_name,
	.enable_signaling = array_enable_signaling,
	.signaled = array_signaled,
	.release = array_release,
	.set_deadline = array_set_deadline,
};

/* --- life ------------------------------------------------------------------------------------- */

struct dma_fence_array *dma_fence_array_alloc(int num_fences)
{
	struct dma_fence_array *array;

	return kzalloc(struct_size(array, callbacks, num_fences), GFP_KERNEL);
}
EXPORT_SYMBOL(dma_fence_array_alloc);

void dma_fence_array_init(struct dma_fence_array *array, int num_fences, struct dma_fence **fences,
			  u64 context, unsigned int seqno, bool signal_on_any)
{
	int i;

	WARN(num_fences <= 0 || !fences, "dma-fence-array: an array has members");
	for (i = 0; i < num_fences; i++)
		WARN(dma_fence_is_container(fences[i]),
		     "dma-fence-array: a container may not be a member, its content may");

	spin_lock_init(&array->lock);
	dma_fence_init(&array->base, &array_ops, &array->lock, context, seqno);
	array->base.error = ERROR_UNKNOWN;
	array->num_fences = num_fences;
	array->fences = fences;
	atomic_set(&array->num_pending, signal_on_any ? 1 : num_fences);
	init_irq_work(&array->work, signal_array);
}
EXPORT_SYMBOL(dma_fence_array_init);

struct dma_fence_array *dma_fence_array_create(int num_fences, struct dma_fence **fences,
					       u64 context, unsigned int seqno, bool signal_on_any)
{
	struct dma_fence_array *array = dma_fence_array_alloc(num_fences);

	if (!array)
		return NULL;
	dma_fence_array_init(array, num_fences, fences, context, seqno, signal_on_any);
	return array;
}
EXPORT_SYMBOL(dma_fence_array_create);

/* --- looking inside --------------------------------------------------------------------------- */

bool dma_fence_match_context(struct dma_fence *fence, u64 context)
{
	struct dma_fence_array *array = to_dma_fence_array(fence);
	unsigned int i;

	if (!array)
		return fence->context == context;
	for (i = 0; i < array->num_fences; i++) {
		if (array->fences[i]->context != context)
			return false;
	}
	return true;
}
EXPORT_SYMBOL(dma_fence_match_context);

struct dma_fence *dma_fence_array_first(struct dma_fence *head)
{
	struct dma_fence_array *array = to_dma_fence_array(head);

	if (!array)
		return head;
	return array->num_fences ? array->fences[0] : NULL;
}
EXPORT_SYMBOL(dma_fence_array_first);

struct dma_fence *dma_fence_array_next(struct dma_fence *head, unsigned int index)
{
	struct dma_fence_array *array = to_dma_fence_array(head);

	if (!array || index >= array->num_fences)
		return NULL;
	return array->fences[index];
}
EXPORT_SYMBOL(dma_fence_array_next);
