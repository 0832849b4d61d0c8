/* SPDX-License-Identifier: MIT */
/*
 * mapping-slot.h - one cached mapping of one buffer for one device, lock-free to use
 *
 * A slot keeps an exporter's sg_table from its first use until it is torn down, and counts who uses
 * it in the same word that says whether it may be used.  So a hit is one fetch_add and one look at
 * the directory: no lock, no syscall, no allocation.
 *
 *	word	0 READ  1 WRITE  what the device may do; valid if either
 *		2 FROZEN         a mover or reclaimer is taking the table away
 *		3 WANT           a mover sleeps until the slot is idle; who goes last freezes it
 *		4 DEAD           no new user, ever
 *		5 KERNEL         a fence of usage KERNEL is pending: static importers wait for it
 *		6..18 readers  19..31 writers: maps made without the reservation lock
 *	held	0..15 readers  16..31 writers: maps made under it; stored only under it
 *
 * Flags sit below the counts: a carry runs upwards and never touches one.
 *
 * Invariants (checker/mapping-slot-spec.py visits every state; mapping-slot-spec-test drives this
 * code through them)
 *   MS1  Who has counted in and seen the slot valid, not frozen and not dead holds a live table.
 *   MS2  FROZEN is set and cleared only by the holder of the reservation, or set by the last one
 *        out: for the mover that set WANT, or, of a dead slot, for the reaper that it queues.
 *   MS3  Nobody waits for an active slot while any slot is frozen.
 *   MS4  A mapper that meets a frozen slot sleeps once, not counted, then takes the reservation.
 *   MS5  The device never has more permission than the union of the directions asked for since the
 *        build.
 *   MS6  The exporter's unmap gets the direction its map and widenings added up to.
 *   MS7  The table handed out is a copy; the exporter's own is used only for sync and unmap.
 *
 * Deliberately not here: which attachment borrows which slot, budget and LRU (slot-set), what is
 * moved (coherence).  This file knows nothing of struct dma_buf and compiles unchanged in Linux.
 * All users of a slot share the copy: importers that trim it in place, each to another part of the
 * buffer, need slots of their own.
 */
#ifndef CORE_MAPPING_SLOT_H
#define CORE_MAPPING_SLOT_H

#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/dma-direction.h>
#include <linux/list.h>
#include <linux/scatterlist.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "coherence.h"

struct dma_resv;
struct mapping_slot;

#define SLOT_READ 0x01u
#define SLOT_WRITE 0x02u
#define SLOT_FROZEN 0x04u
#define SLOT_WANT 0x08u
#define SLOT_DEAD 0x10u
#define SLOT_KERNEL 0x20u
#define SLOT_READER (1u << 6)
#define SLOT_WRITER (1u << 19)
#define SLOT_COUNTS (~(SLOT_READER - 1))
#define SLOT_READERS (SLOT_WRITER - SLOT_READER)
#define SLOT_WRITERS (~(SLOT_WRITER - 1))
/*
 * The top bit of each count: 4096 users.  Half the field is left for mappers that have not looked
 * yet.
 */
#define SLOT_CROWDED (1u << 18 | 1u << 31)

#define SLOT_HELD_READER 1u
#define SLOT_HELD_WRITER (1u << 16)
#define SLOT_HELD_READERS (SLOT_HELD_WRITER - SLOT_HELD_READER)
#define SLOT_HELD_WRITERS (~(SLOT_HELD_WRITER - 1))
/* 4096 users: one bit suffices, for nobody counts in before he has looked. */
#define SLOT_HELD_CROWDED (1u << 12 | 1u << 28)

/*
 * What a slot knows of its owner.  All of it is called with the reservation held unless said
 * otherwise.
 */
struct mapping_slot_ops {
	/*
	 * Ask the exporter for a table that allows @dir.  No bytes may move on the way
	 * (dma_owned_begin(), or DMA_ATTR_SKIP_CPU_SYNC).  May sleep.  Returns the exporter's table
	 * or ERR_PTR.
	 */
	struct sg_table *(*build)(struct mapping_slot *slot, enum dma_data_direction dir);

