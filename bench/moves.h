/* SPDX-License-Identifier: MIT */
/*
 * moves.h - how long a map stalls while buffers move all the time
 */
#ifndef BENCH_MOVES_H
#define BENCH_MOVES_H

#include <linux/types.h>

#define MOVES_MAPS 300 /* who is not told how many */

struct moves_row {
	unsigned int maps; /* how many to make */

	unsigned int moves, failed;
	u64 copy_ns;                /* one buffer's, nobody else there: the median */
	u64 p50_ns, p99_ns, max_ns; /* of a map */
	double pinned;              /* the part of the time that a buffer could not move, a mean */
};

/**
 * bench_moves_run - fill @row but for its maps: on the machine of that name, the same source on every core
 * @remap: under that policy; cores that have none do not look
 *
 * Context: no other thread works on buffers.  Ends the program when memory is short.
 */
void bench_moves_run(const char *machine, bool remap, struct moves_row *row);

/**
 * bench_moves - the table of it: each machine, our core under each policy, and Linux's if it is there
 * @maps: how many each
 *
 * A line's map times stand beside that of one copy: the target is a p99 of no more.  Returns 0, or 1
 * after a message: a map or an access failed.
 */
int bench_moves(unsigned int maps);

#endif
