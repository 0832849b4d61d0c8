/* SPDX-License-Identifier: MIT */
/*
 * record.h - what core/event.h tells, kept in the order it was told
 *
 * For whoever looks at a run when it is over: dmabuf's --report, and checkers.  What an event points
 * at may be gone by then, so what is worth knowing of it is read when it is told.
 *
 * Invariants
 *   RC1  Recording takes no lock, does not sleep and allocates nothing: all room is made before.
 *   RC2  Entries are in an order that agrees with each thread's own, and with every order that
 *        threads have made between them.
 *   RC3  Entry n costs what its thread's earlier entries have not.  So bytes that a call moved are
 *        found at the event that tells it, or at one on the way there.
 *   RC4  The first events are kept, or, of record_start_last(), the last.  Those for which there was
 *        no room are counted.
 *   RC5  record_start_last() is for drivers that may be wrong: none of their functions is called.
 *
 * Deliberately not here: what the events mean (html.h), where they come from (core/event.h).
 */
#ifndef CHECKER_REPORT_RECORD_H
#define CHECKER_REPORT_RECORD_H

#include <linux/dma-cost.h>
#include <linux/types.h>

#include "core/event.h"

struct record;

#define RECORD_SIGNALED 0x100
#define RECORD_TEXT_BYTES 256 /* longer texts are cut */
#define RECORD_NAME_BYTES 64  /* of the last ones, these */

struct record_entry {
	/*
	 * As told, but:
	 *	EXPORT			c: address of the reservation
	 *	ATTACH			a: enum dma_domain of the device
	 *	EXPORTER_BEGIN, END	c: the same
	 *	SLOT			the same, object: the buffer
	 *	FENCE_*, JOB		b: context, c: sequence number; SIGNAL's a: the error, or 0;
	 *				ADD's a also RECORD_SIGNALED: it was told too late
	 */
	struct event event;
	const void *dev; /* whose call or slot it is, or NULL; only to be compared */
	/*
	 * EXPORT: the exporter's name.  NAME, NOTE, FINDING: the text.  SLOT, ATTACH, EXPORTER_BEGIN, END:
	 * the device's name.  FENCE_ADD: the timeline's.  Else NULL.
	 */
	const char *text;
	u64 ns;      /* since the first entry */
	u32 thread;  /* 0 for the first that told anything, and so on */
	bool filled; /* false: its thread was stopped in the middle of it */
	u64 cost[DMA_COST_NR];
};

/**
 * record_start - listen, from now on
 * @events: so many are kept
 *
 * WARNs become findings, and are printed as before.
 * Context: as event_listen(); one record at a time in a process.
 * Returns ERR_PTR: -ENOMEM; -EBUSY there is one; -ENOSPC too many listen.
 * Ownership: record_free() it.
 */
struct record *record_start(unsigned int events);

/**
 * record_start_last - likewise, but keep the last @events
 *
 * WARNs are left to whoever has them; texts are cut to RECORD_NAME_BYTES; a fence has no name.  It may
 * be read before its stop: an entry that is being written meanwhile reads oddly.
 */
struct record *record_start_last(unsigned int events);

/**
 * record_of - one that is over, of entries as they were elsewhere
 *
 * Context: may sleep.  Their texts are copied.
 * Returns ERR_PTR(-ENOMEM).  Ownership: record_free() it.
 */
struct record *record_of(const struct record_entry *entries, unsigned int nr);

/** record_stop - no longer.  Context: as event_unlisten().  Nothing if it was stopped before */
void record_stop(struct record *record);

/** record_free - of one that was stopped; or NULL */
void record_free(struct record *record);

/** record_events - how many were kept; record_dropped - and how many not. Context: after its stop */
unsigned int record_events(const struct record *record);
u64 record_dropped(const struct record *record);

/** record_entry - the one numbered @n. Context: after its stop */
const struct record_entry *record_entry(const struct record *record, unsigned int n);

#endif
