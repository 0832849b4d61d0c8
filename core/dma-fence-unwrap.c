/* SPDX-License-Identifier: MIT */
/*
 * dma-fence-unwrap.c - walking into containers, and merging fences
 *
 * The invariants are U1-U3 of linux/dma-fence-unwrap.h.  A fence never goes back to unsignaled and
 * a chain never grows at its old end, so a second walk finds at most the unsignaled fences that the
 * first one counted: what was allocated for those is enough.
 */
#include <linux/dma-fence-unwrap.h>
#include <linux/dma-fence-array.h>
#include <linux/dma-fence-chain.h>
#include <linux/export.h>
#include <linux/slab.h>
#include <linux/string.h>

static struct dma_fence *enter(struct dma_fence_unwrap *cursor)
{
	cursor->array = dma_fence_chain_contained(cursor->chain);
	cursor->index = 0;
	return dma_fence_array_first(cursor->array);
}

struct dma_fence *dma_fence_unwrap_first(struct dma_fence *head, struct dma_fence_unwrap *cursor)
{
	cursor->chain = dma_fence_get(head);
	return enter(cursor);
}
EXPORT_SYMBOL(dma_fence_unwrap_first);

struct dma_fence *dma_fence_unwrap_next(struct dma_fence_unwrap *cursor)
{
	struct dma_fence *fence;

	fence = dma_fence_array_next(cursor->array, ++cursor->index);
	if (fence)
		return fence;
	cursor->chain = dma_fence_chain_walk(cursor->chain);
	return enter(cursor);
}
EXPORT_SYMBOL(dma_fence_unwrap_next);

/* --- merging ---------------------------------------------------------------------------------- */

/*
 * Counts the unsignaled fences.  A reference of the last one goes to *@unsignaled; *@timestamp
 * becomes the time of the latest signal if that is later.
 */
static unsigned int count_unsignaled(unsigned int num_fences, struct dma_fence **fences,
				     struct dma_fence_unwrap *cursors,
				     struct dma_fence **unsignaled, ktime_t *timestamp)
{
	struct dma_fence *fence;
	unsigned int i, count = 0;

	*unsignaled = NULL;
	for (i = 0; i < num_fences; i++) {
		dma_fence_unwrap_for_each(fence, &cursors[i], fences[i]) {
			if (dma_fence_is_signaled(fence)) {
				ktime_t t = dma_fence_timestamp(fence);

				if (ktime_after(t, *timestamp))
					*timestamp = t;
				continue;
			}
			dma_fence_put(*unsignaled);
			*unsignaled = dma_fence_get(fence);
			count++;
		}
	}
	return count;
}

/*
 * Adds @fence to the @count fences of @sorted, which have different contexts and stand from the
 * lowest to the highest; of two of a context the later one stays.  Returns the new count.
 */
static unsigned int insert_latest(struct dma_fence **sorted, unsigned int count,
				  struct dma_fence *fence)
{
	unsigned int low = 0, high = count;

	while (low < high) {
		unsigned int middle = low + (high - low) / 2;

		if (sorted[middle]->context < fence->context)
			low = middle + 1;
		else
			high = middle;
	}

	if (low < count && sorted[low]->context == fence->context) {
		if (dma_fence_is_later(fence, sorted[low])) {
			dma_fence_put(sorted[low]);
			sorted[low] = dma_fence_get(fence);
		}
		return count;
	}
	memmove(&sorted[low + 1], &sorted[low], (count - low) * sizeof(*sorted));
	sorted[low] = dma_fence_get(fence);
	return count + 1;
}

struct dma_fence *__dma_fence_unwrap_merge(unsigned int num_fences, struct dma_fence **fences,
					   struct dma_fence_unwrap *cursors)
{
	struct dma_fence *fence, *unsignaled, *merged = NULL, **latest;
	struct dma_fence_array *array;
	unsigned int i, count;
	ktime_t timestamp = 0;

	count = count_unsignaled(num_fences, fences, cursors, &unsignaled, &timestamp);
	if (!count)
		return dma_fence_allocate_private_stub(timestamp);
	if (count == 1)
		return unsignaled;

	latest = kmalloc_array(count, sizeof(*latest), GFP_KERNEL);
	if (!latest)
		goto put_unsignaled;

	count = 0;
	for (i = 0; i < num_fences; i++) {
		dma_fence_unwrap_for_each(fence, &cursors[i], fences[i]) {
			if (!dma_fence_is_signaled(fence))
				count = insert_latest(latest, count, fence);
		}
	}
	if (!count) {
		/* All were signaled meanwhile: look once more, for their times. */
		dma_fence_put(unsignaled);
		count_unsignaled(num_fences, fences, cursors, &unsignaled, &timestamp);
		merged = dma_fence_allocate_private_stub(timestamp);
		goto free_latest;
	}
	if (count == 1) {
		merged = latest[0];
		goto free_latest;
	}

	array = dma_fence_array_create(count, latest, dma_fence_context_alloc(1), 1, false);
	if (array) {
		merged = &array->base;
		goto put_unsignaled;
	}
	while (count--)
		dma_fence_put(latest[count]);

free_latest:
	kfree(latest);
put_unsignaled:
	dma_fence_put(unsignaled);
	return merged;
}
EXPORT_SYMBOL(__dma_fence_unwrap_merge);
