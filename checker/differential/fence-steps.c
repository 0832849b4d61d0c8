/* SPDX-License-Identifier: MIT */
/*
 * fence-steps.c - fences, arrays and chains of them, and reservations; see subject.h
 *
 * Nobody is left waiting: a fence that the program lets go of is signaled first.
 */
#include <linux/dma-fence-array.h>
#include <linux/dma-fence-chain.h>
#include <linux/file.h>
#include <linux/slab.h>
#include <linux/sync_file.h>

#include "host/file.h"
#include "subject.h"

#define ARRAY_ID -2
#define OTHER_ID -3

struct driver_fence {
	struct dma_fence base;
	spinlock_t own_lock;
	int id;
};

/* What waits for a fence; goes when it is told, or forgotten. */
struct subject_callback {
	struct dma_fence_cb cb;
	int id;
};

/* --- a driver's fences ------------------------------------------------------------------------ */

static DEFINE_SPINLOCK(timeline_lock);

static const char *driver_name(struct dma_fence *fence)
{
	return "differential";
}

static const char *timeline_name(struct dma_fence *fence)
{
	return "program";
}

static bool enable_signaling(struct dma_fence *fence)
{
	note(EVENT_ENABLED, -1, container_of(fence, struct driver_fence, base)->id, 0, 0);
	return true;
}

static void set_deadline(struct dma_fence *fence, ktime_t deadline)
{
	saw(container_of(fence, struct driver_fence, base)->id, deadline);
}

static void release(struct dma_fence *fence)
{
	atomic_dec(&subject.live_fences);
	dma_fence_free(fence);
}

static const struct dma_fence_ops fence_ops = {
	.get_driver_name = driver_name,
	.get_timeline_name = timeline_name,
	.enable_signaling = enable_signaling,
	.set_deadline = set_deadline,
	.release = release,
};

/* The same on every core; what a core makes itself has no number. */
static int id_of(struct dma_fence *fence)
{
	if (fence->ops == &fence_ops)
		return container_of(fence, struct driver_fence, base)->id;
	return dma_fence_is_array(fence) ? ARRAY_ID : OTHER_ID;
}

static struct subject_fence *free_fence(void)
{
	for (unsigned int i = 0; i < FENCES; i++)
		if (!subject.fences[i].fence)
			return &subject.fences[i];
	return NULL;
}

static void new_fence(struct subject_fence *place, const struct op *op)
{
	struct driver_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL);

	spin_lock_init(&fence->own_lock);
	fence->id = subject.next_fence;
	if (op->arg[0] & 1)
		dma_fence_init(&fence->base, &fence_ops, &timeline_lock, subject.timeline,
			       ++subject.last_seqno);
	else
		dma_fence_init(&fence->base, &fence_ops, &fence->own_lock,
			       dma_fence_context_alloc(1), 1);
	*place = (struct subject_fence){ .fence = &fence->base, .id = subject.next_fence++ };
	atomic_inc(&subject.live_fences);
	returned(0);
}

/* --- containers ------------------------------------------------------------------------------- */

static void new_array(struct subject_fence *place, const struct op *op)
{
	struct subject_fence *one = pick_fence(op->arg[0]), *other = pick_fence(op->arg[1]);
	struct dma_fence_array *array;
	struct dma_fence **fences;

	if (!one || one->container || other->container) {
		nothing();
		return;
	}
	fences = kcalloc(2, sizeof(*fences), GFP_KERNEL);
	fences[0] = dma_fence_get(one->fence);
	fences[1] = dma_fence_get(other->fence);
	array = dma_fence_array_create(2, fences, dma_fence_context_alloc(1), 1, op->arg[2] & 1);
	returned(array ? 0 : -ENOMEM);
	if (array)
		*place = (struct subject_fence){ &array->base, subject.next_fence++, true };
}

static void new_chain(struct subject_fence *place, const struct op *op)
{
	struct subject_fence *before = pick_fence(op->arg[0]), *content = pick_fence(op->arg[1]);
	struct dma_fence_chain *chain;

	if (!content || dma_fence_is_chain(content->fence)) {
		nothing();
		return;
	}
	chain = dma_fence_chain_alloc();
	dma_fence_chain_init(chain, op->how ? NULL : dma_fence_get(before->fence),
			     dma_fence_get(content->fence), 1 + op->arg[2] % 16);
	saw(0, chain->base.seqno);
	*place = (struct subject_fence){ &chain->base, subject.next_fence++, true };
	returned(0);
}

/* --- one fence -------------------------------------------------------------------------------- */

static void forget(struct subject_fence *fence)
{
	bool removed = dma_fence_remove_callback(fence->fence, &fence->callback->cb);

	returned(removed);
	if (removed)
		kfree(fence->callback);
	fence->callback = NULL;
}

/* A buffer that only its poll keeps goes with the fence, and takes its reservation. */
static bool may_signal(struct subject_fence *fence)
{
	if (fence->container || dma_fence_get_status(fence->fence) != 0 || !subject.shared_polled ||
	    subject.shared_lock.owner < 0)
		return true;
	unsent(UNSENT_PUT_UNDER_LOCK);
	return false;
}

