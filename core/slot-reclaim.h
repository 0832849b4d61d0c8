/* SPDX-License-Identifier: MIT */
/*
 * slot-reclaim.h - kept mappings given back: above a budget, to who lacks room, and pins that idle
 *
 * Invariants
 *   SR1  Who gives back holds the reservation of what he gives, and takes another's only by trying:
 *        he may be on the way of a map that holds one.
 *   SR2  Nothing that is in use is given back, and nothing of a buffer that is being moved.
 *   SR3  A pin is given back when it was idle at two looks and no hit came between.
 */
#ifndef CORE_SLOT_RECLAIM_H
#define CORE_SLOT_RECLAIM_H

#include <linux/types.h>

struct mapping_slot;
struct slot_set;

/* Jiffies to wait for each reservation that somebody has: who maps may hold one that he waits for. */
#define SLOT_RECLAIM_PATIENCE 2

/**
 * slot_reclaim_offer - nobody is attached for @set any more: what it has mapped is on the LRU
 * slot_reclaim_withdraw - it is not
 *
 * Context: reservation held.
 */
void slot_reclaim_offer(struct slot_set *set);
void slot_reclaim_withdraw(struct slot_set *set);

/**
 * slot_reclaim_over_budget - tear the oldest on the LRU down until the budget is kept
 * slot_reclaim_oldest - the oldest one, whatever the budget.  Returns whether there was one
 * slot_reclaim_everywhere - all that nobody uses just now, whoever is attached
 * @patience: jiffies for each reservation that somebody has
 *
 * Those of the caller's reservations that he holds are his to use here; others are tried.
 * Context: may sleep; no buffer is being visited; over_budget: no reservation held.
 * Returns how many mappings were torn down.
 */
void slot_reclaim_over_budget(void);
bool slot_reclaim_oldest(void);
unsigned int slot_reclaim_everywhere(unsigned int patience);

/**
 * slot_reclaim_pinned - @set has a mapping that is a pin; from now on it is looked at
 * slot_reclaim_unpinned - @slot, whose table is going, no longer has
 *
 * Context: reservation held.
 */
void slot_reclaim_pinned(struct slot_set *set);
void slot_reclaim_unpinned(struct slot_set *set, const struct mapping_slot *slot);

#endif
