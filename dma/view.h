/* SPDX-License-Identifier: MIT */
/*
 * view.h - one device's view of memory: what it has mapped and how its addresses lead to bytes
 *
 * Every device of a machine has one (struct device's `dma`).  Two ways lead from a DMA address to
 * memory:
 *
 *	behind an IOMMU	the page table says which page and what is allowed	(dma/iommu.c)
 *	without		address = physical + the machine's offset, or a slot's;
 *			the page table counts the mappings that allow reading
 *			and writing the page					(dma/direct.c)
 *
 * Invariants
 *   VI1  `live` has one entry for each mapping, keyed by its first DMA address; what is not there
 *	  is not mapped, whatever a caller says.
 *   VI2  A word of the page table is non-zero exactly while a mapping covers the page.
 *
 * Private to dma/.
 */
#ifndef DMA_VIEW_H
#define DMA_VIEW_H

#include <linux/atomic.h>
#include <linux/device.h>
#include <linux/dma-direction.h>
#include <linux/dma-table.h>
#include <linux/spinlock.h>
#include "dma/bounce.h"
#include "dma/engine.h"
#include "dma/iova.h"
#include "dma/keyed.h"
#include "dma/machine.h"
#include "dma/pagetable.h"

struct scatterlist;
struct dma_window;
struct sg_index;

struct machine {
	const struct machine_type *type;
	dma_addr_t offset; /* DMA address - physical address, without an IOMMU */
	struct bounce_pool bounce;

	spinlock_t window_lock;     /* guards window_next, and adding to windows */
	phys_addr_t window_next;    /* where the next one starts */
	struct dma_window *windows; /* dma/window.c; read without the lock */

	atomic_t devices; /* that have not been removed */
	struct kref ref;  /* its creator's and each device's */
};

/* What a device may do with a page. */
#define DMA_MAY_READ 1U
#define DMA_MAY_WRITE 2U

static inline unsigned int dma_may(enum dma_data_direction dir)
{
	return dir == DMA_TO_DEVICE     ? DMA_MAY_READ
	       : dir == DMA_FROM_DEVICE ? DMA_MAY_WRITE
					: DMA_MAY_READ | DMA_MAY_WRITE;
}

/* One mapping, from dma_map_*() to dma_unmap_*(). */
struct dma_live {
	struct keyed_node by_addr;   /* view->lock */
	struct iova_block *iova;     /* behind an IOMMU */
	u64 span;                    /* of its range there, bytes */
	u64 bytes;                   /* of memory */
	int nents;                   /* of memory */
	bool resource;               /* device memory; then no list and no pages */
	bool single;                 /* by page or address, not by list */
	struct scatterlist *sgl;     /* the list; NULL if single */
	struct sg_index *index;      /* of it, if it is long */
	enum dma_data_direction dir; /* view->lock: widening changes it */
};

struct dma_view {
	/* constant */
	struct machine *machine;
	struct device *dev;
	bool coherent;

	struct page_table table; /* lock-free */

	spinlock_t lock; /* guards the rest of this group and last_fault */
	struct keyed live;
	struct iova_space iova;
	bool gone; /* the device was removed: nothing can be mapped */
	struct dma_fault last_fault;

	/* atomic */
	atomic64_t bytes_read, bytes_written, faults;
	atomic_t skip, skipped; /* dma/fault.c */
	atomic_t fault_was_printed;
};

/* Where a DMA address leads: memory, a slot (then @phys is what it stands for), or a window. */
struct dma_reach {
	phys_addr_t phys;
	void *slot; /* the slot's or the window's bytes; NULL: memory */
	size_t len; /* bytes contiguous from there */
};

/** dma_view_of - @dev's view; NULL, with a WARN, when @dev belongs to no machine */
struct dma_view *dma_view_of(const struct device *dev);

/** dma_direction_is_wrong - DM1: not a mapping's direction. WARNs. Context: any */
bool dma_direction_is_wrong(const struct dma_view *view, enum dma_data_direction dir);

/** dma_view_add - @live is mapped at @addr; false, with a WARN, when the device is gone */
bool dma_view_add(struct dma_view *view, struct dma_live *live, dma_addr_t addr);

/** dma_view_has - is a single piece of @bytes mapped at @addr? Context: any */
bool dma_view_has(struct dma_view *view, dma_addr_t addr, size_t bytes);

/** dma_view_init - a view for @dev, which is not registered yet. May sleep; 0 or -ENOMEM */
int dma_view_init(struct dma_view *view, struct machine *machine, struct device *dev,
		  bool coherent);

/** dma_view_close - no more mappings; takes back what is left, returns how many mappings that was
 */
size_t dma_view_close(struct dma_view *view);

/** dma_view_fini - after dma_view_close(), when nobody can be looking */
void dma_view_fini(struct dma_view *view);

/** dma_view_domain - see dma_device_domain() */
enum dma_domain dma_view_domain(const struct dma_view *view);

/**
 * dma_view_reach - follow @addr for an access that needs @may, at most @len bytes
 * @may: DMA_MAY_*, 0 to look without asking for permission
 *
 * Context: any.  @at is set if the result is DMA_FAULT_NONE and covers at least one byte.
 */
enum dma_fault_reason dma_view_reach(struct dma_view *view, dma_addr_t addr, size_t len,
				     unsigned int may, struct dma_reach *at);

/* --- behind an IOMMU (dma/iommu.c) --------------------------------------------------------------
 */

/**
 * iommu_map - one range of addresses for the list, with @live->dir's permission
 * Returns the entries the device sees, or -ENOMEM; then nothing is mapped.  Sets @live->iova.
 */
int iommu_map(struct dma_view *view, struct dma_live *live, struct scatterlist *sgl, int nents);
/** iommu_map_range - the same for @live->bytes at @phys. Returns 0 or -ENOMEM; sets @addr */
int iommu_map_range(struct dma_view *view, struct dma_live *live, phys_addr_t phys,
		    dma_addr_t *addr);
void iommu_unmap(struct dma_view *view, struct dma_live *live);
void iommu_widen(struct dma_view *view, struct dma_live *live, unsigned int may);
enum dma_fault_reason iommu_reach(struct dma_view *view, dma_addr_t addr, size_t len,
				  unsigned int may, struct dma_reach *at);

/* --- without (dma/direct.c) ---------------------------------------------------------------------
 */

/** direct_map - an address for each entry; bounce slots where the device cannot reach. As
 * iommu_map() */
int direct_map(struct dma_view *view, struct dma_live *live, struct scatterlist *sgl, int nents);
/**
 * direct_map_range - the same for @live->bytes at @phys, which is not bounced. As iommu_map_range()
 */
int direct_map_range(struct dma_view *view, struct dma_live *live, phys_addr_t phys,
		     dma_addr_t *addr);
void direct_unmap_range(struct dma_view *view, struct dma_live *live, dma_addr_t addr);
void direct_unmap(struct dma_view *view, struct dma_live *live, struct scatterlist *sgl);
void direct_widen(struct dma_view *view, struct dma_live *live, struct scatterlist *sgl,
		  unsigned int may);
enum dma_fault_reason direct_reach(struct dma_view *view, dma_addr_t addr, size_t len,
				   unsigned int may, struct dma_reach *at);

#endif
