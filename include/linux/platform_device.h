/* SPDX-License-Identifier: MIT */
/*
 * platform_device.h - devices that no bus finds: somebody says that they are there
 *
 * Semantics: Linux 6.12.
 *
 * Invariants
 *   PF1  A device has at most one driver, and a driver that is registered each device that it is for
 *        and that no other has.
 *   PF2  One ->probe() or ->remove() runs at a time, but for those that one of them causes itself.
 *   PF3  When a device has lost its driver, or ->probe() has failed, what was devm_*()'s is given
 *        back and the driver data is NULL.
 *
 * DIFFERS: there is no device tree and nothing is deferred: a driver is for devices of a name that
 * its id_table has, or of its own; a ->probe() that fails with -EPROBE_DEFER has failed.
 */
#ifndef _LINUX_PLATFORM_DEVICE_H
#define _LINUX_PLATFORM_DEVICE_H

#include <linux/device.h>
#include <linux/err.h>
#include <linux/init.h>
#include <linux/interrupt.h>
#include <linux/ioport.h>
#include <linux/mod_devicetable.h>
#include <linux/module.h>

#define PLATFORM_DEVID_NONE (-1) /* the device's name is all */
#define PLATFORM_DEVID_AUTO (-2) /* a number that no other has */

struct platform_device {
	/* its maker's, constant from platform_device_add() on */
	const char *name;
	int id;
	struct device dev;
	u32 num_resources;
	struct resource *resource;

	/* host/platform.c's */
	const struct platform_device_id *id_entry; /* of its driver, or NULL */
	u64 platform_dma_mask;
	struct list_head node;
	const struct platform_driver *refused_by; /* its ->probe() has failed, or NULL */
};

struct platform_driver {
	int (*probe)(struct platform_device *pdev);
	union {
		void (*remove)(struct platform_device *pdev);
		void (*remove_new)(struct platform_device *pdev);
	};
	void (*shutdown)(struct platform_device *pdev); /* never called */
	struct device_driver driver;
	const struct platform_device_id *id_table; /* or NULL */

	struct list_head node; /* host/platform.c's */
};

#define to_platform_device(x) container_of(x, struct platform_device, dev)
#define to_platform_driver(x) container_of(x, struct platform_driver, driver)

/**
 * platform_driver_register - @driver is there for devices, those that are and those that come
 *
 * Context: may sleep; runs ->probe().
 * Returns 0, also where a ->probe() fails: that is printed; -EBUSY: @driver, or one of its name, is
 * registered; -EINVAL without a name or ->probe().
 */
#define platform_driver_register(driver) __platform_driver_register(driver, THIS_MODULE)
int __platform_driver_register(struct platform_driver *driver, struct module *owner);

/** platform_driver_unregister - and no longer: ->remove() of each device that has it has run */
void platform_driver_unregister(struct platform_driver *driver);

/** module_platform_driver - all that a module does is to be this driver */
#define module_platform_driver(_driver)                      \
	static int __init _driver##_init(void)               \
	{                                                    \
		return platform_driver_register(&(_driver)); \
	}                                                    \
	module_init(_driver##_init);                         \
	static void __exit _driver##_exit(void)              \
	{                                                    \
		platform_driver_unregister(&(_driver));      \
	}                                                    \
	module_exit(_driver##_exit)

/**
 * platform_device_alloc - a device called @name, with @id behind a dot unless that is one of the two above
 *
 * Returns NULL without memory.
 * Ownership: until platform_device_add() platform_device_put() undoes it, then
 * platform_device_unregister().
 */
struct platform_device *platform_device_alloc(const char *name, int id);
void platform_device_put(struct platform_device *pdev);

/**
 * platform_device_add - @pdev is there
 *
 * Context: may sleep; runs ->probe() of the driver that is for it, if there is one.  Returns 0,
 * also where that fails; else what device_add() says, and @pdev is as before.
 */
int platform_device_add(struct platform_device *pdev);

/** platform_device_del - @pdev goes: ->remove() has run. platform_device_unregister: and its reference */
void platform_device_del(struct platform_device *pdev);
void platform_device_unregister(struct platform_device *pdev);

/** platform_device_register - one of the caller's own, zeroed but for its name and id */
int platform_device_register(struct platform_device *pdev);

/** platform_device_register_simple - alloc and add. Returns it, or ERR_PTR. @res: copied */
struct platform_device *platform_device_register_simple(const char *name, int id,
							const struct resource *res,
							unsigned int nr);

/** platform_get_resource - the @nr-th of this kind, or NULL */
struct resource *platform_get_resource(struct platform_device *pdev, unsigned int type,
				       unsigned int nr);

/**
 * platform_get_irq, platform_get_irq_optional - the number of its @nr-th interrupt
 *
 * DIFFERS: a device without that resource has one, too, that never comes, as any (<linux/interrupt.h>).
 */
int platform_get_irq(struct platform_device *pdev, unsigned int nr);
int platform_get_irq_optional(struct platform_device *pdev, unsigned int nr);

/**
 * devm_platform_ioremap_resource - the CPU's address of its @nr-th registers
 *
 * Returns ERR_PTR: -EINVAL there is no such resource; -ENOMEM (<linux/io.h> has no registers).
 */
void __iomem *devm_platform_ioremap_resource(struct platform_device *pdev, unsigned int nr);

static inline void *platform_get_drvdata(const struct platform_device *pdev)
{
	return dev_get_drvdata(&pdev->dev);
}

static inline void platform_set_drvdata(struct platform_device *pdev, void *data)
{
	dev_set_drvdata(&pdev->dev, data);
}

#endif
