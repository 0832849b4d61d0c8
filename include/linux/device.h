/* SPDX-License-Identifier: MIT */
/*
 * device.h - a device: a name, a life, and what it can reach
 *
 * What dma-buf drivers use of Linux 6.12's device model.  No bus but the platform's, and no power
 * management.
 *
 * Invariants
 *   DV1  A device lives until its last put_device(); then ->release() runs, once.
 *   DV2  Everybody who registered with host_device_gone_register() is told of a device after its
 *        owner decided that it goes and before device_del() returns, so before its DMA state is
 *        torn down.
 *   DV3  Only a device between device_add() and device_del() is announced, and exactly once.
 */
#ifndef _LINUX_DEVICE_H
#define _LINUX_DEVICE_H

#include <linux/cleanup.h>
#include <linux/device/devres.h>
#include <linux/types.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/sysfs.h>

/*
 * Limits of a device's scatter-gather unit; 0 means the default of the dma_get_*() that reads it.
 */
struct device_dma_parameters {
	unsigned int max_segment_size;
	unsigned int min_align_mask;
	unsigned long segment_boundary_mask;
};

struct device;
struct dev_pm_ops;
struct module;
struct of_device_id;

/* What a bus's driver says of itself; of platform devices' there are any (<linux/platform_device.h>). */
struct device_driver {
	const char *name;
	struct module *owner;
	const struct of_device_id *of_match_table; /* nobody looks: there is no device tree */
	const struct dev_pm_ops *pm;               /* nothing sleeps */
	bool suppress_bind_attrs;
};

/* A kind of device with nodes below /dev, where host_open() finds them. */
struct class
{
	const char *name;

	/* Optional: the node's name, kmalloc'ed, or NULL for the device's.  @mode may be NULL. */
	char *(*devnode)(const struct device *dev, umode_t *mode);
};

struct device {
	/* Set by the owner before device_add(), constant afterwards. */
	struct device *parent;
	const char *init_name; /* becomes the name at device_add() */
	void (*release)(struct device *dev);
	const struct attribute_group **groups; /* added and removed with the device */

	/* The driver's. */
	struct device_driver *driver; /* NULL where none sets it */
	struct device_node *of_node;  /* NULL where none sets it */
	void *driver_data;
	void *platform_data;
	u64 *dma_mask;
	u64 coherent_dma_mask;
	struct device_dma_parameters *dma_parms;

	/* device_create()'s. */
	dev_t devt;
	const struct class *class;

	/* DIFFERS: the DMA layer's own state (dma/). */
	void *dma;

	/* host/device.c's. */
	struct kref ref;
	const char *name;
	bool added;
	struct kobject kobj;

	struct devres *devres;              /* host/devres.c's */
	struct host_attributes *attributes; /* host/sysfs.c's */
};

static inline struct device *kobj_to_dev(struct kobject *kobj)
{
	return container_of(kobj, struct device, kobj);
}

/* --- attributes (<linux/sysfs.h>) ------------------------------------------------------------- */

struct device_attribute {
	struct attribute attr;
	ssize_t (*show)(struct device *dev, struct device_attribute *attr, char *buf);
	ssize_t (*store)(struct device *dev, struct device_attribute *attr, const char *buf,
			 size_t count);
};

/* DEVICE_ATTR_RO - dev_attr_NAME, an attribute that NAME_show() serves; RW, WO: and NAME_store() */
#define DEVICE_ATTR(_name, _mode, _show, _store) \
	struct device_attribute dev_attr_##_name = __ATTR(_name, _mode, _show, _store)
#define DEVICE_ATTR_RO(_name) struct device_attribute dev_attr_##_name = __ATTR_RO(_name)
#define DEVICE_ATTR_RW(_name) struct device_attribute dev_attr_##_name = __ATTR_RW(_name)
#define DEVICE_ATTR_WO(_name) struct device_attribute dev_attr_##_name = __ATTR_WO(_name)

/**
 * device_create_file, device_add_groups - give @dev, which is added, one attribute, or all of a list
 * of groups that ends with NULL
 *
 * They go with device_remove_file(), device_remove_groups(), or device_del().
 * Context: may sleep.  The attributes must live as long.
 * Returns 0; -EEXIST: there is one of this name, or another device of this name has attributes;
 * -EINVAL: @dev is not added, or a name is none; -ENOMEM.  On failure none of them is there.
 */
int __must_check device_create_file(struct device *dev, const struct device_attribute *attr);
int __must_check device_add_groups(struct device *dev, const struct attribute_group **groups);

/**
 * device_remove_file, device_remove_groups - after return no ->show() or ->store() of theirs runs
 *
 * Those that are not there are ignored.  Context: may sleep; not from one of them.
 */