	/*
	 * Give the table back; @dir is the union of what build and widen allowed (MS6).  Moves no
	 * bytes.
	 */
	void (*destroy)(struct mapping_slot *slot, struct sg_table *sgt,
			enum dma_data_direction dir);

	/*
	 * Clean (for_device) and invalidate (for_cpu) bytes [@offset, @offset + @len) through
	 * slot->table.
	 * @dir is a direction slot->table allows.  Called under the directory's lock, reservation
	 * or not.
	 */
	void (*sync_for_device)(struct mapping_slot *slot, size_t offset, size_t len,
				enum dma_data_direction dir);
	void (*sync_for_cpu)(struct mapping_slot *slot, size_t offset, size_t len,
			     enum dma_data_direction dir);

	/*
	 * Optional: both, indivisible per line.  Without it (Linux) sync_for_device then
	 * sync_for_cpu are called, and a CPU store between them is lost as it would be with a fresh
	 * mapping.  Called as they are.
	 */
	void (*clean_invalidate)(struct mapping_slot *slot, size_t offset, size_t len);

	/*
	 * The three above do not care whether the device snoops or what slot->table_dir allows: a
	 * cache operation on the memory, whoever asks.  Then a slot of C may serve accesses of the
	 * CPU's that are uncached.
	 */
	bool syncs_any;

	/*
	 * Optional: allow @to (a superset of @from) in place, same DMA addresses, while others use
	 * the table.
	 * Returns 0 or an errno with nothing changed.  Without it the slot serves the one direction
	 * it was built for and a request it does not cover is -EOPNOTSUPP: the owner keeps a slot
	 * for each.
	 */
	int (*widen)(struct mapping_slot *slot, enum dma_data_direction from,
		     enum dma_data_direction to);

	/*
	 * Mandatory for COHERENCE_BOUNCE: the address of the slot's byte at @offset, and of the
	 * buffer's own byte there; *@len is set to how many are contiguous.  Called as
	 * sync_for_device.
	 */
	void *(*bounce)(struct mapping_slot *slot, size_t offset, size_t *len);
	void *(*memory)(struct mapping_slot *slot, size_t offset, size_t *len);

	/*
	 * Optional: is @table, just built, memory of a device?  Nobody caches that, so while the
	 * slot has it, it is in the domain of C whatever the device: no bytes are ever moved for
	 * it, and the operations above are not called.  Without it all tables are ordinary memory.
	 */
	bool (*device_memory)(struct mapping_slot *slot, const struct sg_table *table);

	/*
	 * Optional: build or widen found no memory, or no addresses or bounce slots.  Make room where
	 * that takes others' reservations.  Called without the reservation, may sleep.  Returns
	 * whether to try once more.
	 */
	bool (*starved)(struct mapping_slot *slot);

	/*
	 * Optional: a dead slot that was in use has been torn down; the owner may free it from
	 * here, if nobody can still call map with it.  Called once, from slot->reap, reservation
	 * not held.
	 */
	void (*reaped)(struct mapping_slot *slot);
};

/* One cell of what mapping_slot_map_*() returns: which one comes back says how it was mapped. */
enum slot_head {
	SLOT_HEAD_READ,
	SLOT_HEAD_WRITE,
	SLOT_HEAD_HELD_READ,
	SLOT_HEAD_HELD_WRITE,
	SLOT_HEADS
};

struct mapping_slot {
	/* hot: everything a hit touches, 24 bytes */
	atomic_t word;
	u32 held; /* written under the reservation, read by scans */
	/* the directory's word or coherence_unshared; switched by coherence_join() */
	const atomic_t *dir;
	/*
	 * which answers of the look need no lock.  [0] readers, [1] writers.  Written before the
	 * slot becomes valid
	 */
	u8 begin_mask, begin_want;
	u8 end_mask[2], end_want[2];
	bool waits_kernel; /* immutable: a static importer's, waits for KERNEL fences itself */