static void signal_fence(struct subject_fence *fence, const struct op *op)
{
	static const int errors[] = { 0, 0, -EIO, -ETIMEDOUT };
	int ret, error = errors[op->arg[1] % ARRAY_SIZE(errors)];

	if (fence->container) {
		nothing();
		return;
	}
	if (!may_signal(fence))
		return;
	if (error && dma_fence_get_status(fence->fence) == 0)
		dma_fence_set_error(fence->fence, error);
	ret = dma_fence_signal(fence->fence);
	/* What its callbacks put off, maybe done by another thread already: now, in each core. */
	put_off_is_over();
	returned(ret);
}

static void put_fence(struct subject_fence *fence)
{
	struct dma_fence *last = fence->fence;

	if (!may_signal(fence))
		return;
	if (!fence->container && dma_fence_get_status(fence->fence) == 0)
		dma_fence_signal(fence->fence);
	if (fence->callback)
		forget(fence);
	fence->fence = NULL;
	dma_fence_put(last);
	returned(0);
}

static void wait_for_fence(struct subject_fence *fence, const struct op *op)
{
	bool intr = op->arg[1] & 1, for_long = intr && subject.interrupted[subject.thread];

	if (op->how)
		returned(dma_fence_wait_timeout(fence->fence, intr, -(long)op->how));
	else
		returned(min(dma_fence_wait_timeout(fence->fence, intr, for_long ? 1000000 : 0),
			     1l));
}

static void called_back(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	struct subject_callback *callback = container_of(cb, struct subject_callback, cb);

	note(EVENT_SIGNALED, -1, callback->id, fence->error, 0);
	for (unsigned int i = 0; i < FENCES; i++)
		if (subject.fences[i].callback == callback)
			subject.fences[i].callback = NULL;
	kfree(callback);
}

static void add_callback(struct subject_fence *fence)
{
	struct subject_callback *callback;
	int ret;

	if (fence->callback) {
		nothing();
		return;
	}
	callback = kzalloc(sizeof(*callback), GFP_KERNEL);
	callback->id = fence->id;
	fence->callback = callback;
	ret = dma_fence_add_callback(fence->fence, &callback->cb, called_back);
	returned(ret);
	if (!ret)
		return;
	fence->callback = NULL;
	kfree(callback);
}

static void new_sync_file(struct subject_fence *fence)
{
	struct subject_file *file = free_file();
	struct sync_file *sync_file;
	int fd;

	if (!file) {
		nothing();
		return;
	}
	sync_file = sync_file_create(fence->fence);
	fd = get_unused_fd_flags(O_CLOEXEC);
	returned(min(fd, 0));
	fd_install(fd, sync_file->file);
	*file = (struct subject_file){ .fd = fd };
}

/* --- reservations ----------------------------------------------------------------------------- */

enum { WITHOUT_SLOT = 1, CONTAINER, ADD_WAYS };

static bool shares_context(const struct subject_fence *fence)
{
	for (unsigned int i = 0; i < FENCES; i++) {
		const struct subject_fence *other = &subject.fences[i];

		if (other != fence && other->fence &&
		    other->fence->context == fence->fence->context)
			return true;
	}
	return false;
}

static void add_fence(struct subject_buffer *buffer, const struct op *op)
{
	struct subject_fence *fence = pick_fence(op->arg[1]);
	enum dma_resv_usage usage = op->arg[2] % (DMA_RESV_USAGE_BOOKKEEP + 1);
	struct dma_resv *resv = buffer->dmabuf->resv;
	unsigned int how = op->how % ADD_WAYS;
	bool locks = !held(buffer);
	int ret = 0;

	if (!fence || fence->container != (how == CONTAINER)) {
		nothing();
		return;
	}
	if (locks && !takes_lock(buffer))
		return;
	if (how == WITHOUT_SLOT && !(locks ? 0 : buffer->lock->slots)) {
		unsent(UNSENT_NO_SLOT);
		return;
	}
	if (locks)
		dma_resv_lock(resv, NULL);
	if (how == WITHOUT_SLOT)
		buffer->lock->slots--;
	else
		ret = dma_resv_reserve_fences(resv, 1);
	if (!ret)
		dma_resv_add_fence(resv, fence->fence, usage);
	buffer->lock->replaced |= shares_context(fence);
	if (how != WITHOUT_SLOT)
		buffer->lock->slots = 0;
	if (locks)
		dma_resv_unlock(resv);
	returned(ret);
}

static void reserve(struct subject_buffer *buffer, const struct op *op)
{
	unsigned int slots = op->how ? 0 : 1 + op->arg[1] % 20;
	int ret;

	if (!held(buffer)) {
		nothing();
		return;
	}
	ret = dma_resv_reserve_fences(buffer->dmabuf->resv, slots);
	returned(ret);
	if (!ret)
		buffer->lock->slots = max(buffer->lock->slots, slots);
}

