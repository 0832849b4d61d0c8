/* SPDX-License-Identifier: MIT */
/*
 * window.h - memory that belongs to a device, like the part of a PCI device's memory behind a BAR
 *
 * It has physical addresses above all memory and no pages.  The CPU has an iomem pointer to it,
 * other devices of the machine an address that dma_map_resource() made.  Nobody caches it and
 * nobody bounces it: what one writes the next reads, whoever they are.
 *
 * Invariants
 *   WI1  A window's addresses belong to nobody else for as long as its machine lives.
 *   WI2  Its memory lives as long as its machine, so an access that is under way when the owner
 *	  goes ends well; one that starts later meets nobody and faults.
 *
 * DIFFERS: no bus addresses; all peers reach each other through the host, as
 * PCI_P2PDMA_MAP_THRU_HOST_BRIDGE.
 */
#ifndef DMA_WINDOW_H
#define DMA_WINDOW_H

#include <linux/compiler.h>
#include <linux/types.h>

struct device;
struct dma_window;
struct machine;
struct p2pdma_provider;

/* Physical addresses of windows: [WINDOW_BASE, WINDOW_END). */
#define WINDOW_BASE (1ULL << 40)
#define WINDOW_END (1ULL << 46)

/**
 * dma_window_create - @bytes of memory of @owner's own, zeroed
 * Context: may sleep.  Returns ERR_PTR: -EINVAL for 0, -ENOMEM.  Pages that nobody touches cost no
 * memory.
 * Ownership: the machine's; it is closed when @owner is removed and freed with the machine.
 */
struct dma_window *dma_window_create(struct device *owner, size_t bytes);

/** dma_window_start, dma_window_bytes - its physical addresses. Context: any */
phys_addr_t dma_window_start(const struct dma_window *window);
size_t dma_window_bytes(const struct dma_window *window);

/**
 * dma_window_iomem - the CPU's address of its first byte. Context: any, while the owner is there
 */
void __iomem *dma_window_iomem(const struct dma_window *window);

/** dma_window_provider - who it is for dma_buf_phys_vec_to_sgt(). Context: any */
struct p2pdma_provider *dma_window_provider(struct dma_window *window);

/** dma_phys_is_window - is @phys where windows are, not memory? Context: any */
static inline bool dma_phys_is_window(phys_addr_t phys)
{
	return phys >= WINDOW_BASE;
}

/**
 * dma_window_find - the bytes at @phys, at most *@len of them
 * *@len becomes what is contiguous.  Context: any.  Returns NULL where nobody answers.
 * For dma/ only.
 */
void *dma_window_find(struct machine *machine, phys_addr_t phys, size_t *len);

/** dma_windows_close - @owner goes. dma_windows_free - nobody can look any more. For dma/ only */
void dma_windows_close(struct machine *machine, const struct device *owner);
void dma_windows_free(struct machine *machine);

#endif
