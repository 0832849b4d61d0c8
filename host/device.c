/* SPDX-License-Identifier: MIT */
/*
 * device.c - the life of a device and who is told of its end
 */
#include <stdarg.h>
#include <linux/bug.h>
#include <linux/device.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include "host/sysfs.h"

struct gone_watch {
	struct list_head link;
	void (*fn)(struct device *dev);
};

/* Held while watches run, so that unregistering waits for them. */
static DEFINE_MUTEX(watches_lock);
static LIST_HEAD(watches); /* under watches_lock, in order of registration */

static void device_release(struct kref *ref)
{
	struct device *dev = container_of(ref, struct device, ref);
	struct device *parent = dev->parent;
	const char *name = dev->name;

	devres_release_all(dev);
	WARN(dev->added, "%s: released while it is added", dev_name(dev));
	WARN(!dev->release, "%s: has no release function, so it leaks", dev_name(dev));
	if (dev->release)
		dev->release(dev);
	kfree(name);
	put_device(parent);
}

void device_initialize(struct device *dev)
{
	kref_init(&dev->ref);
	dev->name = NULL;
	dev->added = false;
	get_device(dev->parent);
}

int dev_set_name(struct device *dev, const char *fmt, ...)
{
	const char *name;
	va_list args;

	if (WARN(dev->added, "%s: renamed while it is added", dev_name(dev)))
		return -EINVAL;
	va_start(args, fmt);
	name = kvasprintf(GFP_KERNEL, fmt, args);
	va_end(args);
	if (!name)
		return -ENOMEM;
	kfree(dev->name);
	dev->name = name;
	return 0;
}

int device_add(struct device *dev)
{
	int ret;

	if (dev->added)
		return -EINVAL;
	if (!dev->name && dev->init_name) {
		ret = dev_set_name(dev, "%s", dev->init_name);
		if (ret)
			return ret;
	}
	if (!dev->name || !*dev->name)
		return -EINVAL;
	dev->kobj.name = dev->name;
	WRITE_ONCE(dev->added, true);
	ret = dev->groups ? device_add_groups(dev, dev->groups) : 0;
	if (ret) {
		host_sysfs_remove_all(dev);
		WRITE_ONCE(dev->added, false);
	}
	return ret;
}

int device_register(struct device *dev)
{
	device_initialize(dev);
	return device_add(dev);
}

void device_del(struct device *dev)
{
	struct gone_watch *watch;

	might_sleep();
	if (WARN(!dev->added, "%s: deleted but not added", dev_name(dev)))
		return;
	mutex_lock(&watches_lock);
	list_for_each_entry(watch, &watches, link)
		watch->fn(dev);
	mutex_unlock(&watches_lock);
	host_sysfs_remove_all(dev);
	devres_release_all(dev);
	WRITE_ONCE(dev->added, false);
}

void device_unregister(struct device *dev)
{
	device_del(dev);
	put_device(dev);
}

bool device_is_registered(struct device *dev)
{
	return READ_ONCE(dev->added);
}

struct device *get_device(struct device *dev)
{
	if (dev)
		kref_get(&dev->ref);
	return dev;
}

void put_device(struct device *dev)
{
	if (dev)
		kref_put(&dev->ref, device_release);
}

/* Caller holds watches_lock. */
static struct gone_watch *watch_find(void (*fn)(struct device *dev))
{
	struct gone_watch *watch;

	list_for_each_entry(watch, &watches, link)
		if (watch->fn == fn)
			return watch;
	return NULL;
}

int host_device_gone_register(void (*fn)(struct device *dev))
{
	struct gone_watch *watch = kzalloc(sizeof(*watch), GFP_KERNEL);
	bool known;

	if (!watch)
		return -ENOMEM;
	watch->fn = fn;
	mutex_lock(&watches_lock);
	known = watch_find(fn);
	if (!known)
		list_add_tail(&watch->link, &watches);
	mutex_unlock(&watches_lock);
	if (known) {
		kfree(watch);
		return -EEXIST;
	}
	return 0;
}

void host_device_gone_unregister(void (*fn)(struct device *dev))
{
	struct gone_watch *watch;

	mutex_lock(&watches_lock);
	watch = watch_find(fn);
	if (watch)
		list_del(&watch->link);
	mutex_unlock(&watches_lock);
	WARN(!watch, "host_device_gone_unregister: not registered");
	kfree(watch);
}
