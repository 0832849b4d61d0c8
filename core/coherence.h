/* SPDX-License-Identifier: MIT */
/*
 * coherence.h - where the newest bytes of one buffer are, and who moves them
 *
 * A domain is a place where the newest bytes can be: C, the CPU's caches, shared by the CPU and
 * every device that snoops; M, memory as a device sees it that does not; one B for each bounced
 * mapping.  The directory knows, range by range, which domains are *whole* (hold all newest bytes),
 * and who has an access open.
 *
 *	begin(d, mode)	sources = other domains with a writer open, and one whole domain if
 *			d is not whole.  If any: gather what they have into C, deliver C to d;
 *			then C and d are whole.
 *	end(d, mode)	reading: nothing.  Writing: if others are open, gather from d only and
 *			deliver to each of them, and all of these and C are whole; else d
 *			alone is whole and nothing moves.
 *	leave(d)	gather if d is whole and C is not; then C is whole too.  Like a begin of C it
 *			says in `dir` what is coming before it gathers: who ends beside it must know.
 *
 * Gather from M is clean+invalidate, indivisible per line (invalidate when C is known clean).
 * Gather from B is per byte: read the slot once; where it differs from the *twin* (what slot and C
 * agreed on last), write it to C and to the twin.  Deliver to M is clean, deliver to B copies only
 * the bytes where C differs from the twin. Accesses do not stop meanwhile, so every step is safe
 * beside stores and DMA to other bytes.
 *
 * checker/coherence-spec.py is this protocol with every reachable state visited, also of two ranges,
 * an exporter's own device, moves and stock Linux's shape; coherence-spec-test and
 * coherence-shapes-test replay its graphs on this code.
 *
 * Invariants
 *   CO1  Every legal read finds the newest bytes.  Legal: an ordering point (a begin of its own
 *        domain, or the writer's end while its domain was open) lies between it and the last
 *        foreign write to the line.
 *   CO2  No sequence of accesses for which fresh mapping is right passes more bytes than fresh
 *        mapping would.
 *   CO3  Who has an access open finds its domain whole in every range the access covers.  So a slot
 *        that is counted where its domain is not whole has not begun yet: it waits for `lock`, and
 *        is not open there.
 *   CO4  `dir` is stored only under `lock`; the new whole set and the closed access appear in one
 *        store.
 *   CO5  While no slot is outside C there is no directory: slots look at a constant and never come
 *        here.
 *
 * Deliberately not here: who may map (mapping-slot), order between accesses (fences), placement
 * (move). This file knows nothing of struct dma_buf and compiles unchanged in Linux.
 */
#ifndef CORE_COHERENCE_H
#define CORE_COHERENCE_H

#include <linux/types.h>
#include <linux/atomic.h>
#include <linux/cache.h>
#include <linux/dma-direction.h>
#include <linux/list.h>
#include <linux/mutex.h>

struct mapping_slot;

enum coherence_domain {
	COHERENCE_CACHES, /* C */
	COHERENCE_MEMORY, /* M */
	COHERENCE_BOUNCE, /* one of its own for each slot */
};

/* What an access does, or what somebody has open: a set. */
#define COHERENCE_READ 1u
#define COHERENCE_WRITE 2u
/*
 * With either, in the CPU's brackets: one held open for a mapping that nobody brackets.  Only an
 * end with the same mode ends it: stray ends of others do not.
 */
#define COHERENCE_KEPT 4u
/*
 * With either, in the CPU's brackets: the CPU's mapping is uncached or write-combined, so the access
 * is in M.  Ended by an end that says so, too.
 */
#define COHERENCE_UNCACHED 8u

/* What a device does that maps for @dir. */
static inline unsigned int coherence_device_mode(enum dma_data_direction dir)
{
	return (dir == DMA_FROM_DEVICE ? 0 : COHERENCE_READ) |
	       (dir == DMA_TO_DEVICE ? 0 : COHERENCE_WRITE);
}

/*
 * The look: what one load of `dir` tells a hit.  All of it is true of the whole buffer, so that a
 * hit needs no range.
 */