static void replace(struct subject_buffer *buffer, const struct op *op)
{
	struct subject_fence *old = pick_fence(op->arg[1]), *new = pick_fence(op->arg[2]);
	struct dma_resv *resv = buffer->dmabuf->resv;
	bool locks = !held(buffer);

	if (!old || old->container || new->container) {
		nothing();
		return;
	}
	if (locks && !takes_lock(buffer))
		return;
	if (locks)
		dma_resv_lock(resv, NULL);
	dma_resv_replace_fences(resv, old->fence->context, new->fence,
				op->how % (DMA_RESV_USAGE_BOOKKEEP + 1));
	if (locks)
		dma_resv_unlock(resv);
	buffer->lock->replaced = true;
	returned(0);
}

static void test(struct subject_buffer *buffer, const struct op *op)
{
	enum dma_resv_usage usage = op->arg[1] % (DMA_RESV_USAGE_BOOKKEEP + 1);
	bool intr = op->arg[2] & 1, for_long = intr && subject.interrupted[subject.thread];

	saw(0, dma_resv_test_signaled(buffer->dmabuf->resv, usage));
	returned(clamp(
		dma_resv_wait_timeout(buffer->dmabuf->resv, usage, intr, for_long ? 1000000 : 0),
		-4095l, 1l));
}

static void list_fences(struct subject_buffer *buffer, const struct op *op)
{
	enum dma_resv_usage usage = op->arg[1] % (DMA_RESV_USAGE_BOOKKEEP + 1);
	struct dma_resv *resv = buffer->dmabuf->resv;
	struct dma_resv_iter cursor;
	struct dma_fence **fences, *fence;
	unsigned int nr;
	int ret = dma_resv_get_fences(resv, usage, &nr, &fences);

	returned(ret);
	for (unsigned int i = 0; !ret && i < nr; i++) {
		saw(0, id_of(fences[i]));
		dma_fence_put(fences[i]);
	}
	if (!ret)
		kfree(fences);
	dma_resv_iter_begin(&cursor, resv, usage);
	dma_resv_for_each_fence_unlocked(&cursor, fence)
		saw(1, dma_resv_iter_usage(&cursor) << 16 | (u16)id_of(fence));
	dma_resv_iter_end(&cursor);
	ret = dma_resv_get_singleton(resv, usage, &fence);
	saw(2, ret ?: fence ? id_of(fence) : 0);
	if (!ret)
		dma_fence_put(fence);
}

static void copy_fences(struct subject_buffer *to, const struct op *op)
{
	struct subject_buffer *from = pick_buffer(op->arg[1]);
	bool locks = !held(to);

	if (to->dmabuf->resv == from->dmabuf->resv) {
		nothing();
		return;
	}
	if (locks && !takes_lock(to))
		return;
	if (locks)
		dma_resv_lock(to->dmabuf->resv, NULL);
	returned(dma_resv_copy_fences(to->dmabuf->resv, from->dmabuf->resv));
	to->lock->slots = 0;
	to->lock->replaced = true;
	if (locks)
		dma_resv_unlock(to->dmabuf->resv);
}

/* --- which ------------------------------------------------------------------------------------ */

static void one_fence_step(struct subject_fence *fence, const struct op *op)
{
	switch (op->code) {
	case OP_SIGNAL:
		signal_fence(fence, op);
		break;
	case OP_FENCE_PUT:
		put_fence(fence);
		break;
	case OP_FENCE_STATUS:
		returned(dma_fence_get_status(fence->fence));
		saw(0, dma_fence_is_signaled(fence->fence));
		break;
	case OP_FENCE_WAIT:
		wait_for_fence(fence, op);
		break;
	case OP_FENCE_CALLBACK:
		add_callback(fence);
		break;
	case OP_FENCE_FORGET:
		if (fence->callback)
			forget(fence);
		else
			nothing();
		break;
	default:
		new_sync_file(fence);
		break;
	}
}

static void resv_step(struct subject_buffer *buffer, const struct op *op)
{
	switch (op->code) {
	case OP_ADD_FENCE:
		add_fence(buffer, op);
		break;
	case OP_RESERVE:
		reserve(buffer, op);
		break;
	case OP_REPLACE:
		replace(buffer, op);
		break;
	case OP_TEST:
		test(buffer, op);
		break;
	case OP_FENCES:
		list_fences(buffer, op);
		break;
	default:
		copy_fences(buffer, op);
		break;
	}
}

void fence_step(const struct op *op)
{
	struct subject_fence *place = free_fence(), *fence = pick_fence(op->arg[0]);
	struct subject_buffer *buffer = pick_buffer(op->arg[0]);

	if (op->code <= OP_CHAIN && place) {
		if (op->code == OP_FENCE)
			new_fence(place, op);
		else if (op->code == OP_ARRAY)
			new_array(place, op);
		else
			new_chain(place, op);
	} else if (op->code > OP_CHAIN && op->code < OP_ADD_FENCE && fence) {
		one_fence_step(fence, op);
	} else if (op->code >= OP_ADD_FENCE && buffer) {
		resv_step(buffer, op);
	} else {
		nothing();
	}
}
