/* SPDX-License-Identifier: MIT */
/*
 * chardev.c - numbers of character devices, who serves them, and their names below /dev
 *
 * An open goes name -> number -> cdev -> ->open(), all within this process.
 *
 * Invariants
 *   CH1  Reservations do not overlap, nor do the cdevs that are added.
 *   CH2  ->open() runs without the lock; cdev.opening keeps cdev_del() from returning under it.
 *   CH3  Two nodes have different names.
 */
#include <stdarg.h>
#include <linux/anon_inodes.h>
#include <linux/bug.h>
#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/wait.h>
#include "host/debugfs.h"
#include "host/file.h"

/* Majors that alloc_chrdev_region() gives, from the last down; as in Linux. */
#define LAST_DYNAMIC_MAJOR 254
#define FIRST_DYNAMIC_MAJOR 234

struct region {
	struct list_head node;
	dev_t first;
	unsigned int count;
	const char *name;
};

struct node {
	struct device dev;
	struct list_head node;
	char *path; /* below /dev */
};

static DEFINE_MUTEX(lock);
static DECLARE_WAIT_QUEUE_HEAD(opened);

/* Under lock. */
static LIST_HEAD(regions);
static LIST_HEAD(cdevs);
static LIST_HEAD(nodes);

static bool overlap(dev_t a, unsigned int a_count, dev_t b, unsigned int b_count)
{
	return a < b + b_count && b < a + a_count;
}

/* --- numbers ---------------------------------------------------------------------------------- */

static bool is_reserved(dev_t first, unsigned int count)
{
	struct region *region;

	list_for_each_entry(region, &regions, node)
		if (overlap(first, count, region->first, region->count))
			return true;
	return false;
}

static struct region *region_new(unsigned int minor, unsigned int count, const char *name)
{
	struct region *region;

	if (!count || count > MINORMASK + 1 - minor)
		return ERR_PTR(-EINVAL);
	region = kzalloc(sizeof(*region), GFP_KERNEL);
	if (!region)
		return ERR_PTR(-ENOMEM);
	region->count = count;
	region->name = name;
	return region;
}

int register_chrdev_region(dev_t first, unsigned int count, const char *name)
{
	struct region *region = region_new(MINOR(first), count, name);
	bool taken;

	if (IS_ERR(region))
		return PTR_ERR(region);
	region->first = first;
	mutex_lock(&lock);
	taken = is_reserved(first, count);
	if (!taken)
		list_add_tail(&region->node, &regions);
	mutex_unlock(&lock);
	if (taken)
		kfree(region);
	return taken ? -EBUSY : 0;
}

int alloc_chrdev_region(dev_t *dev, unsigned int baseminor, unsigned int count, const char *name)
{
	struct region *region = NULL;
	unsigned int major;

	*dev = 0;
	if (baseminor > MINORMASK)
		return -EINVAL;
	region = region_new(baseminor, count, name);
	if (IS_ERR(region))
		return PTR_ERR(region);
	mutex_lock(&lock);
	for (major = LAST_DYNAMIC_MAJOR; major >= FIRST_DYNAMIC_MAJOR; major--)
		if (!is_reserved(MKDEV(major, 0), MINORMASK + 1))
			break;
	if (major >= FIRST_DYNAMIC_MAJOR) {
		region->first = MKDEV(major, baseminor);
		list_add_tail(&region->node, &regions);
		*dev = region->first;
	}
	mutex_unlock(&lock);
	if (!*dev)
		kfree(region);
	return *dev ? 0 : -EBUSY;
}

void unregister_chrdev_region(dev_t first, unsigned int count)
{
	struct region *region, *found = NULL;

	mutex_lock(&lock);
	list_for_each_entry(region, &regions, node)
		if (region->first == first && region->count == count)
			found = region;
	if (found)
		list_del(&found->node);
	mutex_unlock(&lock);
	WARN(!found, "unregister_chrdev_region: %u:%u is not reserved", MAJOR(first), MINOR(first));
	kfree(found);
}

/* --- who serves them -------------------------------------------------------------------------- */

void cdev_init(struct cdev *cdev, const struct file_operations *fops)
{
	*cdev = (struct cdev){ .ops = fops };
	INIT_LIST_HEAD(&cdev->list);
}

int cdev_add(struct cdev *cdev, dev_t dev, unsigned int count)
{
	struct cdev *other;
	int ret = 0;

	might_sleep();
	if (!count || WARN(!list_empty(&cdev->list), "cdev_add: added already"))
		return -EINVAL;
	mutex_lock(&lock);
	list_for_each_entry(other, &cdevs, list)
		if (overlap(dev, count, other->dev, other->count))
			ret = -EBUSY;
	if (!ret) {
		cdev->dev = dev;
		cdev->count = count;
		list_add_tail(&cdev->list, &cdevs);
	}
	mutex_unlock(&lock);
	return ret;
}

void cdev_del(struct cdev *cdev)
{
	bool added;

	mutex_lock(&lock);
	added = !list_empty(&cdev->list);
	list_del_init(&cdev->list);
	mutex_unlock(&lock);
	WARN(!added, "cdev_del: not added");
	wait_event(opened, !READ_ONCE(cdev->opening));
	/* Whoever opened last has left the lock, too. */
	mutex_lock(&lock);
	mutex_unlock(&lock);
}

/* --- names ------------------------------------------------------------------------------------ */

struct class *class_create(const char *name)
{
	struct class *class = kzalloc(sizeof(*class), GFP_KERNEL);