	/*
	 * the copy handed out, one head for each way to map; written before the slot becomes valid
	 */
	struct sg_table head[SLOT_HEADS];
	unsigned int entries; /* allocated for it, whatever the heads' counts say */

	/* immutable after init */
	enum coherence_domain domain; /* of ordinary memory; member.domain is the table's */
	const struct mapping_slot_ops *ops;
	struct dma_resv *resv;
	struct coherence *coherence;
	void *owner;

	/*
	 * guarded by the reservation; stable while counted in, or under the directory's lock while
	 * joined
	 */
	struct sg_table *table; /* the exporter's, NULL when not built */
	enum dma_data_direction table_dir;

	/* the directory's, guarded by its lock */
	struct coherence_member member;

	/* its own lock */
	wait_queue_head_t wq; /* mappers that met FROZEN, the mover that set WANT */
	struct work_struct reap;
};

static inline u32 slot_permission(enum dma_data_direction dir)
{
	return (dir == DMA_FROM_DEVICE ? 0 : SLOT_READ) | (dir == DMA_TO_DEVICE ? 0 : SLOT_WRITE);
}

static inline bool slot_writes(enum dma_data_direction dir)
{
	return dir != DMA_TO_DEVICE;
}

/*
 * A load ordered after the RMW or store that counted in.  In Linux those are full barriers and the
 * load needs nothing; C11 wants it sequentially consistent, which on x86 is the same plain load
 * (measured: a fence instead costs a second barrier).
 */
static inline u32 slot_look(const struct mapping_slot *slot)
{
#ifdef LIBDMABUF
	const atomic_t *dir = __atomic_load_n(&slot->dir, __ATOMIC_SEQ_CST);

	return __atomic_load_n(&dir->counter, __ATOMIC_SEQ_CST);
#else
	return atomic_read(READ_ONCE(slot->dir));
#endif
}

/**
 * mapping_slot_init - an empty slot
 * @domain: where the device finds the bytes of ordinary memory
 * @waits_kernel: maps wait for KERNEL fences, as Linux does for static importers
 *
 * Context: any.  Ownership: everything pointed to outlives the slot.
 */
void mapping_slot_init(struct mapping_slot *slot, const struct mapping_slot_ops *ops,
		       struct dma_resv *resv, struct coherence *coherence,
		       enum coherence_domain domain, bool waits_kernel, void *owner);

/** mapping_slot_fini - WARNs if the slot still has a table or users */
void mapping_slot_fini(struct mapping_slot *slot);

/* The slow halves of the functions below. */
struct sg_table *mapping_slot_map_slow(struct mapping_slot *slot, enum dma_data_direction dir,
				       u32 old);
struct sg_table *mapping_slot_map_locked_slow(struct mapping_slot *slot,
					      enum dma_data_direction dir);
struct sg_table *mapping_slot_begin_slow(struct mapping_slot *slot, enum slot_head head);
void mapping_slot_end_slow(struct mapping_slot *slot, enum slot_head head);
void mapping_slot_count_out_slow(struct mapping_slot *slot, u32 one, u32 old);
void mapping_slot_held_out_slow(struct mapping_slot *slot, u32 one);

/**
 * mapping_slot_map_unlocked - use the mapping for @dir; builds or widens it if need be
 *
 * Context: may sleep; reservation and directory lock not held.
 * Returns the table, to be given to either unmap exactly once.  ERR_PTR: -ENODEV the slot is dead;
 * -EBUSY 4096 users already; -ERESTARTSYS interrupted while waiting for a KERNEL fence; -EOPNOTSUPP
 * not the direction this slot serves; else what build or widen said.  After an error nothing is
 * counted.
 * Ordering: the caller sees everything written before the table was published; bytes are coherent
 * for the device when this returns.
 */
static inline struct sg_table *mapping_slot_map_unlocked(struct mapping_slot *slot,
							 enum dma_data_direction dir)
{
	u32 need = slot_permission(dir);
	bool writes = slot_writes(dir);
	u32 old = atomic_fetch_add(writes ? SLOT_WRITER : SLOT_READER, &slot->word);

