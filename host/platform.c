/* SPDX-License-Identifier: MIT */
/*
 * platform.c - platform devices and their drivers find each other
 *
 * Invariants
 *   PB1  ->probe() and ->remove() run under the bus's lock.  Its owner may take it again: they may
 *        register devices and drivers, and a list may have changed when they return.
 *   PB2  A device is on the list exactly while it is added, a driver while it is registered.
 */
#include <linux/bug.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

static DEFINE_MUTEX(lock);
static struct task_struct *owner; /* of lock, or NULL */

/* Under lock. */
static unsigned int depth; /* how often more than once the owner has it */
static LIST_HEAD(devices);
static LIST_HEAD(drivers);
static int next_auto;

static void bus_lock(void)
{
	if (READ_ONCE(owner) == current) {
		depth++;
		return;
	}
	mutex_lock(&lock);
	WRITE_ONCE(owner, current);
}

static void bus_unlock(void)
{
	if (depth) {
		depth--;
		return;
	}
	WRITE_ONCE(owner, NULL);
	mutex_unlock(&lock);
}

/* --- who is for whom; all of it under lock ---------------------------------------------------- */

static const struct platform_device_id *id_of(const struct platform_driver *driver,
					      const char *name)
{
	const struct platform_device_id *id = driver->id_table;

	while (id && id->name[0] && strcmp(id->name, name))
		id++;
	return id && id->name[0] ? id : NULL;
}

static bool is_for(const struct platform_driver *driver, const struct platform_device *pdev)
{
	return driver->id_table ? id_of(driver, pdev->name) != NULL
				: !strcmp(driver->driver.name, pdev->name);
}

static void let_go(struct platform_device *pdev)
{
	devres_release_all(&pdev->dev);
	dev_set_drvdata(&pdev->dev, NULL);
	pdev->id_entry = NULL;
	pdev->dev.driver = NULL;
}

static void bind(struct platform_driver *driver, struct platform_device *pdev)
{
	int ret;

	pdev->dev.driver = &driver->driver;
	pdev->id_entry = id_of(driver, pdev->name);
	ret = driver->probe(pdev);
	if (!ret)
		return;
	pr_warn("probe of %s failed with error %d\n", dev_name(&pdev->dev), ret);
	pdev->refused_by = driver;
	let_go(pdev);
}

static void unbind(struct platform_device *pdev)
{
	struct platform_driver *driver = to_platform_driver(pdev->dev.driver);

	if (driver->remove)
		driver->remove(pdev);
	let_go(pdev);
}

/* A device that @driver is for, nobody has, and it has not refused. */
static struct platform_device *free_device(const struct platform_driver *driver)
{
	struct platform_device *pdev;

	list_for_each_entry(pdev, &devices, node)
		if (!pdev->dev.driver && pdev->refused_by != driver && is_for(driver, pdev))
			return pdev;
	return NULL;
}

static struct platform_driver *driver_for(const struct platform_device *pdev)
{
	struct platform_driver *driver;

	list_for_each_entry(driver, &drivers, node)
		if (pdev->refused_by != driver && is_for(driver, pdev))
			return driver;
	return NULL;
}

static struct platform_device *device_with(const struct platform_driver *driver)
{
	struct platform_device *pdev;

	list_for_each_entry(pdev, &devices, node)
		if (pdev->dev.driver == &driver->driver)
			return pdev;
	return NULL;
}

/* --- drivers ---------------------------------------------------------------------------------- */

static struct platform_driver *driver_called(const char *name)
{
	struct platform_driver *driver;

	list_for_each_entry(driver, &drivers, node)
		if (!strcmp(driver->driver.name, name))
			return driver;
	return NULL;
}

int __platform_driver_register(struct platform_driver *driver, struct module *module)
{
	struct platform_device *pdev;

	if (!driver->driver.name || !driver->probe)
		return -EINVAL;
	bus_lock();
	if (driver_called(driver->driver.name)) {
		bus_unlock();
		return -EBUSY;
	}
	driver->driver.owner = module;
	list_add_tail(&driver->node, &drivers);
	while ((pdev = free_device(driver)))
		bind(driver, pdev);
	bus_unlock();
	return 0;
}

void platform_driver_unregister(struct platform_driver *driver)
{
	struct platform_device *pdev;

	bus_lock();
	if (WARN(!driver->driver.name || driver_called(driver->driver.name) != driver,
		 "platform_driver_unregister: it is not registered\n")) {
		bus_unlock();
		return;
	}
	list_del(&driver->node);
	while ((pdev = device_with(driver)))
		unbind(pdev);
	list_for_each_entry(pdev, &devices, node)
		if (pdev->refused_by == driver)
			pdev->refused_by = NULL;
	bus_unlock();
}