	if (!class)
		return ERR_PTR(-ENOMEM);
	class->name = name;
	return class;
}

void class_destroy(struct class *class)
{
	kfree(class);
}

static void node_release(struct device *dev)
{
	struct node *node = container_of(dev, struct node, dev);

	kfree(node->path);
	kfree(node);
}

/* Caller holds lock. */
static struct node *node_find(const char *path)
{
	struct node *node;

	list_for_each_entry(node, &nodes, node)
		if (!strcmp(node->path, path))
			return node;
	return NULL;
}

static int node_name(struct node *node, const char *fmt, va_list args)
{
	const struct class *class = node->dev.class;
	char *name = kvasprintf(GFP_KERNEL, fmt, args);
	int ret;

	if (!name)
		return -ENOMEM;
	ret = dev_set_name(&node->dev, "%s", name);
	if (!ret && class->devnode)
		node->path = class->devnode(&node->dev, NULL);
	if (!node->path) {
		node->path = name;
		return ret;
	}
	kfree(name);
	return ret;
}

struct device *device_create(const struct class *class, struct device *parent, dev_t devt,
			     void *drvdata, const char *fmt, ...)
{
	struct node *node;
	va_list args;
	int ret;

	might_sleep();
	node = kzalloc(sizeof(*node), GFP_KERNEL);
	if (!node)
		return ERR_PTR(-ENOMEM);
	node->dev.parent = parent;
	node->dev.class = class;
	node->dev.devt = devt;
	node->dev.release = node_release;
	dev_set_drvdata(&node->dev, drvdata);
	device_initialize(&node->dev);
	va_start(args, fmt);
	ret = node_name(node, fmt, args);
	va_end(args);
	if (ret)
		goto put_node;
	ret = device_add(&node->dev);
	if (ret)
		goto put_node;

	mutex_lock(&lock);
	if (node_find(node->path))
		ret = -EEXIST;
	else
		list_add_tail(&node->node, &nodes);
	mutex_unlock(&lock);
	if (ret)
		goto del_node;
	return &node->dev;

del_node:
	device_del(&node->dev);
put_node:
	put_device(&node->dev);
	return ERR_PTR(ret);
}

void device_destroy(const struct class *class, dev_t devt)
{
	struct node *node, *found = NULL;

	might_sleep();
	mutex_lock(&lock);
	list_for_each_entry(node, &nodes, node)
		if (node->dev.class == class && node->dev.devt == devt)
			found = node;
	if (found)
		list_del(&found->node);
	mutex_unlock(&lock);
	if (!WARN(!found, "device_destroy: no device %u:%u of this class", MAJOR(devt),
		  MINOR(devt)))
		device_unregister(&found->dev);
}

/* --- opening ---------------------------------------------------------------------------------- */

/* The cdev behind @path, with opening counted, and the number; or ERR_PTR. */
static struct cdev *cdev_of_path(const char *path, dev_t *devt)
{
	static const char dev[] = "/dev/";
	struct cdev *cdev, *found = ERR_PTR(-ENXIO);
	struct node *node = NULL;

	mutex_lock(&lock);
	if (!strncmp(path, dev, sizeof(dev) - 1))
		node = node_find(path + sizeof(dev) - 1);
	if (!node) {
		mutex_unlock(&lock);
		return ERR_PTR(-ENOENT);
	}
	*devt = node->dev.devt;
	list_for_each_entry(cdev, &cdevs, list)
		if (overlap(*devt, 1, cdev->dev, cdev->count))
			found = cdev;
	if (!IS_ERR(found))
		found->opening++;
	mutex_unlock(&lock);
	return found;
}

static void cdev_opened(struct cdev *cdev)
{
	mutex_lock(&lock);
	WRITE_ONCE(cdev->opening, cdev->opening - 1);
	wake_up_all(&opened);
	mutex_unlock(&lock);
}

/* What a file has whose ->open() failed: it is not released. */
static const struct file_operations never_opened;

static struct file *open_cdev(struct cdev *cdev, dev_t devt, int flags)
{
	struct file *file = anon_inode_getfile("chardev", cdev->ops, NULL, flags);
	int ret = 0;

	if (IS_ERR(file))
		return file;
	file->f_inode->i_rdev = devt;
	file->f_inode->i_cdev = cdev;
	if (cdev->ops->open)
		ret = cdev->ops->open(file->f_inode, file);
	if (ret) {
		replace_fops(file, &never_opened);
		fput(file);
		return ERR_PTR(ret);
	}
	return file;
}

static struct file *open_path(const char *path, int flags)
{
	struct cdev *cdev;
	struct file *file;
	dev_t devt;

	if (strstarts(path, HOST_DEBUGFS_ROOT))
		return host_debugfs_open(NULL, path + strlen(HOST_DEBUGFS_ROOT), flags);
	if (strstarts(path, HOST_DEVICES_ROOT))
		return host_debugfs_open(host_devices_top, path + strlen(HOST_DEVICES_ROOT), flags);
	cdev = cdev_of_path(path, &devt);
	if (IS_ERR(cdev))
		return ERR_CAST(cdev);
	file = open_cdev(cdev, devt, flags);
	cdev_opened(cdev);
	return file;
}

int host_open(const char *path, int flags)
{
	struct file *file;
	int fd;

	might_sleep();
	fd = get_unused_fd_flags(flags & O_CLOEXEC);
	if (fd < 0)
		return fd;
	file = open_path(path, flags);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	fd_install(fd, file);
	return fd;
}
