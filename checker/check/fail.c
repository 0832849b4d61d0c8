/* SPDX-License-Identifier: MIT */
/*
 * fail.c - a misc device with two ioctls that give a program a buffer; it forgets what the environment
 * says: DMABUF_CHECK_FORGETS
 */
#include <linux/dma-buf.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <stdlib.h>
#include <string.h>

#include <libdmabuf-check.h>

#include "drivers/exporters/system-heap.h"

struct request {
	__u64 bytes;
	__s32 fd;
	__u32 zero;
};

/* As most drivers of Linux's: a program that cannot be told its number has the buffer all the same. */
#define GIVE _IOWR('k', 1, struct request)
/* Told first, then given. */
#define GIVE_TOLD _IOWR('k', 2, struct request)

static bool forgets(const char *what)
{
	const char *chosen = getenv("DMABUF_CHECK_FORGETS");

	return chosen && !strcmp(chosen, what);
}

static long give(struct dma_buf *dmabuf, struct request *request, struct request __user *user)
{
	request->fd = dma_buf_fd(dmabuf, O_CLOEXEC);
	if (request->fd < 0) {
		if (!forgets("the buffer without a descriptor"))
			dma_buf_put(dmabuf);
		return request->fd;
	}
	return copy_to_user(user, request, sizeof(*request)) ? -EFAULT : 0;
}

static long give_told(struct dma_buf *dmabuf, struct request *request, struct request __user *user)
{
	long ret;

	request->fd = get_unused_fd_flags(O_CLOEXEC);
	if (request->fd < 0) {
		ret = request->fd;
		goto put_buffer;
	}
	if (copy_to_user(user, request, sizeof(*request))) {
		ret = -EFAULT;
		goto put_fd;
	}
	fd_install(request->fd, dmabuf->file);
	return 0;

put_fd:
	if (!forgets("the descriptor that cannot be told"))
		put_unused_fd(request->fd);
	if (forgets("the buffer that cannot be told"))
		return ret;
put_buffer:
	dma_buf_put(dmabuf);
	return ret;
}

static long fail_ioctl(struct file *file, unsigned int nr, unsigned long argument)
{
	struct request __user *user = (struct request __user *)argument;
	struct request *request;
	struct dma_buf *dmabuf;
	long ret;

	if (nr != GIVE && nr != GIVE_TOLD)
		return -ENOTTY;
	request = kzalloc(sizeof(*request), GFP_KERNEL);
	if (!request)
		return -ENOMEM;
	if (copy_from_user(request, user, sizeof(*request))) {
		ret = -EFAULT;
		if (forgets("the request that cannot be read"))
			return ret;
		goto free_request;
	}
	dmabuf = system_heap_allocate_flags(request->bytes, O_RDWR | O_CLOEXEC);
	if (IS_ERR(dmabuf))
		ret = PTR_ERR(dmabuf);
	else
		ret = nr == GIVE ? give(dmabuf, request, user) : give_told(dmabuf, request, user);
free_request:
	kfree(request);
	return ret;
}

static const struct file_operations fail_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = fail_ioctl,
};

static struct miscdevice misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "fail",
	.fops = &fail_fops,
};

static int __init fail_init(void)
{
	return misc_register(&misc);
}
module_init(fail_init);

static void __exit fail_exit(void)
{
	misc_deregister(&misc);
}
module_exit(fail_exit);

#define FIELDS                                              \
	.node = "fail", .argument = sizeof(struct request), \
	.size = CHECK_FIELD(struct request, bytes), .fd = CHECK_FIELD(struct request, fd)
DMABUF_CHECK_IOCTLS({ .request = GIVE, FIELDS }, { .request = GIVE_TOLD, FIELDS });
