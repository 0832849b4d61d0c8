/* SPDX-License-Identifier: MIT */
/*
 * vram-place.h - memory for one buffer, in a device's window or the system's
 *
 * Invariants
 *   VP1  A place is one contiguous range of whole pages, for the device that owns it and for
 *	  everybody else.
 *   VP2  Of two places no byte is in both, and what one held the next never sees: a place is zeroed
 *	  before anybody gets it, or overwritten whole (vram_place_copy()).
 *   VP3  A place in system memory is mapped for the owner as long as it lives.  The mapping itself
 *	  never moves bytes; who accesses through it brackets.
 */
#ifndef DRIVERS_EXPORTERS_VRAM_PLACE_H
#define DRIVERS_EXPORTERS_VRAM_PLACE_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/scatterlist.h>

#include "drivers/exporters/vram.h"

struct dma_window;

struct vram {
	/* constant */
	struct device *dev;
	struct dma_window *window;

	struct mutex lock; /* a leaf */
	/* guarded by lock */
	struct list_head ranges; /* vram_place.node of those in the window, by offset */
};

struct vram_place {
	/* constant */
	struct vram *vram;
	enum vram_placement where;
	size_t bytes;
	size_t offset;         /* in the window */
	struct page *pages;    /* in system memory: the first, and all as one entry */
	struct sg_table table; /* of the owner's mapping */
	struct scatterlist entry;

	/* guarded by vram.lock */
	struct list_head node;

	/* guarded by the buffer's reservation: the buffer itself and each mapping */
	unsigned int users;
};

/**
 * vram_place_create - @bytes of whole pages @where, with one user; its bytes are undefined
 *
 * Context: may sleep.  Returns ERR_PTR: -ENOSPC no room in the window; -ENOMEM.
 */
struct vram_place *vram_place_create(struct vram *vram, enum vram_placement where, size_t bytes);

/** vram_place_get, vram_place_put - one user more or less; the last frees it. May sleep */
struct vram_place *vram_place_get(struct vram_place *place);
void vram_place_put(struct vram_place *place);

/** vram_place_clear - zero it with the CPU. Context: nobody has it mapped yet */
void vram_place_clear(struct vram_place *place);

/** vram_place_table - the owner's mapping, NULL for its own memory */
struct sg_table *vram_place_table(struct vram_place *place);

/** vram_place_iomem - the CPU's address of a place in the window */
void __iomem *vram_place_iomem(const struct vram_place *place);

/**
 * vram_place_read, vram_place_write - the owner's device accesses its place
 *
 * Context: within a bracket.  Returns 0; -EINVAL past the end; -EFAULT.
 */
int vram_place_read(struct vram_place *place, size_t offset, void *dst, size_t len);
int vram_place_write(struct vram_place *place, size_t offset, const void *src, size_t len);

/** vram_place_copy - the owner's device copies all of @from to @to, of the same size. As above */
int vram_place_copy(struct vram_place *to, struct vram_place *from);

#endif
