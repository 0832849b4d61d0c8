/* SPDX-License-Identifier: MIT */
/*
 * arena.h - all objects of the core in one block of memory, so that a state is copied as a whole
 *
 * While the arena is open kmalloc() takes from it (host/slab.h).  What belongs to the state and
 * lies elsewhere (the buffer's bytes, the bounce slots', a list's head) is named once as a region.
 *
 * Invariants
 *   AR1  After arena_restore() every byte of the arena and of the regions is what it was when the
 *        copy was saved: the same calls then give the same addresses.
 *   AR2  Saving and restoring call nothing of the system's.
 *   AR3  A freed object is overwritten: who still reads it finds rubbish.
 *
 * One at a time, of one thread.  Deliberately not here: finding overruns, which is the sanitizers'
 * work, in the tests that use malloc().
 */
#ifndef CHECKER_EXPLORE_ARENA_H
#define CHECKER_EXPLORE_ARENA_H

#include <linux/types.h>

/** arena_open - an empty arena, from which kmalloc() takes from now on. 0 or -ENOMEM */
int arena_open(void);

/**
 * arena_close - kmalloc() is as before
 *
 * What is still allocated stays where it is until the next arena_open() and must not be freed.
 */
void arena_close(void);

/** arena_region - @len bytes at @bytes belong to the state, too.  false: too many */
bool arena_region(void *bytes, size_t len);

/** arena_bytes - how much arena_save() writes at most from now on, if @more bytes are allocated */
size_t arena_bytes(size_t more);

/** arena_save - copy the state to @to, which has room for arena_bytes() */
void arena_save(void *to);

/** arena_restore - let the state be what arena_save() copied to @from; no region added since */
void arena_restore(const void *from);

/** arena_objects - how many objects are allocated */
size_t arena_objects(void);

/** arena_error - what was wrong since the last arena_open() (a double free, no room), or NULL */
const char *arena_error(void);

#endif
