/* SPDX-License-Identifier: MIT */
/*
 * misc.c - character devices that share one major number
 *
 * Invariants
 *   MI1  A miscdevice is on the list exactly while it is registered; its minor is then its own.
 *   MI2  ->open() of a miscdevice runs under the lock, so misc_deregister() waits for it.
 */
#include <linux/bug.h>
#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mutex.h>
#include <linux/slab.h>

/* The first minor that misc_register() chooses; those below have fixed owners in Linux. */
#define FIRST_DYNAMIC_MINOR 256

static DEFINE_MUTEX(lock);

/* Under lock. */
static LIST_HEAD(miscs);
static struct cdev misc_cdev; /* added with the first miscdevice, for ever */

static struct miscdevice *misc_find(int minor)
{
	struct miscdevice *misc;

	list_for_each_entry(misc, &miscs, list)
		if (misc->minor == minor)
			return misc;
	return NULL;
}

static int misc_open(struct inode *inode, struct file *file)
{
	struct miscdevice *misc;
	int ret = 0;

	mutex_lock(&lock);
	misc = misc_find(iminor(inode));
	if (!misc) {
		ret = -ENODEV;
		goto unlock;
	}
	file->private_data = misc;
	replace_fops(file, misc->fops);
	if (misc->fops->open)
		ret = misc->fops->open(inode, file);
unlock:
	mutex_unlock(&lock);
	return ret;
}

static const struct file_operations misc_fops = { .open = misc_open };

static char *misc_devnode(const struct device *dev, umode_t *mode)
{
	const struct miscdevice *misc = dev_get_drvdata(dev);

	if (mode && misc->mode)
		*mode = misc->mode;
	return misc->nodename ? kasprintf(GFP_KERNEL, "%s", misc->nodename) : NULL;
}

static const struct class misc_class = { .name = "misc", .devnode = misc_devnode };

/* Caller holds lock. */
static int serve(void)
{
	if (misc_cdev.ops)
		return 0;
	cdev_init(&misc_cdev, &misc_fops);
	return cdev_add(&misc_cdev, MKDEV(MISC_MAJOR, 0), MINORMASK + 1);
}

int misc_register(struct miscdevice *misc)
{
	bool choose = misc->minor == MISC_DYNAMIC_MINOR;
	int minor = misc->minor, ret;

	might_sleep();
	if (!misc->name || !misc->fops || minor < 0 || minor > MINORMASK)
		return -EINVAL;
	mutex_lock(&lock);
	ret = serve();
	if (ret)
		goto unlock;
	if (choose)
		for (minor = FIRST_DYNAMIC_MINOR; misc_find(minor);)
			minor++;
	ret = -EBUSY;
	if (misc_find(minor))
		goto unlock;
	misc->this_device = device_create(&misc_class, misc->parent, MKDEV(MISC_MAJOR, minor), misc,
					  "%s", misc->name);
	if (IS_ERR(misc->this_device)) {
		ret = PTR_ERR(misc->this_device);
		misc->this_device = NULL;
		goto unlock;
	}
	misc->minor = minor;
	list_add_tail(&misc->list, &miscs);
	ret = 0;
unlock:
	mutex_unlock(&lock);
	return ret;
}

void misc_deregister(struct miscdevice *misc)
{
	mutex_lock(&lock);
	if (!WARN(misc_find(misc->minor) != misc, "misc_deregister: %s is not registered",
		  misc->name)) {
		list_del(&misc->list);
		device_destroy(&misc_class, MKDEV(MISC_MAJOR, misc->minor));
		misc->this_device = NULL;
	}
	mutex_unlock(&lock);
}
