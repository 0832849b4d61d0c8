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
 *   VP4  A place in VRAM is in the part that others reach, or in the rest, never in both.
 *   VP5  A range of VRAM is given away when nobody *uses* it: no buffer is there and nobody has it
 *	  mapped.  The device's copies and jobs may still be under way: they come in order, before
 *	  those of whoever gets it next (vram-move.c).  A place lives until these, too, are done.
 */
#ifndef DRIVERS_EXPORTERS_VRAM_PLACE_H
#define DRIVERS_EXPORTERS_VRAM_PLACE_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/scatterlist.h>

#include "drivers/exporters/vram.h"

struct dma_fence;
struct dma_window;
struct job_queue;

struct vram {
	/* constant */
	struct device *dev;
	struct dma_window *window; /* the part of its memory that others reach */
	u8 *rest;                  /* and what they do not, NULL if there is none */
	size_t bytes, visible;     /* of both; of the window */
	struct job_queue *copies;
	size_t pin_limit;
	long patience; /* jiffies: who waits longer for a copy says whose fence it waits for */

	struct mutex lock; /* a leaf */
	/* guarded by lock */
	struct list_head ranges;  /* vram_place.node of those in VRAM, by offset */
	struct list_head lru;     /* vram_buffer.lru of those in VRAM, the next to leave first */
	struct list_head buffers; /* vram_buffer.node: all of them */
	bool lost;                /* read without it, too */
	size_t pinned;            /* bytes held by vram_pin() */
	struct vram_stats stats;
	struct dma_fence *last_copy; /* the youngest, or NULL */

	size_t fail_copies; /* vram_fail_copies(): for tests; read by the copying thread */
};

struct vram_place {
	/* constant */
	struct vram *vram;
	enum vram_placement where;
	size_t bytes;
	size_t offset;         /* in VRAM */
	struct page *pages;    /* in system memory: the first, and all as one entry */
	struct sg_table table; /* of the owner's mapping */
	struct scatterlist entry;

	/* guarded by vram.lock */
	struct list_head node;

	refcount_t users; /* VP5 */
	refcount_t refs;  /* one for all users together */
};

/**
 * vram_place_create - @bytes of whole pages @where, with one user; its bytes are undefined
 * @visible: where others reach it
 *
 * Context: may sleep.  Returns ERR_PTR: -ENOSPC no room in VRAM; -ENOMEM.
 */
struct vram_place *vram_place_create(struct vram *vram, enum vram_placement where, bool visible,
				     size_t bytes);

/** vram_place_use, vram_place_unuse - one user more or less. May sleep */
struct vram_place *vram_place_use(struct vram_place *place);
void vram_place_unuse(struct vram_place *place);

/** vram_place_get, vram_place_put - it lives as long, used or not. May sleep */
struct vram_place *vram_place_get(struct vram_place *place);
void vram_place_put(struct vram_place *place);

/** vram_place_visible - do others reach it? System memory they do */
bool vram_place_visible(const struct vram_place *place);

/** vram_place_clear - zero it with the CPU. Context: nobody has it mapped yet */
void vram_place_clear(struct vram_place *place);

/** vram_place_table - the owner's mapping, NULL for its own memory */
struct sg_table *vram_place_table(struct vram_place *place);

/** vram_place_iomem - the address of a place in VRAM; the CPU's only if it is visible */
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

/** vram_place_copy_slowly - the CPU does, through its caches and the whole of VRAM */
void vram_place_copy_slowly(struct vram_place *to, struct vram_place *from);

#endif