#define COHERENCE_M_WHOLE 0x02u
#define COHERENCE_M_ALONE 0x04u     /* M is whole and nobody else is, anywhere */
#define COHERENCE_OTHER_READS 0x08u /* somebody of C or B has the buffer open for reading */
#define COHERENCE_OTHER_WRITES 0x10u
#define COHERENCE_UNSHARED 0x20u /* there is no directory */

/*
 * What a slot of a buffer without a directory looks at: M whole and alone, nobody open, unshared.
 */
extern const atomic_t coherence_unshared;

/*
 * A set of domains: bit 0 is C, bit 1 is M, the others are bounced slots in the order they joined.
 */
typedef u64 coherence_set;
#define COHERENCE_SET_C ((coherence_set)1)
#define COHERENCE_SET_M ((coherence_set)2)

/*
 * A piece of the buffer whose bytes share one history.  A boundary where an open bracket starts or
 * ends stays, so that a bracket covers a range entirely or not at all, and its end needs no memory.
 */
struct coherence_range {
	size_t start;                  /* bytes; it ends where the next one starts */
	unsigned int pins;             /* brackets that start or end at `start` */
	unsigned int readers, writers; /* brackets open over it */
	unsigned int uncached_readers, uncached_writers;
	bool c_clean;        /* no line of it can be dirty in C, and nobody of C is writing */
	coherence_set whole; /* holds all newest bytes; never empty */

	/* the transition under way: gathered from, delivered to, and what is whole then */
	coherence_set from, to, then;
};

/* Ranges kept without an allocation: what two brackets in the middle make of a buffer. */
#define COHERENCE_INLINE_RANGES 5

struct coherence {
	/* read by every hit, written under lock (CO4): a line of its own */
	atomic_t dir ____cacheline_aligned_in_smp;

	/* immutable after coherence_init() */
	size_t size ____cacheline_aligned_in_smp; /* bytes */

	/*
	 * The leaf lock: below the reservation and every slot's freeze.  A transition holds it from
	 * its first byte moved to its store of `dir`; who holds it takes no other lock.
	 */
	struct mutex lock;

	/* guarded by lock */
	bool shared;                  /* a slot outside C has joined, or the CPU is outside */
	bool uncached;                /* the CPU is in M, also after the last slot of C has gone */
	coherence_set bounced;        /* bits in use by bounced slots */
	unsigned int slots_of_memory; /* members of M */
	unsigned int slots_of_others; /* members that are not */
	struct list_head members;     /* coherence_member.node: slots with a live table */
	struct list_head brackets;    /* open accesses of the CPU */
	struct coherence_range *ranges;
	unsigned int nr_ranges, capacity;
	struct coherence_range inline_ranges[COHERENCE_INLINE_RANGES];
};

/* What the directory keeps in each slot. */
struct coherence_member {
	/* written while not joined */
	enum coherence_domain domain;
	bool device_memory; /* in C for want of a better; its table has nothing to maintain */

	/* guarded by coherence.lock */
	struct list_head node; /* in coherence.members while joined */
	coherence_set bit;     /* its domain */
	u8 *twin;              /* bounced: what slot and C agreed on last, `size` bytes */
};

/**
 * coherence_init - the directory of a new buffer of @size bytes
 *
 * The exporter filled the memory with the CPU, so C alone is whole and may be dirty.
 * Context: any.  Cannot fail.
 */
void coherence_init(struct coherence *c, size_t size);

/**
 * coherence_init_uncached - the same, and the CPU's mappings are uncached or write-combined
 *
 * The memory was filled through one: M alone is whole.  Then all of the CPU's brackets should say
 * COHERENCE_UNCACHED, and slots of C need ops that work without a slot of M (mapping_slot_ops.
 * syncs_any).
 */
void coherence_init_uncached(struct coherence *c, size_t size);

/**
 * coherence_fini - WARNs on slots that have not left and brackets still open, and frees both's
 * records
 */
void coherence_fini(struct coherence *c);

