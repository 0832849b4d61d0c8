/* SPDX-License-Identifier: MIT */
/*
 * lockdep.h - the order of locks: what the locks tell the validator (host/lockdep.c)
 *
 * A class is the place where locks are initialised, so all locks of one structure have one; a lock
 * defined statically is a class of its own.  Whoever waits for a lock makes an edge from the class of
 * each lock he holds; an edge that closes a cycle is an inversion: some run of the same code
 * deadlocks, though this one did not.  It is said in a WARN that begins with "lock order:" and has
 * both stacks, once for each pair.
 *
 * Invariants
 *   LD1  The calls are empty in builds without HOST_LOCKDEP (LIBDMABUF_CHECKS, linux/kconfig.h).
 *   LD2  What is only tried makes no edge to itself, and edges to what is taken while it is held.
 *   LD3  A reader counts as a writer: host rwsems are fair.
 *   LD4  An edge that would close a cycle is not kept: what is right later is not blamed for it.
 *
 * Besides locks, three things that can be waited for: memory (fs_reclaim: every allocation that may
 * wait), fences (dma_fence_map: held between dma_fence_begin_signalling() and its end, taken by who
 * waits for one), and an attempt at several ww_mutexes (its class's acquire_name).
 *
 * Deliberately not here: interrupts (there are none), completions and works waited for, the order
 * of two locks of one class: that is an inversion, unless they are ww_mutexes of one context or the
 * second is taken by a ..._nested() call.
 */
#ifndef HOST_LOCKDEP_H
#define HOST_LOCKDEP_H

#include <linux/kconfig.h>
#include <linux/lockdep_types.h>
#include <linux/types.h>

struct held_locks;
struct task_struct;

enum lock_kind {
	LOCK_KIND_SPIN,
	LOCK_KIND_SLEEP, /* a mutex or an rwsem */
	LOCK_KIND_WW,    /* a ww_mutex, or a context: one class, also when it is static */
	LOCK_KIND_NONE,  /* no lock, but waited for like one; waiting twice is no mistake */
};

/**
 * host_lock_want - the caller is about to wait for @lock, if he must
 * @lock: its dep_map; for what is no lock any address that names it
 * @name: what its class is called and, by its address, which class that is
 * @nest: NULL, or what is held and says in which order locks of one class are taken: a context
 */
void host_lock_want(const void *lock, const char *name, enum lock_kind kind, const void *nest);

/** host_lock_take - the caller has it now, waited for or only tried */
void host_lock_take(const void *lock, const char *name, enum lock_kind kind);

/** host_lock_drop - and has it no more; nothing for what was not noted */
void host_lock_drop(const void *lock);

/** host_lock_held_free - the task ends */
void host_lock_held_free(struct held_locks *held);

/* The same in builds that check; nothing in others (LD1). */
static inline void lock_want(const struct lockdep_map *map, enum lock_kind kind, const void *nest)
{
	if (IS_ENABLED(HOST_LOCKDEP))
		host_lock_want(map, map->name, kind, nest);
}

static inline void lock_take(const struct lockdep_map *map, enum lock_kind kind)
{
	if (IS_ENABLED(HOST_LOCKDEP))
		host_lock_take(map, map->name, kind);
}

static inline void lock_drop(const void *lock)
{
	if (IS_ENABLED(HOST_LOCKDEP))
		host_lock_drop(lock);
}

#endif
