/* SPDX-License-Identifier: MIT */
/*
 * set.h - the mappings kept for one (buffer, device, kind of importer), and who borrows them
 *
 * Importers attach and detach as they like, some for every frame; what is expensive outlives them.
 * A set has one slot for each direction, for stock Linux can widen nothing, and behind each slot
 * stands an attachment that the exporter knows: exporters keep one table for each of those.
 *
 * Invariants
 *   ST1  Each slot's mapping has the direction that was asked for, never more.
 *   ST2  A mapping that might be a bounce slot is not kept: its importer has an attachment of the
 *        exporter's to itself, mapped and unmapped when he says so.  Once a table has been seen
 *        that is not bounced, its set is kept as any other.
 *   ST3  A mapping whose unmap may drop stores of the CPU goes only while nobody who uses the caches
 *        has the buffer open for writing, after a clean; but when device or buffer go, it goes.
 *   ST4  A set of a dynamic importer has one borrower at a time: such an importer may change the
 *        table that it got (RDMA trims it to its part).
 *   ST5  A dynamic importer hears of each move of its buffer, and what was mapped before is used by
 *        nobody who maps afterwards: it goes at once or with its last user.
 *   ST6  Sets that nobody has borrowed and that have mappings are on their user's list of idle ones.
 */
#ifndef KMOD_SET_H
#define KMOD_SET_H

#include <linux/jiffies.h>
#include <linux/list.h>

#include "buffer.h"
#include "mapping-slot.h"

#define SLOTS 3 /* DMA_BIDIRECTIONAL, DMA_TO_DEVICE, DMA_FROM_DEVICE */

enum keeping {
	KEEP_NOT,   /* a fresh mapping each time */
	KEEP_MAYBE, /* the same until a table has been seen */
	KEEP,
};

/* What an attachment of a wrap has. */
struct borrower {
	struct cached_set *set;
	struct dma_buf_attachment *fresh; /* NULL: the set's slots serve it, and it is set.kept */
	bool synced;                      /* the device does not snoop */

	/* guarded by the reservation */
	struct dma_buf_attachment *told; /* a dynamic importer's, which hears of moves */
	bool rarely;                     /* there is fresh, or a slot's buffer has moved away */
};

struct cached_set {
	struct borrower kept; /* of all whom the slots serve */
	struct mapping_slot slots[SLOTS];

	/* immutable */
	struct cached_buffer *buffer;
	struct device *dev; /* a reference */
	bool dynamic, peer2peer;
	enum coherence_domain domain;

	/* guarded by buffer.lock */
	struct list_head node; /* in buffer.sets */
	unsigned int borrowers;
	bool leaving;                            /* the device is losing its driver */
	struct dma_buf_attachment *inner[SLOTS]; /* all or none */

	/* guarded by the reservation */
	enum keeping keeping;
	unsigned long used;  /* jiffies of the last unmap */
	unsigned long moved; /* a bit for each slot whose table is of where the buffer was */

	/* guarded by idle.c's lock */
	struct list_head idle; /* in user.idle */
	size_t idle_bytes;
};

/**
 * set_borrow - an attachment for @dev; @peer2peer says what the importer wants and then what it has
 *
 * Context: may sleep; no lock held.  Returns ERR_PTR: -ENOMEM, or what the exporter's attach said.
 * Ownership: set_return() it.
 */
struct borrower *set_borrow(struct cached_buffer *buffer, struct device *dev, bool dynamic,
			    bool *peer2peer);

/**
 * set_tell - from now on @attach, of a dynamic importer, hears of moves; NULL: nobody does
 *
 * Context: no lock held.
 */
void set_tell(struct borrower *borrower, struct dma_buf_attachment *attach);

/** set_return - undo set_borrow(); what its importer has left mapped is unmapped */
void set_return(struct borrower *borrower);

/* The slow halves of the next two: a fresh mapping, somebody who reaches the bytes unseen, a mistake. */
struct sg_table *set_map_rarely(struct borrower *borrower, enum dma_data_direction dir);
void set_unmap_rarely(struct borrower *borrower, struct sg_table *sgt, enum dma_data_direction dir);

