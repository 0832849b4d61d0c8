/* SPDX-License-Identifier: MIT */
/*
 * dma-heap.c - heaps as character devices, and their one ioctl
 *
 * Invariants
 *   DH1  A heap is in the array, has a cdev and a node, from dma_heap_add() to dma_heap_remove();
 *        the major number is reserved while there is one.
 *   DH2  Each open file owns a reference of its heap, and dma_heap_add() the first.
 *   DH3  ->allocate() runs with the gate held to read, and not once it was removed.
 *   DH4  A descriptor is installed last, when the program has its number: a call that fails leaves
 *        none.
 */
#include <linux/bug.h>
#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/refcount.h>
#include <linux/rwsem.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/xarray.h>
#include <uapi/linux/dma-heap.h>

#define HEAP_MINORS 128

struct dma_heap {
	/* constant from dma_heap_add() on */
	const char *name;
	const struct dma_heap_ops *ops;
	void *priv;
	u32 minor;
	struct cdev cdev;

	refcount_t refs;

	struct rw_semaphore gate;
	bool removed; /* guarded by gate */
};

static const struct class heap_class = { .name = "dma_heap" };

static DEFINE_MUTEX(heaps_lock);

/* Under heaps_lock. */
static DEFINE_XARRAY_ALLOC(heaps);
static dev_t first_devt; /* 0: not reserved */

static void heap_put(struct dma_heap *heap)
{
	if (refcount_dec_and_test(&heap->refs))
		kfree(heap);
}

/* --- a program's descriptor ------------------------------------------------------------------- */

static int heap_open(struct inode *inode, struct file *file)
{
	struct dma_heap *heap = container_of(inode->i_cdev, struct dma_heap, cdev);

	refcount_inc(&heap->refs);
	file->private_data = heap;
	return 0;
}

static int heap_release(struct inode *inode, struct file *file)
{
	heap_put(file->private_data);
	return 0;
}

static struct dma_buf *heap_allocate(struct dma_heap *heap,
				     const struct dma_heap_allocation_data *data)
{
	struct dma_buf *dmabuf = ERR_PTR(-ENODEV);
	size_t len = PAGE_ALIGN(data->len);

	if (data->fd || data->fd_flags & ~(u32)DMA_HEAP_VALID_FD_FLAGS ||
	    data->heap_flags & ~DMA_HEAP_VALID_HEAP_FLAGS || !len)
		return ERR_PTR(-EINVAL);
	down_read(&heap->gate);
	if (!heap->removed)
		dmabuf = heap->ops->allocate(heap, len, data->fd_flags, data->heap_flags);
	up_read(&heap->gate);
	if (WARN(!dmabuf, "dma-heap: %s allocated NULL\n", heap->name))
		return ERR_PTR(-EINVAL);
	return dmabuf;
}

/* A buffer and a reserved number, both the caller's, the number in @data. Nothing on failure. */
static struct dma_buf *heap_allocate_fd(struct dma_heap *heap,
					struct dma_heap_allocation_data *data)
{
	struct dma_buf *dmabuf = heap_allocate(heap, data);
	int fd;

	if (IS_ERR(dmabuf))
		return dmabuf;
	fd = get_unused_fd_flags(data->fd_flags & O_CLOEXEC);
	if (fd < 0) {
		dma_buf_put(dmabuf);
		return ERR_PTR(fd);
	}
	data->fd = fd;
	return dmabuf;
}

static long heap_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	size_t in = cmd & IOC_IN ? _IOC_SIZE(cmd) : 0;
	size_t out = cmd & IOC_OUT ? _IOC_SIZE(cmd) : 0;
	union {
		struct dma_heap_allocation_data data;
		char bytes[128];
	} small = { .data = {} }, *request = &small;
	struct dma_buf *dmabuf;
	int ret = 0;

	if (_IOC_NR(cmd) != _IOC_NR(DMA_HEAP_IOCTL_ALLOC))
		return -EINVAL;
	if (max(in, out) > sizeof(small)) {
		request = kzalloc(max(in, out), GFP_KERNEL);
		if (!request)
			return -ENOMEM;
	}
	if (copy_from_user(request, (const void __user *)arg, in)) {
		ret = -EFAULT;
		goto free_request;
	}

	dmabuf = heap_allocate_fd(file->private_data, &request->data);
	if (IS_ERR(dmabuf)) {
		ret = PTR_ERR(dmabuf);
	} else if (copy_to_user((void __user *)arg, request, out)) {
		put_unused_fd(request->data.fd);
		dma_buf_put(dmabuf);
		ret = -EFAULT;
	} else {
		fd_install(request->data.fd, dmabuf->file);
	}