/**
 * coherence_join - @slot has a table from now on and its accesses count
 *
 * The first slot outside C makes the directory: every slot of C that has joined is pointed at
 * `dir`, and what it has open by then is found by its counts.  A bounced slot gets a domain and a
 * twin equal to its slot's bytes.
 *
 * Context: reservation held, may sleep; lock not held.  @slot->table is live and nobody can hit it
 * yet.
 * Returns 0; -ENOMEM no twin; -ENOSPC 62 bounced slots already.  After an error nothing has
 * changed.
 */
int coherence_join(struct coherence *c, struct mapping_slot *slot);

/**
 * coherence_leave - @slot's table is about to be torn down; its bytes are saved first
 *
 * The exporter's unmap that follows must move no bytes.
 * Context: reservation held, @slot frozen and idle (or never published), may sleep; lock not held.
 * Does nothing if @slot has not joined.  When it returns no transition uses the table and none
 * will.
 */
void coherence_leave(struct coherence *c, struct mapping_slot *slot);

/**
 * coherence_lock - begin transitions
 * coherence_unlock - look who is open now and publish `dir` in one store (release)
 *
 * Context: may sleep; no other coherence lock held.
 */
void coherence_lock(struct coherence *c);
void coherence_unlock(struct coherence *c);

/**
 * coherence_begin - @slot, which is counted in already, begins an access to the whole buffer
 * coherence_end - @slot ends one; the caller counts it out afterwards, before coherence_unlock()
 * @mode: COHERENCE_READ and/or COHERENCE_WRITE
 *
 * Context: coherence_lock() held.  Bytes are moved through the tables of any joined slot.
 */
void coherence_begin(struct coherence *c, struct mapping_slot *slot, unsigned int mode);
void coherence_end(struct coherence *c, struct mapping_slot *slot, unsigned int mode);

/**
 * coherence_cpu_begin - the CPU begins an access to [@offset, @offset + @len), rounded out to cache
 * lines
 *
 * Context: may sleep; lock and reservation not held.  The buffer's fences have been waited for.
 * Returns 0; -ENOMEM: nothing is open and nothing has moved.
 */
int coherence_cpu_begin(struct coherence *c, size_t offset, size_t len, unsigned int mode);

/**
 * coherence_cpu_end - the CPU ends the access it began with the same arguments
 *
 * Other arguments end the bracket of the same range, or else one that overlaps.  What no bracket
 * covers counts as the end of a write (Linux does not pair them either).
 * Context: as coherence_cpu_begin().
 * Returns whether the bracket was open.
 */
bool coherence_cpu_end(struct coherence *c, size_t offset, size_t len, unsigned int mode);

/**
 * coherence_cpu_flush - clean what may be dirty in C, in every range
 *
 * For exporters whose begin_cpu_access invalidates behind the directory's back: called before it.
 * Where a slot is bounced it may copy, too, so lines count as dirty afterwards.
 * Context: as coherence_cpu_begin().
 */
void coherence_cpu_flush(struct coherence *c);

/**
 * coherence_settle_idle - every bounced slot not open for writing holds what C holds, and its twin too
 *
 * For exporters whose begin_cpu_access and end_cpu_access copy between memory and the slots of all
 * mappings behind the directory's back, those included that are kept and idle: called before each,
 * it makes the copies of idle ones change nothing.  What a slot has that C has not is left there: no
 * byte of C has changed since they agreed on it.
 *
 * They copy all of the buffer, whatever part the CPU brackets.  @into_slots, before the end: from
 * memory, so C is whole everywhere when this returns.  Else into it: so C is whole where M alone was,
 * for old lines must not become dirty there.  Where a slot alone is whole it is not filled: an
 * exporter that copies what nobody knows of would put that over the newest bytes, and there it puts
 * it beside them.
 * May leave lines dirty: before coherence_cpu_flush(), where both are called.
 * Context: as coherence_cpu_begin().
 */
void coherence_settle_idle(struct coherence *c, bool into_slots);

/**
 * coherence_whole_at - the whole set of the byte at @offset; for tests and the debug listing
 * coherence_open_at - the set of domains with an access of @modes open there
 *
 * Context: coherence_lock() held.
 */
coherence_set coherence_whole_at(struct coherence *c, size_t offset);
coherence_set coherence_open_at(struct coherence *c, size_t offset, unsigned int modes);

#endif
