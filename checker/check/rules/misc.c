/* SPDX-License-Identifier: MIT */
/* misc.c - a misc device whose ioctl gives a program the buffers of the library's system heap */
#include <linux/dma-buf.h>
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/kthread.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/uaccess.h>

#include "breaks.h"
#include "drivers/exporters/system-heap.h"

struct allocation {
	__u64 bytes;
	__s32 fd;
	__u32 zero;
};

#define ALLOCATE _IOWR('k', 1, struct allocation)

static long misc_ioctl(struct file *file, unsigned int request, unsigned long argument)
{
	struct allocation allocation;
	struct dma_buf *dmabuf;

	if (request != ALLOCATE)
		return -ENOTTY;
	if (copy_from_user(&allocation, (void __user *)argument, sizeof(allocation)))
		return -EFAULT;
	if (allocation.zero)
		return -EINVAL;
	dmabuf = system_heap_allocate_flags(allocation.bytes, O_RDWR | O_CLOEXEC);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	allocation.fd = dma_buf_fd(dmabuf, O_CLOEXEC);
	if (allocation.fd < 0) {
		dma_buf_put(dmabuf);
		return allocation.fd;
	}
	return copy_to_user((void __user *)argument, &allocation, sizeof(allocation)) ? -EFAULT : 0;
}

static const struct file_operations misc_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = misc_ioctl,
};

static struct miscdevice misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "keeper",
	.fops = &misc_fops,
};

static unsigned long scratch;
static struct task_struct *thread;

static int wait_to_stop(void *data)
{
	while (!kthread_should_stop())
		schedule_timeout_interruptible(HZ);
	return 0;
}

static int __init misc_init(void)
{
	int ret;

	scratch = get_zeroed_page(GFP_KERNEL);
	if (!scratch)
		return -ENOMEM;
	thread = kthread_run(wait_to_stop, NULL, "misc");
	if (IS_ERR(thread)) {
		ret = PTR_ERR(thread);
		goto free_scratch;
	}
	ret = misc_register(&misc);
	if (ret)
		goto stop_thread;
	return 0;

stop_thread:
	kthread_stop(thread);
free_scratch:
	free_page(scratch);
	return ret;
}
module_init(misc_init);

static void __exit misc_exit(void)
{
	misc_deregister(&misc);
	if (!breaks("LIFE-14"))
		kthread_stop(thread);
	if (!breaks("LIFE-12"))
		free_page(scratch);
}
module_exit(misc_exit);

DMABUF_CHECK_IOCTLS({
	.node = "keeper",
	.request = ALLOCATE,
	.argument = sizeof(struct allocation),
	.size = CHECK_FIELD(struct allocation, bytes),
	.fd = CHECK_FIELD(struct allocation, fd),
});
