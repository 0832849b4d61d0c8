/* SPDX-License-Identifier: MIT */
/*
 * window.c - see window.h
 *
 * Windows are found by walking the machine's list, which only grows: a machine has few.
 */
#include <sys/mman.h>
#include <linux/bug.h>
#include <linux/container_of.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/minmax.h>
#include <linux/pci-p2pdma.h>
#include <linux/slab.h>
#include "dma/view.h"
#include "dma/window.h"
#include "host/port.h"

struct dma_window {
	/* constant */
	struct dma_window *next;
	struct machine *machine;
	struct p2pdma_provider provider;
	phys_addr_t start;
	size_t bytes;
	char *memory;

	bool closed; /* its owner is gone; set once */
};

struct dma_window *dma_window_create(struct device *owner, size_t bytes)
{
	struct dma_view *view = dma_view_of(owner);
	struct dma_window *window;
	struct machine *machine;

	if (!view || !bytes || bytes > WINDOW_END - WINDOW_BASE)
		return ERR_PTR(-EINVAL);
	machine = view->machine;
	window = kzalloc(sizeof(*window), GFP_KERNEL);
	if (!window)
		return ERR_PTR(-ENOMEM);
	window->machine = machine;
	window->provider.owner = owner;
	window->bytes = PAGE_ALIGN(bytes);
	window->memory = port_mmap(NULL, window->bytes, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (window->memory == MAP_FAILED)
		goto err_window;

	spin_lock(&machine->window_lock);
	window->start = machine->window_next;
	if (window->bytes > WINDOW_END - window->start) {
		spin_unlock(&machine->window_lock);
		goto err_memory;
	}
	/* a page that is nobody's between two: who runs past the end of one faults */
	machine->window_next += window->bytes + PAGE_SIZE;
	window->next = machine->windows;
	smp_store_release(&machine->windows, window);
	spin_unlock(&machine->window_lock);
	return window;

err_memory:
	munmap(window->memory, window->bytes);
err_window:
	kfree(window);
	return ERR_PTR(-ENOMEM);
}

phys_addr_t dma_window_start(const struct dma_window *window)
{
	return window->start;
}

size_t dma_window_bytes(const struct dma_window *window)
{
	return window->bytes;
}

void __iomem *dma_window_iomem(const struct dma_window *window)
{
	return window->memory;
}

struct p2pdma_provider *dma_window_provider(struct dma_window *window)
{
	return &window->provider;
}

void *dma_window_find(struct machine *machine, phys_addr_t phys, size_t *len)
{
	struct dma_window *window = smp_load_acquire(&machine->windows);

	for (; window; window = window->next) {
		if (phys < window->start || phys - window->start >= window->bytes)
			continue;
		if (READ_ONCE(window->closed))
			return NULL;
		*len = min_t(size_t, *len, window->start + window->bytes - phys);
		return window->memory + (phys - window->start);
	}
	return NULL;
}

void dma_windows_close(struct machine *machine, const struct device *owner)
{
	struct dma_window *window = smp_load_acquire(&machine->windows);

	for (; window; window = window->next)
		if (window->provider.owner == owner)
			WRITE_ONCE(window->closed, true);
}

void dma_windows_free(struct machine *machine)
{
	struct dma_window *window, *next;

	for (window = machine->windows; window; window = next) {
		next = window->next;
		munmap(window->memory, window->bytes);
		kfree(window);
	}
}

enum pci_p2pdma_map_type pci_p2pdma_map_type(struct p2pdma_provider *provider, struct device *dev)
{
	struct dma_window *window = container_of(provider, struct dma_window, provider);
	struct dma_view *view = dma_view_of(dev);
	u64 last;

	if (!view || view->machine != window->machine || READ_ONCE(window->closed))
		return PCI_P2PDMA_MAP_NOT_SUPPORTED;
	last = window->start + window->bytes - 1 + view->machine->offset;
	if (!view->machine->type->iommu && dma_get_mask(dev) < last)
		return PCI_P2PDMA_MAP_NOT_SUPPORTED;
	return PCI_P2PDMA_MAP_THRU_HOST_BRIDGE;
}