	if (unlikely((old & (need | SLOT_FROZEN | SLOT_DEAD | SLOT_KERNEL | SLOT_CROWDED)) != need))
		return mapping_slot_map_slow(slot, dir, old);
	if (unlikely((slot_look(slot) & slot->begin_mask) != slot->begin_want))
		return mapping_slot_begin_slow(slot, writes ? SLOT_HEAD_WRITE : SLOT_HEAD_READ);
	return &slot->head[writes ? SLOT_HEAD_WRITE : SLOT_HEAD_READ];
}

/**
 * mapping_slot_map_locked - the same with the reservation held
 *
 * Context: reservation held, may sleep.  Returns as mapping_slot_map_unlocked().
 */
static inline struct sg_table *mapping_slot_map_locked(struct mapping_slot *slot,
						       enum dma_data_direction dir)
{
	u32 need = slot_permission(dir);
	bool writes = slot_writes(dir);
	enum slot_head head = writes ? SLOT_HEAD_HELD_WRITE : SLOT_HEAD_HELD_READ;
	u32 word = atomic_read(&slot->word) & (need | SLOT_FROZEN | SLOT_DEAD | SLOT_KERNEL);

	if (unlikely(word != need || slot->held & SLOT_HELD_CROWDED))
		return mapping_slot_map_locked_slow(slot, dir);
	smp_store_mb(slot->held, slot->held + (writes ? SLOT_HELD_WRITER : SLOT_HELD_READER));
	if (unlikely((slot_look(slot) & slot->begin_mask) != slot->begin_want))
		return mapping_slot_begin_slow(slot, head);
	return &slot->head[head];
}

/** mapping_slot_head - which head of @slot is @sgt? SLOT_HEADS if it is none: not this slot's */
static inline enum slot_head mapping_slot_head(const struct mapping_slot *slot,
					       const struct sg_table *sgt)
{
	size_t distance = (const char *)sgt - (const char *)slot->head;

	return distance < sizeof(slot->head) ? distance / sizeof(slot->head[0]) : SLOT_HEADS;
}

/*
 * Counted out of a word that was @old; who was last hands over to a waiting mover or has a dead
 * slot reaped.  An unmap too many is noticed and given back: else a user's count would be gone and
 * the slot be torn down under him.
 */
static inline void mapping_slot_counted_out(struct mapping_slot *slot, u32 one, u32 old)
{
	u32 mine = one == SLOT_WRITER ? SLOT_WRITERS : SLOT_READERS;

	if (unlikely(old & (SLOT_WANT | SLOT_DEAD) || !(old & mine)))
		mapping_slot_count_out_slow(slot, one, old);
}

static inline void mapping_slot_count_out(struct mapping_slot *slot, u32 one)
{
	mapping_slot_counted_out(slot, one, atomic_fetch_sub_release(one, &slot->word));
}

/* The same for maps made under the reservation, which is held. */
static inline void mapping_slot_held_out(struct mapping_slot *slot, u32 one)
{
	u32 mine = one == SLOT_HELD_WRITER ? SLOT_HELD_WRITERS : SLOT_HELD_READERS;

	if (unlikely(atomic_read(&slot->word) & SLOT_DEAD || !(slot->held & mine)))
		mapping_slot_held_out_slow(slot, one);
	else
		smp_store_release(&slot->held, slot->held - one);
}

/**
 * mapping_slot_unmap_unlocked - give back what either map returned
 * @head: mapping_slot_head() of it, not SLOT_HEADS
 *
 * Context: may sleep; reservation and directory lock not held.  A table mapped under the lock takes
 * it here.
 * Ordering: what the device wrote before this call is seen by whoever begins an access after it
 * returns.
 */
void mapping_slot_unmap_held_unlocked(struct mapping_slot *slot, enum slot_head head);

