/* SPDX-License-Identifier: MIT */
/*
 * vram-move.c - moves of vram.h's buffers, and room made by them
 *
 * Invariants
 *   VM1  A move is a job of the device's copy engine, which runs its jobs one at a time and in
 *	  order.  So what a range of VRAM held is copied away before what comes there next arrives.
 *   VM2  Who moves a buffer holds its reservation and waits for no user of a mapping and for no
 *	  other's reservation; and, but for vram_move(), for no fence.
 *   VM3  The copy reads the old place and writes the new one within brackets of the owner's
 *	  accesses, so it is known to the directory.
 *   VM4  Nobody ever sees half of a copy.  When the engine fails the CPU copies; but for who waits for
 *	  the copy before anybody may map: the buffer stays where it was, and he is told.
 */
#include <linux/bug.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "drivers/exporters/vram-buffer.h"
#include "drivers/job-queue.h"

struct copy_job {
	struct job job;
	struct dma_buf *dmabuf;
	struct vram_place *from, *to; /* references */
	bool may_fail;                /* VM4: the buffer is still at `from` */
};

/* --- the copy: the engine's thread ------------------------------------------------------------ */

/* A bracket needs a little memory, and a copy cannot be given up. */
static void begin_access(struct dma_buf *dmabuf, struct device *dev, struct sg_table *sgt,
			 enum dma_data_direction dir)
{
	while (dma_buf_begin_exporter_access(dmabuf, dev, sgt, dir))
		schedule_timeout_uninterruptible(1);
}

/* What vram_fail_copies() asked for: so many bytes arrive. */
static int copy_some(struct copy_job *job, size_t bytes)
{
	struct vram_place *vram = job->to->where == VRAM_PLACEMENT_VRAM ? job->to : job->from;

	if (bytes > job->to->bytes)
		bytes = job->to->bytes;
	if (vram == job->to)
		vram_place_read(job->from, 0, vram_place_iomem(vram), bytes);
	else
		vram_place_write(job->to, 0, vram_place_iomem(vram), bytes);
	return -EIO;
}

static int copy_with_engine(struct copy_job *job)
{
	struct sg_table *reads = vram_place_table(job->from), *writes = vram_place_table(job->to);
	struct vram *vram = job->to->vram;
	size_t fail = READ_ONCE(vram->fail_copies);
	int ret;

	begin_access(job->dmabuf, vram->dev, reads, DMA_TO_DEVICE);
	begin_access(job->dmabuf, vram->dev, writes, DMA_FROM_DEVICE);
	if (fail == VRAM_COPIES_WORK)
		ret = vram_place_copy(job->to, job->from);
	else
		ret = copy_some(job, fail);
	dma_buf_end_exporter_access(job->dmabuf, vram->dev, writes, DMA_FROM_DEVICE);
	dma_buf_end_exporter_access(job->dmabuf, vram->dev, reads, DMA_TO_DEVICE);
	return ret;
}

/* VM4.  Without a table the access is the CPU's own. */
static void copy_with_cpu(struct copy_job *job)
{
	struct device *dev = job->to->vram->dev;

	begin_access(job->dmabuf, dev, NULL, DMA_TO_DEVICE);
	begin_access(job->dmabuf, dev, NULL, DMA_FROM_DEVICE);
	vram_place_copy_slowly(job->to, job->from);
	dma_buf_end_exporter_access(job->dmabuf, dev, NULL, DMA_FROM_DEVICE);
	dma_buf_end_exporter_access(job->dmabuf, dev, NULL, DMA_TO_DEVICE);
}

static int copy_run(struct job *base)
{
	struct copy_job *job = container_of(base, struct copy_job, job);
	struct vram *vram = job->to->vram;
	int failed = copy_with_engine(job);

	if (failed && job->may_fail)
		return failed;
	if (failed)
		copy_with_cpu(job);
	mutex_lock(&vram->lock);
	vram->stats.copied_by_cpu += !!failed;
	mutex_unlock(&vram->lock);
	return 0;
}

static void copy_end(struct job *base)
{
	struct copy_job *job = container_of(base, struct copy_job, job);

	vram_place_put(job->to);
	vram_place_put(job->from);
	kfree(job);
}

static const struct job_ops copy_ops = {
	.run = copy_run,
	.end = copy_end,
};

void vram_wait_copied(struct vram_buffer *buffer)
{
	if (buffer->copy)
		dma_fence_wait(buffer->copy, false);
}

