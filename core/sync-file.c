/* SPDX-License-Identifier: MIT */
/*
 * sync-file.c - a fence as a file
 *
 * The invariants are SF1-SF3 of linux/sync_file.h.  A descriptor is installed last, when nothing
 * can fail any more: a program never sees the number of a call that failed.
 */
#include <linux/sync_file.h>
#include <linux/anon_inodes.h>
#include <linux/bitops.h>
#include <linux/dma-fence-unwrap.h>
#include <linux/export.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <uapi/linux/sync_file.h>

static const struct file_operations sync_file_fops;

/* --- life ------------------------------------------------------------------------------------- */

/* Without a fence yet; the file's reference is the caller's. */
static struct sync_file *sync_file_alloc(void)
{
	struct sync_file *sync_file = kzalloc(sizeof(*sync_file), GFP_KERNEL);

	if (!sync_file)
		return NULL;
	sync_file->file = anon_inode_getfile("sync_file", &sync_file_fops, sync_file, 0);
	if (IS_ERR(sync_file->file)) {
		kfree(sync_file);
		return NULL;
	}
	init_waitqueue_head(&sync_file->wq);
	INIT_LIST_HEAD(&sync_file->cb.node);
	return sync_file;
}

static int sync_file_release(struct inode *inode, struct file *file)
{
	struct sync_file *sync_file = file->private_data;

	if (test_bit(POLL_ENABLED, &sync_file->flags))
		dma_fence_remove_callback(sync_file->fence, &sync_file->cb);
	dma_fence_put(sync_file->fence);
	kfree(sync_file);
	return 0;
}

struct sync_file *sync_file_create(struct dma_fence *fence)
{
	struct sync_file *sync_file = sync_file_alloc();

	if (sync_file)
		sync_file->fence = dma_fence_get(fence);
	return sync_file;
}
EXPORT_SYMBOL(sync_file_create);

/* Returns the sync_file with a reference of its file, or NULL. */
static struct sync_file *sync_file_fdget(int fd)
{
	struct file *file = fget(fd);

	if (!file)
		return NULL;
	if (file->f_op != &sync_file_fops) {
		fput(file);
		return NULL;
	}
	return file->private_data;
}

struct dma_fence *sync_file_get_fence(int fd)
{
	struct sync_file *sync_file = sync_file_fdget(fd);
	struct dma_fence *fence;

	if (!sync_file)
		return NULL;
	fence = dma_fence_get(sync_file->fence);
	fput(sync_file->file);
	return fence;
}
EXPORT_SYMBOL(sync_file_get_fence);

char *sync_file_get_name(struct sync_file *sync_file, char *buf, int len)
{
	struct dma_fence *fence = sync_file->fence;

	if (sync_file->user_name[0])
		strscpy(buf, sync_file->user_name, len);
	else
		snprintf(buf, len, "%s-%s%llu-%llu", fence->ops->get_driver_name(fence),
			 fence->ops->get_timeline_name(fence), fence->context, fence->seqno);
	return buf;
}
EXPORT_SYMBOL(sync_file_get_name);

/* --- poll ------------------------------------------------------------------------------------- */

static void wake_pollers(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	wake_up_all(&container_of(cb, struct sync_file, cb)->wq);
}

static __poll_t sync_file_poll(struct file *file, poll_table *table)
{
	struct sync_file *sync_file = file->private_data;

	poll_wait(file, &sync_file->wq, table);

	if (!test_and_set_bit(POLL_ENABLED, &sync_file->flags) &&
	    dma_fence_add_callback(sync_file->fence, &sync_file->cb, wake_pollers))
		wake_up_all(&sync_file->wq);
	return dma_fence_is_signaled(sync_file->fence) ? EPOLLIN : 0;
}

/* --- ioctls ----------------------------------------------------------------------------------- */

static struct sync_file *merge(const char *name, struct dma_fence *a, struct dma_fence *b)
{
	struct sync_file *merged = sync_file_alloc();

	if (!merged)
		return NULL;
	merged->fence = dma_fence_unwrap_merge(a, b);
	if (!merged->fence) {
		fput(merged->file);
		return NULL;
	}
	strscpy(merged->user_name, name, sizeof(merged->user_name));
	return merged;
}

