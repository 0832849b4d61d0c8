/* SPDX-License-Identifier: MIT */
/*
 * drive-platform.c - platform drivers on the bench; see drive.h
 *
 * A device that a driver is probed with maps as one of the bench's machine.  A driver for which
 * there is no device when module_init() has returned gets one.
 */
#include "checker/check/own.h"

#include <linux/platform_device.h>

#include <stdlib.h>

#include "checker/check/bench.h"
#include "checker/check/drive.h"
#include "checker/check/watch.h"
#include "dma/view.h"

REAL(__platform_driver_register);
REAL(platform_driver_unregister);

#define DRIVERS 8

static struct {
	struct platform_driver *driver; /* NULL: free */
	int (*probe)(struct platform_device *pdev);
	bool probed;
	struct platform_device *made; /* for it, or NULL */
} drivers[DRIVERS];

static unsigned int place_of(const struct platform_driver *driver)
{
	unsigned int i = 0;

	while (i < DRIVERS && drivers[i].driver != driver)
		i++;
	return i;
}

/* A device's memory is the bench's from its first probe to its end. */
struct on_bench {
	struct on_bench *next;
	struct device *dev;
	void (*release)(struct device *dev); /* the device's own, or NULL */
	struct dma_view view;
};

static struct on_bench *on_bench;

static void off_bench(struct device *dev)
{
	struct on_bench **at = &on_bench, *one;

	while ((*at)->dev != dev)
		at = &(*at)->next;
	one = *at;
	*at = one->next;
	dma_view_close(&one->view);
	dev->dma = NULL;
	dma_view_fini(&one->view);
	if (one->release)
		one->release(dev);
	free(one);
}

static int to_bench(struct device *dev)
{
	struct on_bench *one;

	if (dev->dma)
		return 0;
	one = calloc(1, sizeof(*one));
	if (!one)
		return -ENOMEM;
	if (dma_view_init(&one->view, bench.machine, dev, bench.type->coherent)) {
		free(one);
		return -ENOMEM;
	}
	one->dev = dev;
	one->release = dev->release;
	one->next = on_bench;
	on_bench = one;
	dev->release = off_bench;
	dev->dma = &one->view;
	return 0;
}

static int probe_on_bench(struct platform_device *pdev)
{
	unsigned int i = place_of(to_platform_driver(pdev->dev.driver));

	drivers[i].probed = true;
	return to_bench(&pdev->dev) ?: drivers[i].probe(pdev);
}

int __platform_driver_register(struct platform_driver *driver, struct module *module)
{
	unsigned int i = place_of(NULL);
	int ret;

	if (i == DRIVERS || !driver->probe)
		return real___platform_driver_register(driver, module);
	drivers[i].driver = driver;
	drivers[i].probe = driver->probe;
	drivers[i].probed = false;
	driver->probe = probe_on_bench;
	ret = real___platform_driver_register(driver, module);
	if (!ret)
		return 0;
	driver->probe = drivers[i].probe;
	drivers[i].driver = NULL;
	return ret;
}

void platform_driver_unregister(struct platform_driver *driver)
{
	unsigned int i = place_of(driver);

	real_platform_driver_unregister(driver);
	if (i == DRIVERS)
		return;
	driver->probe = drivers[i].probe;
	drivers[i].driver = NULL;
}

void drive_platform_devices(void)
{
	for (unsigned int i = 0; i < DRIVERS; i++) {
		const struct platform_driver *driver = drivers[i].driver;

		if (!driver || drivers[i].probed)
			continue;
		drivers[i].made = platform_device_register_simple(
			driver->id_table ? driver->id_table->name : driver->driver.name,
			PLATFORM_DEVID_NONE, NULL, 0);
	}
}

void drive_platform_devices_end(void)
{
	for (unsigned int i = 0; i < DRIVERS; i++)
		if (!IS_ERR_OR_NULL(drivers[i].made))
			platform_device_unregister(drivers[i].made);
}