static inline void mapping_slot_unmap_unlocked(struct mapping_slot *slot, enum slot_head head)
{
	if (unlikely(head >= SLOT_HEAD_HELD_READ))
		mapping_slot_unmap_held_unlocked(slot, head);
	else if (unlikely((slot_look(slot) & slot->end_mask[head]) != slot->end_want[head]))
		mapping_slot_end_slow(slot, head);
	else
		mapping_slot_count_out(slot, head ? SLOT_WRITER : SLOT_READER);
}

/**
 * mapping_slot_unmap_locked - the same with the reservation held
 * Context: reservation held, may sleep.
 */
static inline void mapping_slot_unmap_locked(struct mapping_slot *slot, enum slot_head head)
{
	bool writes = head & 1;

	if (unlikely((slot_look(slot) & slot->end_mask[writes]) != slot->end_want[writes])) {
		mapping_slot_end_slow(slot, head);
	} else if (head < SLOT_HEAD_HELD_READ) {
		mapping_slot_count_out(slot, writes ? SLOT_WRITER : SLOT_READER);
	} else {
		mapping_slot_held_out(slot, writes ? SLOT_HELD_WRITER : SLOT_HELD_READER);
	}
}

/**
 * mapping_slot_begin_access - an importer that keeps its mapping begins one access
 * mapping_slot_end_access - and ends it
 *
 * For importers that map once and use the mapping for many jobs: the slot stays counted, these move
 * the bytes.
 * Context: mapped, may sleep; reservation held or not; directory lock not held.
 */
void mapping_slot_begin_access(struct mapping_slot *slot, enum dma_data_direction dir);
void mapping_slot_end_access(struct mapping_slot *slot, enum dma_data_direction dir);

/**
 * mapping_slot_open - what is open by the counts: COHERENCE_READ and/or COHERENCE_WRITE; 0 if
 * frozen or empty
 */
unsigned int mapping_slot_open(const struct mapping_slot *slot);

/**
 * mapping_slot_active - is anybody counted in, in either way? Context: any; exact only when frozen
 */
bool mapping_slot_active(const struct mapping_slot *slot);

/**
 * mapping_slot_kernel_fence - a KERNEL fence was added: hits of waits_kernel slots wait from now
 * on. Reservation held.
 */
void mapping_slot_kernel_fence(struct mapping_slot *slot);

/**
 * mapping_slots_freeze - freeze all @n valid slots, or none
 * @timeout: jiffies to wait, with nothing frozen, for slots that are in use; 0 to try once
 *
 * Empty and dead slots are passed over.  Context: reservation held; importers' callbacks have
 * returned; memory that the move needs is allocated.  Returns 0, or -EBUSY: somebody was in the way
 * until the end, nothing is frozen.
 */
int mapping_slots_freeze(struct mapping_slot *const *slots, unsigned int n, long timeout);

/**
 * mapping_slots_teardown - leave the directory and give back the table of every frozen slot
 * mapping_slots_rebuild - build them again for what they allowed before, and thaw; one that cannot
 *                         be built is thawed empty, so that its next map is a miss
 * mapping_slots_thaw - thaw without rebuilding; those torn down become empty
 *
 * Context: reservation held since mapping_slots_freeze().  Thawing wakes everybody who met FROZEN.
 */
void mapping_slots_teardown(struct mapping_slot *const *slots, unsigned int n);
void mapping_slots_rebuild(struct mapping_slot *const *slots, unsigned int n);
void mapping_slots_thaw(struct mapping_slot *const *slots, unsigned int n);

/**
 * mapping_slot_reclaim - tear the mapping down if nobody uses it
 *
 * Context: reservation held, may sleep.  Returns whether the slot is empty now.
 */
bool mapping_slot_reclaim(struct mapping_slot *slot);

/**
 * mapping_slot_kill - no new user from now on; tear down now or, if in use, at the last unmap
 *
 * Context: reservation held, may sleep.  Returns true if the slot is empty now, false if it is
 * quarantined: then ops->reaped is called once when its last user has gone.
 */
bool mapping_slot_kill(struct mapping_slot *slot);

#endif