static long ioctl_merge(struct sync_file *sync_file, struct sync_merge_data __user *arg)
{
	struct sync_file *other, *merged;
	struct sync_merge_data data;
	int fd, ret;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;

	if (copy_from_user(&data, arg, sizeof(data))) {
		ret = -EFAULT;
		goto put_fd;
	}
	if (data.flags || data.pad) {
		ret = -EINVAL;
		goto put_fd;
	}
	other = sync_file_fdget(data.fd2);
	if (!other) {
		ret = -ENOENT;
		goto put_fd;
	}

	data.name[sizeof(data.name) - 1] = '\0';
	merged = merge(data.name, sync_file->fence, other->fence);
	if (!merged) {
		ret = -ENOMEM;
		goto put_other;
	}

	data.fence = fd;
	if (copy_to_user(arg, &data, sizeof(data))) {
		ret = -EFAULT;
		goto put_merged;
	}
	fd_install(fd, merged->file);
	fput(other->file);
	return 0;

put_merged:
	fput(merged->file);
put_other:
	fput(other->file);
put_fd:
	put_unused_fd(fd);
	return ret;
}

static void describe(struct dma_fence *fence, struct sync_fence_info *info)
{
	strscpy(info->obj_name, fence->ops->get_timeline_name(fence), sizeof(info->obj_name));
	strscpy(info->driver_name, fence->ops->get_driver_name(fence), sizeof(info->driver_name));
	info->status = dma_fence_get_status(fence);
	if (info->status)
		info->timestamp_ns = ktime_to_ns(dma_fence_timestamp(fence));
}

/*
 * Tells of every fence in room for @info->num_fences; they and their status go to @info.  A chain
 * may have lost links since it was counted, never won any.
 */
static int describe_all(struct sync_file *sync_file, struct sync_file_info *info,
			unsigned int count)
{
	struct sync_fence_info *fences;
	struct dma_fence_unwrap cursor;
	struct dma_fence *fence;
	unsigned int i = 0;
	int ret = 0;

	if (info->num_fences < count)
		return -EINVAL;
	fences = kcalloc(count, sizeof(*fences), GFP_KERNEL);
	if (!fences)
		return -ENOMEM;

	info->status = 1;
	dma_fence_unwrap_for_each(fence, &cursor, sync_file->fence) {
		describe(fence, &fences[i]);
		if (info->status > 0)
			info->status = fences[i].status;
		i++;
	}
	if (copy_to_user(u64_to_user_ptr(info->sync_fence_info), fences, i * sizeof(*fences)))
		ret = -EFAULT;
	info->num_fences = i;
	kfree(fences);
	return ret;
}

static long ioctl_info(struct sync_file *sync_file, struct sync_file_info __user *arg)
{
	struct dma_fence_unwrap cursor;
	struct sync_file_info info;
	struct dma_fence *fence;
	unsigned int count = 0;
	int ret;

	if (copy_from_user(&info, arg, sizeof(info)))
		return -EFAULT;
	if (info.flags || info.pad)
		return -EINVAL;

	dma_fence_unwrap_for_each(fence, &cursor, sync_file->fence)
		count++;

	if (info.num_fences) {
		ret = describe_all(sync_file, &info, count);
		if (ret)
			return ret;
	} else {
		info.status = dma_fence_get_status(sync_file->fence);
		info.num_fences = count;
	}
	sync_file_get_name(sync_file, info.name, sizeof(info.name));
	return copy_to_user(arg, &info, sizeof(info)) ? -EFAULT : 0;
}

static long ioctl_set_deadline(struct sync_file *sync_file, struct sync_set_deadline __user *arg)
{
	struct sync_set_deadline deadline;

	if (copy_from_user(&deadline, arg, sizeof(deadline)))
		return -EFAULT;
	if (deadline.pad)
		return -EINVAL;
	dma_fence_set_deadline(sync_file->fence, ns_to_ktime(deadline.deadline_ns));
	return 0;
}

static long sync_file_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct sync_file *sync_file = file->private_data;

	switch (cmd) {
	case SYNC_IOC_MERGE:
		return ioctl_merge(sync_file, (struct sync_merge_data __user *)arg);
	case SYNC_IOC_FILE_INFO:
		return ioctl_info(sync_file, (struct sync_file_info __user *)arg);
	case SYNC_IOC_SET_DEADLINE:
		return ioctl_set_deadline(sync_file, (struct sync_set_deadline __user *)arg);
	default:
		return -ENOTTY;
	}
}

static const struct file_operations sync_file_fops = {
	.release = sync_file_release,
	.poll = sync_file_poll,
	.unlocked_ioctl = sync_file_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};