/* --- devices ---------------------------------------------------------------------------------- */

struct allocated {
	struct platform_device pdev;
	char name[];
};

static void release_allocated(struct device *dev)
{
	struct platform_device *pdev = to_platform_device(dev);

	kfree(pdev->resource);
	kfree(container_of(pdev, struct allocated, pdev));
}

struct platform_device *platform_device_alloc(const char *name, int id)
{
	struct allocated *allocated;

	allocated = kzalloc(struct_size(allocated, name, strlen(name) + 1), GFP_KERNEL);
	if (!allocated)
		return NULL;
	strcpy(allocated->name, name);
	allocated->pdev.name = allocated->name;
	allocated->pdev.id = id;
	device_initialize(&allocated->pdev.dev);
	allocated->pdev.dev.release = release_allocated;
	return &allocated->pdev;
}

void platform_device_put(struct platform_device *pdev)
{
	if (!IS_ERR_OR_NULL(pdev))
		put_device(&pdev->dev);
}

/* Under lock. */
static int name_device(struct platform_device *pdev)
{
	switch (pdev->id) {
	case PLATFORM_DEVID_NONE:
		return dev_set_name(&pdev->dev, "%s", pdev->name);
	case PLATFORM_DEVID_AUTO:
		return dev_set_name(&pdev->dev, "%s.%d.auto", pdev->name, next_auto++);
	default:
		return dev_set_name(&pdev->dev, "%s.%d", pdev->name, pdev->id);
	}
}

int platform_device_add(struct platform_device *pdev)
{
	struct platform_driver *driver;
	int ret;

	bus_lock();
	if (!pdev->dev.dma_mask) {
		pdev->platform_dma_mask = DMA_BIT_MASK(32);
		pdev->dev.dma_mask = &pdev->platform_dma_mask;
	}
	if (!pdev->dev.coherent_dma_mask)
		pdev->dev.coherent_dma_mask = DMA_BIT_MASK(32);
	ret = name_device(pdev);
	if (!ret)
		ret = device_add(&pdev->dev);
	if (ret)
		goto unlock;
	pdev->refused_by = NULL;
	list_add_tail(&pdev->node, &devices);
	driver = driver_for(pdev);
	if (driver)
		bind(driver, pdev);
unlock:
	bus_unlock();
	return ret;
}

void platform_device_del(struct platform_device *pdev)
{
	if (IS_ERR_OR_NULL(pdev))
		return;
	bus_lock();
	list_del(&pdev->node);
	if (pdev->dev.driver)
		unbind(pdev);
	bus_unlock();
	device_del(&pdev->dev);
}

void platform_device_unregister(struct platform_device *pdev)
{
	platform_device_del(pdev);
	platform_device_put(pdev);
}

int platform_device_register(struct platform_device *pdev)
{
	device_initialize(&pdev->dev);
	return platform_device_add(pdev);
}

struct platform_device *platform_device_register_simple(const char *name, int id,
							const struct resource *res, unsigned int nr)
{
	struct platform_device *pdev = platform_device_alloc(name, id);
	int ret = -ENOMEM;

	if (!pdev)
		return ERR_PTR(-ENOMEM);
	if (nr) {
		pdev->resource = kmemdup(res, nr * sizeof(*res), GFP_KERNEL);
		if (!pdev->resource)
			goto put_device;
		pdev->num_resources = nr;
	}
	ret = platform_device_add(pdev);
	if (!ret)
		return pdev;

put_device:
	platform_device_put(pdev);
	return ERR_PTR(ret);
}

/* --- what a device takes up ------------------------------------------------------------------- */

struct resource *platform_get_resource(struct platform_device *pdev, unsigned int type,
				       unsigned int nr)
{
	for (u32 i = 0; i < pdev->num_resources; i++)
		if ((pdev->resource[i].flags & IORESOURCE_TYPE_BITS) == type && !nr--)
			return &pdev->resource[i];
	return NULL;
}

int platform_get_irq_optional(struct platform_device *pdev, unsigned int nr)
{
	struct resource *res = platform_get_resource(pdev, IORESOURCE_IRQ, nr);

	return res ? (int)res->start : (int)nr + 1;
}

int platform_get_irq(struct platform_device *pdev, unsigned int nr)
{
	return platform_get_irq_optional(pdev, nr);
}

void __iomem *devm_platform_ioremap_resource(struct platform_device *pdev, unsigned int nr)
{
	struct resource *res = platform_get_resource(pdev, IORESOURCE_MEM, nr);
	void __iomem *registers = res ? ioremap(res->start, resource_size(res)) : NULL;

	if (!res)
		return ERR_PTR(-EINVAL);
	return registers ?: ERR_PTR(-ENOMEM);
}