free_request:
	if (request != &small)
		kfree(request);
	return ret;
}

static const struct file_operations heap_fops = {
	.open = heap_open,
	.release = heap_release,
	.unlocked_ioctl = heap_ioctl,
	.compat_ioctl = heap_ioctl,
};

/* --- heaps ------------------------------------------------------------------------------------ */

/* Caller holds heaps_lock. */
static bool is_taken(const char *name)
{
	struct dma_heap *heap;
	unsigned long minor;

	xa_for_each(&heaps, minor, heap) if (!strcmp(heap->name, name)) return true;
	return false;
}

/* Caller holds heaps_lock. */
static int reserve_numbers(void)
{
	return first_devt ? 0 : alloc_chrdev_region(&first_devt, 0, HEAP_MINORS, "dma_heap");
}

/* Caller holds heaps_lock. */
static void unreserve_numbers(void)
{
	if (!xa_empty(&heaps))
		return;
	unregister_chrdev_region(first_devt, HEAP_MINORS);
	first_devt = 0;
}

/* Caller holds heaps_lock. */
static int heap_publish(struct dma_heap *heap)
{
	struct device *dev;
	int ret;

	if (is_taken(heap->name)) {
		pr_err("dma-heap: there is a heap %s already\n", heap->name);
		return -EINVAL;
	}
	ret = reserve_numbers();
	if (ret)
		return ret;
	ret = xa_alloc(&heaps, &heap->minor, heap, XA_LIMIT(0, HEAP_MINORS - 1), GFP_KERNEL);
	if (ret)
		goto unreserve_numbers;
	ret = cdev_add(&heap->cdev, first_devt + heap->minor, 1);
	if (ret)
		goto erase_minor;
	dev = device_create(&heap_class, NULL, first_devt + heap->minor, heap, "dma_heap/%s",
			    heap->name);
	if (IS_ERR(dev)) {
		ret = PTR_ERR(dev);
		goto delete_cdev;
	}
	return 0;

delete_cdev:
	cdev_del(&heap->cdev);
erase_minor:
	xa_erase(&heaps, heap->minor);
unreserve_numbers:
	unreserve_numbers();
	return ret;
}

struct dma_heap *dma_heap_add(const struct dma_heap_export_info *exp_info)
{
	struct dma_heap *heap;
	int ret;

	might_sleep();
	if (!exp_info->name || !exp_info->name[0] || strchr(exp_info->name, '/')) {
		pr_err("dma-heap: a heap without a name, or with a '/' in it\n");
		return ERR_PTR(-EINVAL);
	}
	if (!exp_info->ops || !exp_info->ops->allocate) {
		pr_err("dma-heap: heap %s cannot allocate\n", exp_info->name);
		return ERR_PTR(-EINVAL);
	}
	heap = kzalloc(sizeof(*heap), GFP_KERNEL);
	if (!heap)
		return ERR_PTR(-ENOMEM);
	heap->name = exp_info->name;
	heap->ops = exp_info->ops;
	heap->priv = exp_info->priv;
	cdev_init(&heap->cdev, &heap_fops);
	refcount_set(&heap->refs, 1);
	init_rwsem(&heap->gate);

	mutex_lock(&heaps_lock);
	ret = heap_publish(heap);
	mutex_unlock(&heaps_lock);
	if (ret) {
		kfree(heap);
		return ERR_PTR(ret);
	}
	return heap;
}
EXPORT_SYMBOL(dma_heap_add);

void dma_heap_remove(struct dma_heap *heap)
{
	might_sleep();
	mutex_lock(&heaps_lock);
	device_destroy(&heap_class, first_devt + heap->minor);
	cdev_del(&heap->cdev);
	xa_erase(&heaps, heap->minor);
	unreserve_numbers();
	mutex_unlock(&heaps_lock);

	down_write(&heap->gate);
	heap->removed = true;
	up_write(&heap->gate);
	heap_put(heap);
}
EXPORT_SYMBOL(dma_heap_remove);

void *dma_heap_get_drvdata(struct dma_heap *heap)
{
	return heap->priv;
}
EXPORT_SYMBOL(dma_heap_get_drvdata);

const char *dma_heap_get_name(struct dma_heap *heap)
{
	return heap->name;
}
EXPORT_SYMBOL(dma_heap_get_name);
