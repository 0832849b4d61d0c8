/* SPDX-License-Identifier: MIT */
/*
 * slot-set.h - the mappings kept for one (buffer, device, importer kind), and who borrows them
 *
 * Importers attach and detach as they like, some for every frame; what is expensive outlives them.
 * An attachment borrows the set of its device; when the last borrower has gone the set stays, idle,
 * until the budget, the device or the buffer ends it.  Behind the set stand the attachments that
 * the exporter knows.
 *
 * Invariants
 *   SS1  A set has one slot if its exporter lets mappings be widened, else one for each direction,
 *        each with an exporter-side attachment of its own.
 *   SS2  A set without borrowers has no user, or it is dead and quarantined.
 *   SS3  A quarantined set holds a reference to its buffer.
 *   SS4  Only idle sets with something mapped are on the LRU.
 *   SS5  An idle set pins nothing: where a kept mapping is a pin, it ends with the last detach, and
 *        before that when it has not been used for a while.
 *   SS6  A map that lacks room has that of all mappings that nobody uses and whose reservations are
 *        free, whoever they are kept for.
 *
 * Lock order: resv -> lru_lock.  The reclaimer holds lru_lock and only tries reservations.
 */
#ifndef CORE_SLOT_SET_H
#define CORE_SLOT_SET_H

#include <linux/dma-buf.h>
#include <linux/list.h>

#include "mapping-slot.h"

#define SLOT_CELL_BYTES 64

/* A slot in whole cache lines, so that all slots of a set lie equally in theirs. */
struct slot_cell {
	struct mapping_slot slot;
	char pad[(SLOT_CELL_BYTES - sizeof(struct mapping_slot) % SLOT_CELL_BYTES) %
		 SLOT_CELL_BYTES];
};

/* What is behind a slot; no hit reads it. */
struct slot_back {
	struct dma_buf_attachment inner; /* the exporter's */
	struct scatterlist *cursor;      /* where slot_memory() was last: directory's lock */
	size_t cursor_start;             /* its offset in the buffer, bytes */
};

/* Who had a slot's mapping built, moves not counted: for whom a move may have to wait. */
struct slot_mapper {
	unsigned long at[8];
	unsigned int n;
};

struct slot_set {
	/*
	 * The first borrower's attachment and the first slot, side by side: what a hit reads of the
	 * one and writes of the other is one cache line.  The set is allocated on a cache line.
	 */
	struct dma_buf_attachment own;
	struct slot_cell first;

	/*
	 * immutable after creation: the key, with own.no_snoop, and the other directions' slots
	 * (NULL if widened)
	 */
	struct dma_buf *dmabuf;
	struct device *dev; /* a reference: who has gone may still have sets to be buried */
	const struct dma_buf_attach_ops *importer_ops;
	struct slot_cell *rest; /* [0] DMA_TO_DEVICE, [1] DMA_FROM_DEVICE */

	/* guarded by the reservation */
	struct list_head node; /* in buffer.sets, or buffer.dead */
	unsigned int borrowers;
	bool own_lent, dead;
	unsigned int quarantined;      /* dead slots still in use */
	struct list_head late;         /* detached while the set was in use; lent again */
	struct slot_mapper *mapped_by; /* one a slot; NULL unless the exporter tells moves */

	/* guarded by lru_lock */
	struct list_head lru;
	size_t lru_bytes;
	struct list_head pinning; /* in the list of those whose kept mappings are pins */

	struct slot_back back[]; /* one a slot; guarded by the reservation where it does not say */
};

static inline unsigned int slot_set_slots(const struct slot_set *set)
{
	return set->rest ? 3 : 1;
}

static inline struct mapping_slot *slot_set_slot(struct slot_set *set, unsigned int i)
{
	return i ? &set->rest[i - 1].slot : &set->first.slot;
}

/*
 * Idle sets of all buffers, oldest first, and those that pin: all that is kept outside buffers.
 * Guarded by lru_lock.
 */
extern struct slot_lru {
	struct list_head sets, pinning;
	size_t total, budget; /* bytes */
} slot_lru;

/**
 * slot_set_borrow - an attachment of the set for (@dmabuf, @dev, @importer_ops), made if there is
 * none
 *
 * Importers of one kind share a set whatever their @importer_priv, which is in what they get.
 * @no_snoop: the device will not snoop; it is not behind bounce buffers
 * Context: may sleep; reservation not held.
 * Returns ERR_PTR(-ENOMEM) or what the exporter's attach said.
 * Ownership: slot_set_return() it.
 */
struct dma_buf_attachment *slot_set_borrow(struct dma_buf *dmabuf, struct device *dev,
					   const struct dma_buf_attach_ops *importer_ops,
					   void *importer_priv, bool no_snoop);

/**
 * slot_set_return - undo slot_set_borrow()
 *
 * Context: may sleep; reservation not held.
 * Returns false if the last borrower left a mapping in use: the set is quarantined until its unmap.
 */
bool slot_set_return(struct dma_buf_attachment *attach);

/**
 * slot_sets_release - end all sets of a buffer whose last reference has gone. Reservation not
 * held.
 */
void slot_sets_release(struct dma_buf *dmabuf);

/**
 * slot_sets_revoke - end all sets of @dmabuf: no map any more; mappings in use stay until their
 * unmap, in buffer.dead.  Reservation not held.
 */
void slot_sets_revoke(struct dma_buf *dmabuf);

/** slot_sets_device_gone - end all sets of @dev, over all buffers. Nothing held. */
void slot_sets_device_gone(struct device *dev);

/**
 * slot_sets_slots - all slots of @dmabuf's sets, *@n of them, in an array for the caller to kfree()
 *
 * Context: reservation held, as long as the array is used.  Returns NULL without memory.
 */
struct mapping_slot **slot_sets_slots(struct dma_buf *dmabuf, unsigned int *n);

/** slot_sets_in_use - does anybody use a mapping kept of @dmabuf? Reservation held */
bool slot_sets_in_use(struct dma_buf *dmabuf);

/**
 * slot_sets_name_users - say in the log whose devices use what is kept of @dmabuf, or still do though
 * it was killed, and who mapped it first, if that is known. Reservation held
 * @what: they do, as "is waited for by the move of a"
 */
void slot_sets_name_users(struct dma_buf *dmabuf, const char *what);
void slot_sets_name_dead(struct dma_buf *dmabuf, const char *what);

/** slot_sets_kernel_fence - static importers' hits on @dmabuf wait from now on. Reservation held.
 */
void slot_sets_kernel_fence(struct dma_buf *dmabuf);

#endif
