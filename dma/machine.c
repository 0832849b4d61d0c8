/* SPDX-License-Identifier: MIT */
/*
 * machine.c - see machine.h
 *
 * Invariants
 *   MC1  A machine lives until it was destroyed and the last reference of its last device is gone,
 *	  so a device that somebody still holds can be asked about its domain, and faults.
 */
#include <linux/atomic.h>
#include <linux/bug.h>
#include <linux/container_of.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/kref.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "dma/cache.h"
#include "dma/machine.h"
#include "dma/view.h"
#include "dma/window.h"

#define BOUNCE_DEFAULT_BYTES (64UL << 20)

const struct machine_type machine_types[] = {
	{ .name = "pc",
	  .like = "x86: every device snoops, no IOMMU",
	  .coherent = true,
	  .iommu = false,
	  .dma_mask = DMA_BIT_MASK(64) },
	{ .name = "pc-iommu",
	  .like = "x86 server: every device snoops, behind an IOMMU",
	  .coherent = true,
	  .iommu = true,
	  .dma_mask = DMA_BIT_MASK(64) },
	{ .name = "arm",
	  .like = "a phone or SBC SoC: devices do not snoop, SMMU",
	  .coherent = false,
	  .iommu = true,
	  .dma_mask = DMA_BIT_MASK(48) },
	{ .name = "arm-direct",
	  .like = "a small SoC: devices do not snoop, no IOMMU",
	  .coherent = false,
	  .iommu = false,
	  .dma_mask = DMA_BIT_MASK(48) },
	{ .name = "bounce",
	  .like = "32-bit devices whose memory lies above 4 GiB: swiotlb",
	  .coherent = true,
	  .iommu = false,
	  .dma_mask = DMA_BIT_MASK(32) },
	{ .name = NULL },
};

struct machine_device {
	struct device dev;
	struct device_dma_parameters parms;
	u64 mask;
	struct dma_view view;
};

const struct machine_type *machine_type_find(const char *name)
{
	const struct machine_type *type;

	for (type = machine_types; type->name; type++)
		if (!strcmp(type->name, name))
			return type;
	return NULL;
}

struct machine *machine_create(const struct machine_type *type, size_t bounce_bytes)
{
	static atomic_t count = ATOMIC_INIT(0);
	struct machine *machine;
	int err;

	if (WARN_ON(!type))
		return ERR_PTR(-EINVAL);
	machine = kzalloc(sizeof(*machine), GFP_KERNEL);
	if (!machine)
		return ERR_PTR(-ENOMEM);
	err = bounce_init(&machine->bounce, bounce_bytes ? bounce_bytes : BOUNCE_DEFAULT_BYTES);
	if (err) {
		kfree(machine);
		return ERR_PTR(err);
	}
	machine->type = type;
	/* above all memory, so that DMA and physical addresses never are each other's */
	machine->offset = (dma_addr_t)(1 + atomic_inc_return(&count) % 8) << 36;
	spin_lock_init(&machine->window_lock);
	machine->window_next = WINDOW_BASE;
	kref_init(&machine->ref);
	return machine;
}

static void machine_free(struct kref *ref)
{
	struct machine *machine = container_of(ref, struct machine, ref);

	dma_windows_free(machine);
	bounce_fini(&machine->bounce);
	kfree(machine);
}

void machine_destroy(struct machine *machine)
{
	if (!machine)
		return;
	WARN(atomic_read(&machine->devices), "machine %s destroyed before %d of its devices",
	     machine->type->name, atomic_read(&machine->devices));
	kref_put(&machine->ref, machine_free);
}

static void machine_device_release(struct device *dev)
{
	struct machine_device *device = container_of(dev, struct machine_device, dev);
	struct machine *machine = device->view.machine;

	dma_view_fini(&device->view);
	kfree(device);
	kref_put(&machine->ref, machine_free);
}

struct device *machine_add_device(struct machine *machine, const char *name, bool coherent)
{
	struct machine_device *device;
	struct device *dev;
	int err;

	if (WARN_ON(!machine || !name))
		return ERR_PTR(-EINVAL);
	if (!coherent) {
		err = cache_prepare();
		if (err)
			return ERR_PTR(err);
	}
	device = kzalloc(sizeof(*device), GFP_KERNEL);
	if (!device)
		return ERR_PTR(-ENOMEM);
	dev = &device->dev;
	err = dma_view_init(&device->view, machine, dev, coherent);
	if (err) {
		kfree(device);
		return ERR_PTR(err);
	}
	kref_get(&machine->ref);

	device_initialize(dev);
	dev->release = machine_device_release;
	dev->dma = &device->view;
	device->mask = machine->type->dma_mask;
	dev->dma_mask = &device->mask;
	dev->coherent_dma_mask = device->mask;
	/* these engines take pieces of any length, as drivers of such engines tell Linux */
	device->parms.max_segment_size = UINT_MAX;
	dev->dma_parms = &device->parms;

	err = dev_set_name(dev, "%s", name);
	if (!err)
		err = device_add(dev);
	if (err) {
		put_device(dev);
		return ERR_PTR(err);
	}
	atomic_inc(&machine->devices);
	return dev;
}

void machine_remove_device(struct device *dev)
{
	struct dma_view *view;
	size_t left;

	if (IS_ERR_OR_NULL(dev))
		return;
	view = dma_view_of(dev);
	if (!view)
		return;
	get_device(dev);
	device_unregister(dev);
	dma_windows_close(view->machine, dev);
	left = dma_view_close(view);
	WARN(left, "DMA-API: device %s goes with %zu mappings", dev_name(dev), left);
	atomic_dec(&view->machine->devices);
	put_device(dev);
}

const struct machine_type *machine_type_of(struct machine *machine)
{
	return machine->type;
}