void vram_wait_idle(struct vram *vram)
{
	struct dma_fence *fence;

	mutex_lock(&vram->lock);
	fence = dma_fence_get(vram->last_copy);
	mutex_unlock(&vram->lock);
	if (fence && !dma_fence_wait_timeout(fence, false, vram->patience)) {
		pr_err("vram: whoever needs room waits for the copies of earlier moves\n");
		dma_fence_wait(fence, false);
	}
	dma_fence_put(fence);
}

/* --- the LRU ---------------------------------------------------------------------------------- */

void vram_lru_touch(struct vram_buffer *buffer)
{
	mutex_lock(&buffer->vram->lock);
	list_move_tail(&buffer->lru, &buffer->vram->lru);
	mutex_unlock(&buffer->vram->lock);
}

void vram_lru_remove(struct vram_buffer *buffer)
{
	mutex_lock(&buffer->vram->lock);
	list_del_init(&buffer->lru);
	list_del_init(&buffer->node);
	mutex_unlock(&buffer->vram->lock);
}

static unsigned int lru_length(struct vram *vram)
{
	struct list_head *node;
	unsigned int n = 0;

	mutex_lock(&vram->lock);
	list_for_each(node, &vram->lru)
		n++;
	mutex_unlock(&vram->lock);
	return n;
}

/*
 * The oldest that nobody else has locked, locked and referenced.  It becomes the youngest, so that
 * one which cannot go is not taken again at once.  Buffers whose reservation is the caller's are his
 * working set.
 */
static struct dma_buf *take_victim(struct vram *vram, bool visible)
{
	struct vram_buffer *buffer;
	struct dma_buf *taken = NULL;

	mutex_lock(&vram->lock);
	list_for_each_entry(buffer, &vram->lru, lru) {
		struct dma_buf *dmabuf = buffer->dmabuf;

		if (dma_resv_held(dmabuf->resv) || !dma_resv_trylock(dmabuf->resv))
			continue;
		if (!buffer->pins && (!visible || vram_place_visible(buffer->place)) &&
		    get_file_active(&dmabuf->file)) {
			taken = dmabuf;
			list_move_tail(&buffer->lru, &vram->lru);
			break;
		}
		dma_resv_unlock(dmabuf->resv);
	}
	mutex_unlock(&vram->lock);
	return taken;
}

/* -ENOENT: nobody is left who could go; else what his move said. */
static int evict_one(struct vram *vram, bool visible)
{
	struct dma_buf *victim = take_victim(vram, visible);
	int ret;

	if (!victim)
		return -ENOENT;
	ret = vram_move_to(victim, VRAM_PLACEMENT_SYSTEM, false);
	dma_resv_unlock(victim->resv);
	dma_buf_put(victim);
	if (!ret) {
		mutex_lock(&vram->lock);
		vram->stats.evictions++;
		mutex_unlock(&vram->lock);
	}
	return ret;
}

struct vram_place *vram_find_room(struct vram *vram, bool visible, size_t bytes)
{
	struct vram_place *place = vram_place_create(vram, VRAM_PLACEMENT_VRAM, visible, bytes);
	bool could = bytes <= vram->visible || (!visible && bytes <= vram->bytes - vram->visible);
	int ret, why = -ENOSPC;

	if (place != ERR_PTR(-ENOSPC) || !could)
		return place;
	for (unsigned int left = lru_length(vram); left; left--) {
		ret = evict_one(vram, visible);
		if (ret == -ENOENT)
			break;
		if (ret == -ENOMEM)
			why = ret;
		place = vram_place_create(vram, VRAM_PLACEMENT_VRAM, visible, bytes);
		if (place != ERR_PTR(-ENOSPC))
			return place;
	}
	return ERR_PTR(why);
}

/* --- moves ------------------------------------------------------------------------------------ */

static bool is_there(const struct vram_buffer *buffer, enum vram_placement where, bool visible)
{
	return buffer->where == where && (!visible || vram_place_visible(buffer->place));
}

static void name_fences(struct dma_buf *dmabuf)
{
	struct dma_resv_iter walk;
	struct dma_fence *fence;

	dma_resv_for_each_fence(&walk, dmabuf->resv, DMA_RESV_USAGE_BOOKKEEP, fence)
		if (!dma_fence_is_signaled(fence))
			pr_err("vram: the move of a buffer waits for a fence of %s, %s\n",
			       fence->ops->get_driver_name(fence),
			       fence->ops->get_timeline_name(fence));
}