void device_remove_file(struct device *dev, const struct device_attribute *attr);
void device_remove_groups(struct device *dev, const struct attribute_group **groups);

static inline int __must_check device_add_group(struct device *dev,
						const struct attribute_group *group)
{
	const struct attribute_group *groups[] = { group, NULL };

	return device_add_groups(dev, groups);
}

static inline void device_remove_group(struct device *dev, const struct attribute_group *group)
{
	const struct attribute_group *groups[] = { group, NULL };

	device_remove_groups(dev, groups);
}

/* --- the life of a device --------------------------------------------------------------------- */

/**
 * device_initialize - make a zeroed @dev usable
 *
 * Context: may sleep.  The caller then holds one reference and ends with put_device(), never with
 * free().
 */
void device_initialize(struct device *dev);

/**
 * dev_set_name - name @dev; before device_add() only
 * Context: may sleep.  Returns 0 or -ENOMEM; then the old name stays.
 */
int dev_set_name(struct device *dev, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/**
 * device_add - let the world know @dev
 *
 * Context: may sleep.
 * Returns 0, -EINVAL when it has no name or was added already, -ENOMEM, what device_add_groups() of
 * its groups says.  On failure the caller
 * still ends with put_device().  Takes a reference of @parent for the life of @dev. DIFFERS: two
 * devices may have one name.
 */
int device_add(struct device *dev);

/** device_register - device_initialize() and device_add(). On failure end with put_device() */
int device_register(struct device *dev);

/**
 * device_del - @dev goes: tell all who registered, then forget it
 *
 * Context: may sleep; no lock that a registered function takes may be held.
 * Rules: WARN, and nothing happens, if it was not added.
 */
void device_del(struct device *dev);

/** device_unregister - device_del() and put_device() */
void device_unregister(struct device *dev);

/**
 * device_is_registered - between device_add() and device_del()? A hint unless the caller orders
 * both
 */
bool device_is_registered(struct device *dev);

/**
 * get_device, put_device - references; NULL is ignored. The last put runs ->release() in its
 * context
 */
struct device *get_device(struct device *dev);
void put_device(struct device *dev);

/**
 * host_device_gone_register - @fn is called for every device that goes
 *
 * DIFFERS: stands for bus_register_notifier() with BUS_NOTIFY_UNBIND_DRIVER on all buses.
 * @fn may sleep, runs in device_del()'s thread, in the order of registration; it must not register,
 * unregister or delete a device.  @dev is complete and its mappings still work during the call.
 * Context: may sleep.  Returns 0, -EEXIST if @fn is registered, -ENOMEM.
 */
int host_device_gone_register(void (*fn)(struct device *dev));

/**
 * host_device_gone_unregister - after return @fn neither runs nor will run. WARN if not
 * registered
 */
void host_device_gone_unregister(void (*fn)(struct device *dev));

/**
 * class_create - a class with this name, which must outlive it
 * Context: may sleep.  Returns ERR_PTR(-ENOMEM).  Given back with class_destroy().
 */
struct class *class_create(const char *name);
void class_destroy(struct class *class);

/**
 * device_create - a device of @class whose node stands for the number @devt
 * @drvdata: becomes its driver data; the format makes its name
 *
 * Context: may sleep.
 * Returns the device, which device_destroy() takes back, or ERR_PTR: -EEXIST when a node has that
 * name, -EINVAL without a name, -ENOMEM.
 */
struct device *device_create(const struct class *class, struct device *parent, dev_t devt,
			     void *drvdata, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/** device_destroy - the device of @class with @devt goes. WARN if there is none. May sleep */
void device_destroy(const struct class *class, dev_t devt);

/** dev_name - for messages; never NULL. Context: any */
static inline const char *dev_name(const struct device *dev)
{
	if (dev->name)
		return dev->name;
	return dev->init_name ? dev->init_name : "(unnamed)";
}

static inline void *dev_get_drvdata(const struct device *dev)
{
	return dev->driver_data;
}

static inline void dev_set_drvdata(struct device *dev, void *data)
{
	dev->driver_data = data;
}

#define dev_err(dev, fmt, ...) pr_err("%s: " fmt, dev_name(dev), ##__VA_ARGS__)
#define dev_warn(dev, fmt, ...) pr_warn("%s: " fmt, dev_name(dev), ##__VA_ARGS__)
#define dev_info(dev, fmt, ...) pr_info("%s: " fmt, dev_name(dev), ##__VA_ARGS__)
#define dev_dbg(dev, fmt, ...) pr_debug("%s: " fmt, dev_name(dev), ##__VA_ARGS__)

DEFINE_FREE(device_del, struct device *, if (_T) device_del(_T))
DEFINE_FREE(put_device, struct device *, if (_T) put_device(_T))

#endif
