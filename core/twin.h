/* SPDX-License-Identifier: MIT */
/*
 * twin.h - of two copies that are both written, bring over what one of them changed
 *
 * A twin is what two copies agreed on last.  A byte where one differs from the twin was changed
 * there and is copied to the other; all others are left alone, for the other's owner may be writing
 * them at this moment.  As in Munin and TreadMarks, 1991-94, by byte.
 *
 * Invariants
 *   TW1  A byte of the source is read once.
 *   TW2  No byte of the destination is stored to but those that the source changed.
 */
#ifndef CORE_TWIN_H
#define CORE_TWIN_H

#include <linux/types.h>

struct mapping_slot;

/**
 * twin_new - a copy of the @size bytes that @slot, a bounced one, holds now
 *
 * Context: may sleep.  Returns NULL without memory.  Ownership: the caller's, until kvfree().
 */
u8 *twin_new(struct mapping_slot *slot, size_t size);

/**
 * twin_copy_changed - copy the bytes where @from differs from @twin to both @to and @twin
 * @len: bytes, of each of the three
 *
 * Context: any; others may store to @from and @to meanwhile, to @twin nobody else.
 * Returns how many bytes were copied.
 */
size_t twin_copy_changed(const u8 *from, u8 *twin, u8 *to, size_t len);

#endif