/* With a constant direction what is left of these is a few instructions. */
static __always_inline struct sg_table *set_hit(struct cached_set *set, enum dma_data_direction dir)
{
	set->buffer->stats.maps++;
	return mapping_slot_map_locked(&set->slots[dir], dir);
}

static __always_inline bool set_leave(struct cached_set *set, const struct sg_table *sgt,
				      enum dma_data_direction dir)
{
	struct mapping_slot *slot = &set->slots[dir];
	enum slot_head head = slot_writes(dir) ? SLOT_HEAD_HELD_WRITE : SLOT_HEAD_HELD_READ;

	if (unlikely(sgt != &slot->head[head]))
		return false;
	mapping_slot_unmap_locked(slot, head);
	set->used = jiffies;
	return true;
}

/**
 * set_map - a table for @dir
 * set_unmap - give it back
 *
 * Context: reservation held, may sleep.
 */
static __always_inline struct sg_table *set_map(struct borrower *borrower,
						enum dma_data_direction dir)
{
	struct cached_set *set = container_of(borrower, struct cached_set, kept);

	if (unlikely(borrower->rarely || (borrower->synced && buffer_changed(set->buffer))))
		return set_map_rarely(borrower, dir);
	if (dir == DMA_TO_DEVICE)
		return set_hit(set, DMA_TO_DEVICE);
	if (dir == DMA_FROM_DEVICE)
		return set_hit(set, DMA_FROM_DEVICE);
	if (dir == DMA_BIDIRECTIONAL)
		return set_hit(set, DMA_BIDIRECTIONAL);
	return set_map_rarely(borrower, dir);
}

static __always_inline void set_unmap(struct borrower *borrower, struct sg_table *sgt,
				      enum dma_data_direction dir)
{
	struct cached_set *set = container_of(borrower, struct cached_set, kept);
	bool left = false;

	if (likely(!borrower->rarely && !(borrower->synced && buffer_changed(set->buffer)))) {
		if (dir == DMA_TO_DEVICE)
			left = set_leave(set, sgt, DMA_TO_DEVICE);
		else if (dir == DMA_FROM_DEVICE)
			left = set_leave(set, sgt, DMA_FROM_DEVICE);
		else if (dir == DMA_BIDIRECTIONAL)
			left = set_leave(set, sgt, DMA_BIDIRECTIONAL);
	}
	if (unlikely(!left))
		set_unmap_rarely(borrower, sgt, dir);
}

/** set_pin, set_unpin - the importer wants the buffer to stay where it is. Reservation held. */
int set_pin(struct borrower *borrower);
void set_unpin(struct borrower *borrower);

/** sets_end - all sets of a buffer that nobody is attached to. No lock but buffers_lock held. */
void sets_end(struct cached_buffer *buffer);

/** sets_device_gone - no mapping of @dev is kept any more, on any buffer. No lock held. */
void sets_device_gone(struct device *dev);

/**
 * sets_drop - end what has not been used since @since (jiffies), if nothing is in the way
 *
 * Context: no lock held.  Returns whether anything is still kept.
 */
bool sets_drop(struct cached_buffer *buffer, unsigned long since);

/**
 * set_drop_one - end @set if it is still there and nobody has borrowed it
 *
 * Context: no lock held.  Returns false if it must stay (ST3).
 */
bool set_drop_one(struct cached_buffer *buffer, struct cached_set *set);

/* --- idle.c: what is kept for nobody, and for how long ----------------------------------------- */

/** idle_add, idle_del - @set is or is not on its user's list (ST6). Context: buffer.lock held */
void idle_add(struct cached_set *set);
void idle_del(struct cached_set *set);

/** idle_trim - drop the oldest idle sets of @buffer's user until they fit his budget. No lock held. */
void idle_trim(struct cached_buffer *buffer);

/** idle_watch - something is kept: look at it when it may have been idle long enough */
void idle_watch(void);

int idle_init(void);
void idle_exit(void);

#endif
