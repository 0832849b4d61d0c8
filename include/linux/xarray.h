/* SPDX-License-Identifier: MIT */
/*
 * xarray.h - a sparse array of pointers, indexed by unsigned long
 *
 * Invariants
 *   1  An index without an entry reads as NULL.  Entries are pointers aligned to 4 bytes, or small
 *      integers made by xa_mk_value().
 *   2  Writers exclude each other by xa_lock, which xa_*() take and __xa_*() expect held.
 *   3  Readers take no lock: they are inside a reader section of RCU, and whoever removes an entry
 *      that they may still use frees it after a grace period.
 *   4  An operation that fails has changed nothing.
 *
 * Context: xa_*() that take gfp may sleep if that allows it; the rest anywhere.  __xa_*() with a gfp
 * that may sleep drop the lock while they allocate, and look again afterwards.
 * Ordering: what was written before an entry was stored is seen by who loads it.
 *
 * Semantics: Linux 6.12.  Not here: multi-index entries, the xas_ interface.
 * DIFFERS: a reserved index takes no mark.
 * DIFFERS: ranges of XA_LIMIT() end at 2^32-1 like Linux's, and are searched from the lowest.
 */
#ifndef _LINUX_XARRAY_H
#define _LINUX_XARRAY_H

#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/limits.h>
#include <linux/spinlock.h>

struct xa_node;

struct xarray {
	spinlock_t xa_lock;
	unsigned int xa_flags; /* set once */

	/* written under xa_lock, read under RCU */
	struct xa_node *xa_head;
};

#define XA_FLAGS_LOCK_IRQ 1u /* xa_*() take the lock with interrupts off */
#define XA_FLAGS_LOCK_BH 2u
#define XA_FLAGS_ALLOC 4u   /* for xa_alloc(): a stored NULL keeps its index taken */
#define XA_FLAGS_ALLOC1 12u /* the same, and xa_alloc() never gives 0 */

#define XARRAY_INIT(name, flags)                                                      \
	{                                                                             \
		.xa_lock = __SPIN_LOCK_UNLOCKED((name).xa_lock), .xa_flags = (flags), \
	}
#define DEFINE_XARRAY_FLAGS(name, flags) struct xarray name = XARRAY_INIT(name, flags)
#define DEFINE_XARRAY(name) DEFINE_XARRAY_FLAGS(name, 0)
#define DEFINE_XARRAY_ALLOC(name) DEFINE_XARRAY_FLAGS(name, XA_FLAGS_ALLOC)
#define DEFINE_XARRAY_ALLOC1(name) DEFINE_XARRAY_FLAGS(name, XA_FLAGS_ALLOC1)

struct xa_limit {
	u32 max;
	u32 min;
};

#define XA_LIMIT(low, high) ((struct xa_limit){ .min = (low), .max = (high) })
#define xa_limit_32b XA_LIMIT(0, UINT_MAX)
#define xa_limit_31b XA_LIMIT(0, INT_MAX)
#define xa_limit_16b XA_LIMIT(0, USHRT_MAX)

void xa_init_flags(struct xarray *xa, unsigned int flags);
static inline void xa_init(struct xarray *xa)
{
	xa_init_flags(xa, 0);
}

#define xa_lock(xa) spin_lock(&(xa)->xa_lock)
#define xa_unlock(xa) spin_unlock(&(xa)->xa_lock)
#define xa_lock_irq(xa) spin_lock_irq(&(xa)->xa_lock)
#define xa_unlock_irq(xa) spin_unlock_irq(&(xa)->xa_lock)
#define xa_lock_irqsave(xa, flags) spin_lock_irqsave(&(xa)->xa_lock, flags)
#define xa_unlock_irqrestore(xa, flags) spin_unlock_irqrestore(&(xa)->xa_lock, flags)

/* --- entries ---------------------------------------------------------------------------------- */

/* xa_mk_value - an integer up to LONG_MAX as an entry */
static inline void *xa_mk_value(unsigned long v)
{
	return (void *)((v << 1) | 1);
}

static inline unsigned long xa_to_value(const void *entry)
{
	return (unsigned long)entry >> 1;
}

static inline bool xa_is_value(const void *entry)
{
	return (unsigned long)entry & 1;
}

/* An error as the entry that xa_store() and xa_cmpxchg() return; never stored. */
static inline void *host_xa_mk_err(int err)
{
	return (void *)(((unsigned long)(long)err << 2) | 2);
}

/* xa_err - the negative errno that @entry is, or 0 */
static inline int xa_err(const void *entry)
{
	return ((unsigned long)entry & 3) == 2 ? (int)((long)entry >> 2) : 0;
}

static inline bool xa_is_err(const void *entry)
{
	return xa_err(entry) < 0;
}

/* --- reading ---------------------------------------------------------------------------------- */

/** xa_load - the entry at @index, or NULL */
void *xa_load(struct xarray *xa, unsigned long index);

