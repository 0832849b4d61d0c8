/* SPDX-License-Identifier: MIT */
/*
 * bounce.h - a machine's bounce slots: memory within reach of every device
 *
 * The pool is pages at low DMA addresses.  An entry of memory gets a run of slots with the same
 * offset in its first page.  The pages are not memory of the page allocator, and devices and CPU
 * see the same bytes in them: they stand for memory that is mapped uncached, so a device that
 * bounces needs no cache maintenance whether it snoops or not.
 *
 * Invariants
 *   BO1  A slot belongs to one view and one mapping.  It is zero before its device can reach it: the
 *        device reaches whole pages, before anything is copied, and what of them is not mapped.
 *   BO2  The pool is finite; when it is used up, or too fragmented, mapping fails.
 *   BO3  Nothing is copied between memory and what of a slot is not mapped.
 *
 * DIFFERS: swiotlb's runs end at 256 KiB; here one entry may use the whole pool.  And a slot of it
 * keeps, beside the mapping, what was there before.
 */
#ifndef DMA_BOUNCE_H
#define DMA_BOUNCE_H

#include <linux/spinlock.h>
#include <linux/types.h>

struct dma_view;

/* DMA addresses of the pool: [BOUNCE_BASE, BOUNCE_BASE + size), all of it below 4 GiB. */
#define BOUNCE_BASE 0x10000000ULL
#define BOUNCE_MAX_BYTES (0xffffffffULL + 1 - BOUNCE_BASE)

struct bounce_slot {
	struct dma_view *owner; /* NULL: free */
	phys_addr_t memory;     /* the page this slot stands for */
	u16 from, to;           /* the bytes of it that are mapped */
	u32 run;                /* in the first slot of a run: its length */
};

struct bounce_pool {
	char *memory;
	size_t slots;
	struct bounce_slot *slot;
	/* guarded by lock: slot[] of free slots, next */
	spinlock_t lock;
	size_t next; /* where the search for a run goes on */
};

/**
 * bounce_init - a pool of @bytes, at least 1, rounded up to pages
 * May sleep; 0, -EINVAL (too large), -ENOMEM
 */
int bounce_init(struct bounce_pool *pool, size_t bytes);
void bounce_fini(struct bounce_pool *pool);

/**
 * bounce_get - slots for [@phys, @phys + @len), on behalf of @view; all zero
 * Crosses no segment boundary of the device's unless it is longer than what lies between two.
 * Context: any.  Returns the DMA address, or DMA_MAPPING_ERROR when no run is long enough.
 */
dma_addr_t bounce_get(struct bounce_pool *pool, struct dma_view *view, phys_addr_t phys,
		      size_t len);

/** bounce_put - give back the run that bounce_get() returned @addr for. Context: any */
void bounce_put(struct bounce_pool *pool, dma_addr_t addr);

/** bounce_put_all - give back whatever @view has; returns the number of runs. Context: any */
size_t bounce_put_all(struct bounce_pool *pool, const struct dma_view *view);

/** bounce_has - is @addr an address of the pool? Context: any */
bool bounce_has(const struct bounce_pool *pool, dma_addr_t addr);

/** bounce_virt - the CPU's address of slot byte @addr; contiguous as @addr is. Context: any */
void *bounce_virt(const struct bounce_pool *pool, dma_addr_t addr);

/** bounce_phys - the byte of memory that slot byte @addr stands for. Context: the run is in use */
phys_addr_t bounce_phys(const struct bounce_pool *pool, dma_addr_t addr);

/**
 * bounce_copy - @len bytes of one run between memory, as the CPU sees it, and the slots from @addr
 * Context: the run is in use.  Counts DMA_COST_BYTES_BOUNCED.  WARNs and copies nothing if they are
 * not all the mapping's.
 */
void bounce_copy(const struct bounce_pool *pool, dma_addr_t addr, size_t len, bool to_slot);

#endif
