/* SPDX-License-Identifier: MIT */
/*
 * resv-set.h - several reservations locked together, in whatever order they are named
 *
 * Two who lock the same buffers the other way round would wait for each other.  With one
 * ww_acquire_ctx the younger one is told (-EDEADLK), lets all go, and waits for the one that was
 * contended before it begins again: the set does that, so its user sees locks held or nothing.
 *
 * Invariants
 *   RS1  Each reservation is locked once, however often it is named: several buffers may share one.
 *   RS2  Who waits for a reservation of the set holds no other, or is older than who holds it.
 *
 * Linux has drm_exec for this, which grows while it locks; here all are known before.
 */
#ifndef DRIVERS_RESV_SET_H
#define DRIVERS_RESV_SET_H

#include <linux/types.h>
#include <linux/ww_mutex.h>

struct dma_resv;

struct resv_set {
	struct ww_acquire_ctx ctx;
	struct dma_resv **resvs; /* the caller's array, each once */
	unsigned int n;
};

/**
 * resv_set_lock - lock all of @resvs
 * @resvs: the set's until resv_set_unlock(); what is named twice is dropped from it
 *
 * Context: may sleep; none of them held, nor any other reservation.  Cannot fail.
 */
void resv_set_lock(struct resv_set *set, struct dma_resv **resvs, unsigned int n);

/** resv_set_unlock - and let all go. Context: this thread locked them */
void resv_set_unlock(struct resv_set *set);

#endif
