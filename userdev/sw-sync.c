/* SPDX-License-Identifier: MIT */
/*
 * sw-sync.c - see sw-sync.h
 */
#include <linux/anon_inodes.h>
#include <linux/dma-fence.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/kref.h>
#include <linux/ktime.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/sync_file.h>
#include <linux/uaccess.h>

#include "userdev/sw-sync.h"

struct timeline {
	/* constant from open on */
	u64 context;
	char name[32];

	struct kref refs; /* the file's and each fence's */

	spinlock_t lock; /* also that of its fences */
	/* guarded by lock */
	u32 value;
	struct list_head points;
};

struct point {
	struct dma_fence fence;

	/* guarded by the timeline's lock */
	struct list_head node; /* empty: signaled */
	ktime_t deadline;
};

#define HAS_DEADLINE DMA_FENCE_FLAG_USER_BITS

static struct timeline *timeline_of(struct dma_fence *fence)
{
	return container_of(fence->lock, struct timeline, lock);
}

static void timeline_free(struct kref *refs)
{
	kfree(container_of(refs, struct timeline, refs));
}

/* --- fences ----------------------------------------------------------------------------------- */

static const char *point_driver_name(struct dma_fence *fence)
{
	return "sw_sync";
}

static const char *point_timeline_name(struct dma_fence *fence)
{
	return timeline_of(fence)->name;
}

static bool point_enable_signaling(struct dma_fence *fence)
{
	return true;
}

static bool point_signaled(struct dma_fence *fence)
{
	return (s32)((u32)fence->seqno - READ_ONCE(timeline_of(fence)->value)) <= 0;
}

static void point_release(struct dma_fence *fence)
{
	struct point *point = container_of(fence, struct point, fence);
	struct timeline *timeline = timeline_of(fence);
	unsigned long flags;

	spin_lock_irqsave(&timeline->lock, flags);
	list_del(&point->node);
	spin_unlock_irqrestore(&timeline->lock, flags);
	kref_put(&timeline->refs, timeline_free);
	dma_fence_free(fence);
}

static void point_set_deadline(struct dma_fence *fence, ktime_t deadline)
{
	struct point *point = container_of(fence, struct point, fence);
	unsigned long flags;

	spin_lock_irqsave(fence->lock, flags);
	if (!test_bit(HAS_DEADLINE, &fence->flags) || ktime_before(deadline, point->deadline))
		point->deadline = deadline;
	__set_bit(HAS_DEADLINE, &fence->flags);
	spin_unlock_irqrestore(fence->lock, flags);
}

static const struct dma_fence_ops point_ops = {
	.get_driver_name = point_driver_name,
	.get_timeline_name = point_timeline_name,
	.enable_signaling = point_enable_signaling,
	.signaled = point_signaled,
	.release = point_release,
	.set_deadline = point_set_deadline,
};

/* The fence of @value that is there already, with a reference, or NULL; *@before is its place. */
static struct point *point_find(struct timeline *timeline, u32 value, struct list_head **before)
{
	struct point *point;

	*before = &timeline->points;
	list_for_each_entry_reverse(point, &timeline->points, node)
	{
		s32 after = (u32)point->fence.seqno - value;

		if (!after && dma_fence_get_rcu(&point->fence))
			return point;
		if (after <= 0)
			break;
		*before = &point->node;
	}
	return NULL;
}

static struct point *point_get(struct timeline *timeline, u32 value)
{
	struct point *point = kzalloc(sizeof(*point), GFP_KERNEL), *there = NULL;
	struct list_head *before;

	if (!point)
		return NULL;
	kref_get(&timeline->refs);
	dma_fence_init(&point->fence, &point_ops, &timeline->lock, timeline->context, value);
	INIT_LIST_HEAD(&point->node);

	spin_lock_irq(&timeline->lock);
	if (!dma_fence_is_signaled_locked(&point->fence)) {
		there = point_find(timeline, value, &before);
		if (!there)
			list_add_tail(&point->node, before);
	}
	spin_unlock_irq(&timeline->lock);
	if (!there)
		return point;
	dma_fence_put(&point->fence);
	return there;
}

/* --- the file --------------------------------------------------------------------------------- */

static void timeline_advance(struct timeline *timeline, u32 by)
{
	struct point *point, *next;
	LIST_HEAD(signaled);

	spin_lock_irq(&timeline->lock);
	WRITE_ONCE(timeline->value, timeline->value + by);
	list_for_each_entry_safe(point, next, &timeline->points, node) {
		if (!point_signaled(&point->fence))
			break;
		/* One that is being released takes itself off. */
		if (!dma_fence_get_rcu(&point->fence))
			continue;
		list_move_tail(&point->node, &signaled);
		dma_fence_signal_locked(&point->fence);
	}
	spin_unlock_irq(&timeline->lock);

	list_for_each_entry_safe(point, next, &signaled, node) {
		list_del_init(&point->node);
		dma_fence_put(&point->fence);
	}
}