/** xa_empty - is every index without entry, and none reserved? */
bool xa_empty(const struct xarray *xa);

/**
 * xa_find - the first entry at *@index or after, up to @max, and set *@index to where it is
 *
 * Returns NULL, with *@index as it was, when there is none.  @filter: XA_PRESENT, or a mark that
 * the entry must have.
 */
typedef unsigned int xa_mark_t;
#define XA_MARK_0 ((xa_mark_t)0)
#define XA_MARK_1 ((xa_mark_t)1)
#define XA_MARK_2 ((xa_mark_t)2)
#define XA_PRESENT ((xa_mark_t)8)
void *xa_find(struct xarray *xa, unsigned long *index, unsigned long max, xa_mark_t filter);
/** xa_find_after - the same, strictly after *@index */
void *xa_find_after(struct xarray *xa, unsigned long *index, unsigned long max, xa_mark_t filter);

/* The body may store and erase anything.  Entries stored meanwhile may be met or missed. */
#define xa_for_each_range(xa, index, entry, start, last)                                    \
	for ((index) = (start), (entry) = xa_find(xa, &(index), last, XA_PRESENT); (entry); \
	     (entry) = xa_find_after(xa, &(index), last, XA_PRESENT))
#define xa_for_each_start(xa, index, entry, start) \
	xa_for_each_range(xa, index, entry, start, ULONG_MAX)
#define xa_for_each(xa, index, entry) xa_for_each_start(xa, index, entry, 0)

#define xa_for_each_marked(xa, index, entry, filter)                                   \
	for ((index) = 0, (entry) = xa_find(xa, &(index), ULONG_MAX, filter); (entry); \
	     (entry) = xa_find_after(xa, &(index), ULONG_MAX, filter))

/* --- marks ------------------------------------------------------------------------------------ */

/**
 * xa_set_mark, xa_clear_mark - of the entry at @index; nothing happens where there is none
 *
 * A mark stays when the entry is replaced, and goes when it is erased or becomes NULL.
 * xa_get_mark(): has it one?  xa_marked(): has any entry?  Context: any.
 */
void xa_set_mark(struct xarray *xa, unsigned long index, xa_mark_t mark);
void xa_clear_mark(struct xarray *xa, unsigned long index, xa_mark_t mark);
void __xa_set_mark(struct xarray *xa, unsigned long index, xa_mark_t mark);
void __xa_clear_mark(struct xarray *xa, unsigned long index, xa_mark_t mark);
bool xa_get_mark(struct xarray *xa, unsigned long index, xa_mark_t mark);
bool xa_marked(const struct xarray *xa, xa_mark_t mark);

/* --- writing ---------------------------------------------------------------------------------- */

/**
 * xa_store - put @entry at @index; NULL: as xa_erase(), but see XA_FLAGS_ALLOC
 *
 * Returns what was there, or an error that xa_err() names: -ENOMEM, -EINVAL for no possible entry.
 */
void *xa_store(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp);
void *__xa_store(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp);

/** xa_erase - nothing at @index any more; returns what was there. Never fails */
void *xa_erase(struct xarray *xa, unsigned long index);
void *__xa_erase(struct xarray *xa, unsigned long index);

/** xa_cmpxchg - as xa_store() if @old is there (a reserved index has NULL); returns what was there */
void *xa_cmpxchg(struct xarray *xa, unsigned long index, void *old, void *entry, gfp_t gfp);

/** xa_insert - put @entry, or reserve for NULL, where nothing is: 0, -EBUSY, -ENOMEM, -EINVAL */
int __must_check xa_insert(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp);
int __must_check __xa_insert(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp);

/**
 * xa_alloc - put @entry, or reserve for NULL, at the lowest free index of @limit, and set *@id
 *
 * Returns 0; -EBUSY: none is free; -ENOMEM; -EINVAL: no possible entry.  *@id changes on success only.
 * WARN and -EINVAL unless @xa has XA_FLAGS_ALLOC.
 */
int __must_check xa_alloc(struct xarray *xa, u32 *id, void *entry, struct xa_limit limit,
			  gfp_t gfp);
int __must_check __xa_alloc(struct xarray *xa, u32 *id, void *entry, struct xa_limit limit,
			    gfp_t gfp);

/** xa_alloc_cyclic - the same, from *@next on; 1 when it began at limit.min again; moves *@next */
int __must_check xa_alloc_cyclic(struct xarray *xa, u32 *id, void *entry, struct xa_limit limit,
				 u32 *next, gfp_t gfp);

/**
 * xa_reserve - storing at @index will not need memory: 0, also if it has an entry; -ENOMEM
 * xa_release - give a reservation back; an entry stays
 */
int __must_check xa_reserve(struct xarray *xa, unsigned long index, gfp_t gfp);
void xa_release(struct xarray *xa, unsigned long index);

/** xa_destroy - forget all entries, which stay their owners'; the array is empty and usable */
void xa_destroy(struct xarray *xa);

#endif
