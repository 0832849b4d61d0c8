/* SPDX-License-Identifier: MIT */
/*
 * explore.h - the real core, through every legal program up to a length
 *
 * A *world* is one small buffer and a few agents: the CPU and devices.  A *program* is a sequence
 * of their operations: attach, detach, map, unmap, begin and end of an access, a write, a read, and
 * the reclaim of what is idle; of an exporter that moves also a move by its copy engine, and that
 * the buffer is taken away from all.  All call the library's public functions; the devices, caches
 * and bounce slots are those of dma/.  Between any two operations an adversary may write back any
 * line of the caches, or drop it and fetch it again.  An operation that moves bytes does so in
 * steps, each a cache operation or a copy to or from a bounce slot: before each all who legally
 * may read do, and one of the others may write, or map or unmap where that takes no lock, or the
 * adversary do one thing more.
 *
 * A program is legal when every read and write is (coherence.h CO1): an ordering point lies between
 * it and the last foreign write to its line.
 *
 * Checked in every state
 *   EX1  Every line that somebody may legally read holds the newest bytes where he reads it.
 *   EX2  No device may do more, by its page table, than was asked for through each of its mappings
 *        since the exporter made it, or made it anew for a move; and what was asked for can be
 *        done.  Nothing reaches memory that was taken away and is used again.
 *   EX3  The core raised no WARN, returned no error, and left its memory in order.
 *
 * The search is breadth-first, so what is found first is shortest; adversary's steps count nothing.
 * Equal states are visited once (state.c says when two are equal and why).
 *
 * Deliberately not here: fences, so a copy is over when the move is; memory that runs out; threads
 * inside one call, which are mapping-slot-spec.py's and mapping-slot-orders.py's.
 */
#ifndef CHECKER_EXPLORE_EXPLORE_H
#define CHECKER_EXPLORE_EXPLORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXPLORE_AGENTS 4
#define EXPLORE_TEXT 4096

/* What exporter the buffer has. */
enum explore_exporter {
	EXPLORE_WIDENS,   /* static; mappings are widened in place */
	EXPLORE_NARROW,   /* static; one table for each direction */
	EXPLORE_PINS,     /* dynamic: pinned while static importers map */
	EXPLORE_BLIND,    /* static; does not tell its own accesses */
	EXPLORE_SYNCS,    /* static; when the CPU begins and ends it syncs every mapping (B9) */
	EXPLORE_UNCACHED, /* static; the CPU goes past its caches */
	EXPLORE_MOVES,    /* dynamic: it moves the buffer while nobody uses it, or takes it away */
	EXPLORE_EXPORTERS
};

/* What is wrong with the world, to see that it is found.  Test only. */
enum explore_fault {
	EXPLORE_SOUND,
	EXPLORE_NO_SYNC,        /* no cache operation on a kept mapping does anything */
	EXPLORE_ONE_SYNC_LESS,  /* the first one does nothing */
	EXPLORE_UNMAP_SYNCS,    /* the exporter's unmap invalidates, or copies the slot back (B3) */
	EXPLORE_MAP_WIDER,      /* the exporter maps for both directions */
	EXPLORE_NO_CPU_BEGIN,   /* the CPU does not say that it begins */
	EXPLORE_NO_DEVICE_SYNC, /* an importer that keeps its mapping does not bracket */
	EXPLORE_LOSES_SLOT,     /* a bounce slot is cleared by the importer's unmap */
	EXPLORE_KEEPS_ADDRESS,  /* the exporter's unmap leaves the device its addresses */
	EXPLORE_TWO_CALLS,      /* a store between the steps of another's transition is lost */
	EXPLORE_LEAKS,          /* the exporter forgets to free a table */
	EXPLORE_MOVE_UNTOLD,    /* its copy engine reads and writes without brackets */
	EXPLORE_MOVE_NO_FREEZE, /* it moves without dma_buf_move_begin() */
	EXPLORE_REUSES_EARLY,   /* what it took away is used again before the last unmap */
	EXPLORE_FAULTS
};

extern const char *const explore_exporter_names[EXPLORE_EXPORTERS];
extern const char *const explore_fault_names[EXPLORE_FAULTS];

struct explore_progress {
	uint64_t states;
	uint64_t steps;    /* operations carried out, the adversary's, too */
	uint64_t compared; /* pairs of equal states, see config.verify */
	uint64_t leaves; /* mappings torn down beside an open writer of the CPU (the named case) */
	double programs; /* legal ones of at most `length` operations; set at the end */
	unsigned int length; /* all programs of so many operations have been run */
	bool closed;         /* and no longer one leads to a state that is not among these */
};

struct explore_config {
	/*
	 * Up to EXPLORE_AGENTS of, joined by commas:
	 *	cpu		brackets its accesses
	 *	vmap		the CPU through a mapping that nobody brackets
	 *	co, nc, b	devices that snoop, do not, are behind bounce slots
	 *	ns		one that could snoop and does not
	 *	dco, dnc, db	as co, nc and b, dynamic importers
	 *	own, ownnc	the exporter's own device, which snoops or does not
	 *	again		the one before, another importer of the same device
	 */
	const char *agents;
	enum explore_exporter exporter;
	enum explore_fault fault;
	unsigned int ops;   /* of the longest program */
	unsigned int lines; /* of the buffer, 1 to 4; 0: 2 */
	bool alone;         /* while bytes are moved nobody else does anything */
	uint64_t states;    /* stop after so many, 0: none too many */
	uint64_t ms;        /* stop after so long, 0: never */

	/*
	 * Not 0: of so many states found a second time, compare one with its first: both must lead
	 * to the same states.
	 */
	unsigned int verify;

	/*
	 * Optional: a page (checker/report/html.h) of the shortest program that violates, else of
	 * one of the longest.
	 */
	const char *report;

	/* Optional: called now and then, some hundred times a second. */
	void (*progress)(const struct explore_config *config, const struct explore_progress *at);
	void *context;
};

enum explore_verdict {
	EXPLORE_CLEAN,    /* all programs up to config.ops */
	EXPLORE_VIOLATED, /* text is the shortest program that violates */
	EXPLORE_STOPPED,  /* by a limit; all programs up to `length` are clean */
	EXPLORE_UNTRIED,  /* no such world, or no memory: text says why */
};

struct explore_result {
	enum explore_verdict verdict;
	struct explore_progress at;
	unsigned int ops; /* violated: the program's length */
	int report_error; /* of config.report: 0 or -errno */
	char text[EXPLORE_TEXT];
};

/**
 * explore_run - run every program of one world until one violates, or a limit
 *
 * Context: one at a time, one thread, nothing of the library in use; may be called again.  Calls
 * nothing of the system's between the first program and the last but for its own memory and the
 * time.  A core that is wrong enough to write where it may not can take the process with it: who
 * expects that forks (jobs.h).  The machine's memory that it made stays, and whoever is forked
 * afterwards shares it (host/memory.h).
 */
void explore_run(const struct explore_config *config, struct explore_result *result);

/**
 * explore_parse - is @agents a list that explore_run() takes?
 * Returns NULL, or what is wrong with it.
 */
const char *explore_parse(const char *agents);

#endif
