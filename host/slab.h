/* SPDX-License-Identifier: MIT */
/*
 * slab.h - who takes over kmalloc(): a heap whose whole state can be copied
 *
 * A checker that goes back to an earlier state of everything needs all objects in one place.
 *
 * Invariants
 *   SH1  Injected failures come before the heap: what is asked of it is really wanted.
 *   SH2  While the hook is set an object goes back to where it came from, either heap.
 */
#ifndef HOST_SLAB_H
#define HOST_SLAB_H

#include <linux/types.h>

struct host_heap {
	/* @size and @align are not 0; NULL when it is full. */
	void *(*alloc)(size_t size, size_t align);
	/* Is @p an object of this heap?  Then the others may be called with it. */
	bool (*owns)(const void *p);
	size_t (*size)(const void *p);
	void (*free)(void *p);
};

/*
 * The heap of kmalloc() and its kin, or NULL: malloc().  Set while one thread alone runs, and kept
 * until no object of it is left.
 */
extern const struct host_heap *host_heap;

#endif