/* Somebody's that never signals is a mistake of his: he is named while it lasts. */
static void wait_for_copy(struct dma_buf *dmabuf, struct dma_fence *copy)
{
	if (!dma_fence_wait_timeout(copy, false, to_vram_buffer(dmabuf)->vram->patience)) {
		name_fences(dmabuf);
		dma_fence_wait(copy, false);
	}
}

/* VM4.  @job is the queue's, or gone.  Returns its fence or ERR_PTR. */
static struct dma_fence *push_copy(struct copy_job *job)
{
	struct dma_buf *dmabuf = job->dmabuf;
	bool waits = job->may_fail;
	struct dma_fence *fence = job_queue_push(job->to->vram->copies, &job->job);
	int status;

	if (IS_ERR(fence)) {
		copy_end(&job->job);
		return fence;
	}
	if (!waits)
		return fence;
	wait_for_copy(dmabuf, fence);
	status = dma_fence_get_status(fence);
	if (status >= 0)
		return fence;
	dma_fence_put(fence);
	return ERR_PTR(status);
}

/*
 * Nothing is allocated any more, and whoever maps sleeps until the end.  @job is gone in any case.
 */
static int change_place(struct dma_buf *dmabuf, struct copy_job *job, struct vram_place *place)
{
	struct vram_buffer *buffer = to_vram_buffer(dmabuf);
	struct dma_fence *fence;
	int ret;

	dma_resv_assert_held(dmabuf->resv);
	ret = dma_buf_move_begin(dmabuf, 0);
	if (ret) {
		kfree(job);
		return ret;
	}
	job->job.ops = &copy_ops;
	job->job.buffer[0] = (struct job_buffer){ .dmabuf = dmabuf, .moves = true };
	job->job.buffers = 1;
	job->dmabuf = dmabuf;
	job->from = vram_place_get(buffer->place);
	job->to = vram_place_get(place);
	fence = push_copy(job);
	if (IS_ERR(fence)) {
		ret = PTR_ERR(fence);
	} else {
		dma_fence_put(buffer->copy);
		buffer->copy = fence;
		vram_place_unuse(buffer->place);
		buffer->place = place;
		WRITE_ONCE(buffer->where, place->where);
	}
	buffer->moving = true;
	dma_buf_move_end(dmabuf);
	buffer->moving = false;
	return ret;
}

static struct vram_place *new_place(struct vram_buffer *buffer, enum vram_placement where,
				    bool visible)
{
	size_t bytes = buffer->dmabuf->size;

	if (where == VRAM_PLACEMENT_VRAM)
		return vram_find_room(buffer->vram, visible, bytes);
	return vram_place_create(buffer->vram, where, false, bytes);
}

/* @may_fail: VM4; it waits for the copy */
static int move_to(struct dma_buf *dmabuf, enum vram_placement where, bool visible, bool may_fail)
{
	struct vram_buffer *buffer = to_vram_buffer(dmabuf);
	struct vram *vram = buffer->vram;
	struct vram_place *place;
	struct copy_job *job;
	int ret;

	dma_resv_assert_held(dmabuf->resv);
	if (is_there(buffer, where, visible)) {
		if (where == VRAM_PLACEMENT_VRAM)
			vram_lru_touch(buffer);
		return 0;
	}
	if (READ_ONCE(vram->lost))
		return -ENODEV;
	if (buffer->moving || buffer->pins || dma_buf_move_blocked(dmabuf))
		return -EBUSY;
	place = new_place(buffer, where, visible);
	if (IS_ERR(place))
		return PTR_ERR(place);
	job = kzalloc(sizeof(*job), GFP_KERNEL);
	ret = job ? dma_resv_reserve_fences(dmabuf->resv, 1) : -ENOMEM;
	if (ret)
		goto drop_job;
	job->may_fail = may_fail;
	/* While others leave VRAM for it, it is mapped where it is: nobody waits for more than its copy. */
	if (may_fail)
		vram_wait_idle(vram);
	ret = change_place(dmabuf, job, place);
	if (ret)
		goto drop_place;

	mutex_lock(&vram->lock);
	vram->stats.moves++;
	dma_fence_put(vram->last_copy);
	vram->last_copy = dma_fence_get(buffer->copy);
	list_del_init(&buffer->lru);
	if (where == VRAM_PLACEMENT_VRAM)
		list_add_tail(&buffer->lru, &vram->lru);
	mutex_unlock(&vram->lock);
	return 0;

drop_job:
	kfree(job);
drop_place:
	vram_place_unuse(place);
	return ret;
}