static int timeline_release(struct inode *inode, struct file *file)
{
	struct timeline *timeline = file->private_data;
	struct point *point;

	spin_lock_irq(&timeline->lock);
	list_for_each_entry(point, &timeline->points, node) {
		dma_fence_set_error(&point->fence, -ENOENT);
		dma_fence_signal_locked(&point->fence);
	}
	spin_unlock_irq(&timeline->lock);
	kref_put(&timeline->refs, timeline_free);
	return 0;
}

struct sync_file *sw_sync_fence(struct file *timeline, u32 value)
{
	struct point *point = point_get(timeline->private_data, value);
	struct sync_file *sync_file;

	if (!point)
		return NULL;
	sync_file = sync_file_create(&point->fence);
	dma_fence_put(&point->fence);
	return sync_file;
}

static long create_fence(struct file *file, struct sw_sync_create_fence_data __user *arg)
{
	struct sw_sync_create_fence_data data;
	struct sync_file *sync_file;
	int fd, ret;

	if (copy_from_user(&data, arg, sizeof(data)))
		return -EFAULT;
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	sync_file = sw_sync_fence(file, data.value);
	if (!sync_file) {
		ret = -ENOMEM;
		goto put_fd;
	}
	data.fence = fd;
	if (copy_to_user(arg, &data, sizeof(data))) {
		ret = -EFAULT;
		goto put_sync_file;
	}
	fd_install(fd, sync_file->file);
	return 0;

put_sync_file:
	fput(sync_file->file);
put_fd:
	put_unused_fd(fd);
	return ret;
}

static long increment(struct timeline *timeline, const __u32 __user *arg)
{
	u32 by;

	if (copy_from_user(&by, arg, sizeof(by)))
		return -EFAULT;
	/* More at once would pass half the circle, behind which values are in the past. */
	for (; by > INT_MAX; by -= INT_MAX)
		timeline_advance(timeline, INT_MAX);
	timeline_advance(timeline, by);
	return 0;
}

static long get_deadline(struct sw_sync_get_deadline __user *arg)
{
	struct sw_sync_get_deadline data;
	struct dma_fence *fence;
	struct point *point;
	int ret = 0;

	if (copy_from_user(&data, arg, sizeof(data)))
		return -EFAULT;
	if (data.deadline_ns || data.pad)
		return -EINVAL;
	fence = sync_file_get_fence(data.fence_fd);
	if (!fence)
		return -EINVAL;
	if (fence->ops != &point_ops) {
		ret = -EINVAL;
		goto put_fence;
	}
	point = container_of(fence, struct point, fence);
	spin_lock_irq(fence->lock);
	if (test_bit(HAS_DEADLINE, &fence->flags))
		data.deadline_ns = ktime_to_ns(point->deadline);
	else
		ret = -ENOENT;
	spin_unlock_irq(fence->lock);
	if (!ret && copy_to_user(arg, &data, sizeof(data)))
		ret = -EFAULT;

put_fence:
	dma_fence_put(fence);
	return ret;
}

static long timeline_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct timeline *timeline = file->private_data;

	switch (cmd) {
	case SW_SYNC_IOC_CREATE_FENCE:
		return create_fence(file, (struct sw_sync_create_fence_data __user *)arg);
	case SW_SYNC_IOC_INC:
		return increment(timeline, (const __u32 __user *)arg);
	case SW_SYNC_GET_DEADLINE:
		return get_deadline((struct sw_sync_get_deadline __user *)arg);
	default:
		return -ENOTTY;
	}
}

static const struct file_operations timeline_fops = {
	.release = timeline_release,
	.unlocked_ioctl = timeline_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

struct file *sw_sync_open(const char *name)
{
	struct timeline *timeline = kzalloc(sizeof(*timeline), GFP_KERNEL);
	struct file *file;

	if (!timeline)
		return ERR_PTR(-ENOMEM);
	timeline->context = dma_fence_context_alloc(1);
	strscpy(timeline->name, name, sizeof(timeline->name));
	kref_init(&timeline->refs);
	spin_lock_init(&timeline->lock);
	INIT_LIST_HEAD(&timeline->points);
	file = anon_inode_getfile("sw_sync", &timeline_fops, timeline, O_RDWR);
	if (IS_ERR(file))
		kfree(timeline);
	return file;
}