int vram_move_to(struct dma_buf *dmabuf, enum vram_placement where, bool visible)
{
	return move_to(dmabuf, where, visible, false);
}

int vram_move_async(struct dma_buf *dmabuf, enum vram_placement where)
{
	return vram_move_to(dmabuf, where, false);
}

int vram_move(struct dma_buf *dmabuf, enum vram_placement where)
{
	int ret = move_to(dmabuf, where, false, true);

	/* It may have been there, by an earlier move. */
	if (!ret)
		vram_wait_copied(to_vram_buffer(dmabuf));
	return ret;
}

void vram_buffer_pin(struct vram_buffer *buffer)
{
	if (!buffer->pins++)
		buffer->pinned_since = ktime_get();
}

void vram_buffer_unpin(struct vram_buffer *buffer)
{
	struct vram *vram = buffer->vram;

	if (--buffer->pins)
		return;
	mutex_lock(&vram->lock);
	vram->stats.pinned_ns += ktime_get() - buffer->pinned_since;
	mutex_unlock(&vram->lock);
}

int vram_pin(struct dma_buf *dmabuf)
{
	struct vram_buffer *buffer = to_vram_buffer(dmabuf);
	struct vram *vram = buffer->vram;
	bool fits = true;
	int ret;

	dma_resv_assert_held(dmabuf->resv);
	if (!buffer->scanouts) {
		mutex_lock(&vram->lock);
		fits = vram->pinned + dmabuf->size <= vram->pin_limit;
		vram->pinned += fits ? dmabuf->size : 0;
		mutex_unlock(&vram->lock);
	}
	if (!fits)
		return -ENOSPC;
	ret = vram_move_to(dmabuf, VRAM_PLACEMENT_VRAM, false);
	if (!ret)
		vram_wait_copied(buffer);
	if (ret && !buffer->scanouts) {
		mutex_lock(&vram->lock);
		vram->pinned -= dmabuf->size;
		mutex_unlock(&vram->lock);
	}
	if (ret)
		return ret;
	buffer->scanouts++;
	vram_buffer_pin(buffer);
	return 0;
}

void vram_unpin(struct dma_buf *dmabuf)
{
	struct vram_buffer *buffer = to_vram_buffer(dmabuf);
	struct vram *vram = buffer->vram;

	dma_resv_assert_held(dmabuf->resv);
	if (WARN(!buffer->scanouts, "vram: unpin of a buffer that is not pinned"))
		return;
	vram_buffer_unpin(buffer);
	if (--buffer->scanouts)
		return;
	mutex_lock(&vram->lock);
	vram->pinned -= dmabuf->size;
	mutex_unlock(&vram->lock);
}

/* One that has not been revoked, referenced; those whose release has begun are nobody's any more. */
static struct dma_buf *next_to_revoke(struct vram *vram)
{
	struct vram_buffer *buffer;
	struct dma_buf *taken = NULL;

	mutex_lock(&vram->lock);
	list_for_each_entry(buffer, &vram->buffers, node) {
		if (buffer->revoked || !get_file_active(&buffer->dmabuf->file))
			continue;
		buffer->revoked = true;
		taken = buffer->dmabuf;
		break;
	}
	mutex_unlock(&vram->lock);
	return taken;
}

unsigned int vram_lost(struct vram *vram, long timeout)
{
	struct dma_buf *dmabuf;
	struct vram_buffer *buffer;
	unsigned int used = 0;

	mutex_lock(&vram->lock);
	WRITE_ONCE(vram->lost, true);
	list_for_each_entry(buffer, &vram->buffers, node)
		buffer->revoked = false; /* to be asked again */
	mutex_unlock(&vram->lock);
	while ((dmabuf = next_to_revoke(vram))) {
		used += dma_buf_revoke(dmabuf, timeout) == -ETIMEDOUT;
		dma_buf_put(dmabuf);
	}
	return used;
}

void vram_read_stats(struct vram *vram, struct vram_stats *stats)
{
	mutex_lock(&vram->lock);
	*stats = vram->stats;
	mutex_unlock(&vram->lock);
}

void vram_fail_copies(struct vram *vram, size_t after)
{
	WRITE_ONCE(vram->fail_copies, after);
}
