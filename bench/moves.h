/* SPDX-License-Identifier: MIT */
/*
 * moves.h - how long a map stalls while buffers move all the time
 */
#ifndef BENCH_MOVES_H
#define BENCH_MOVES_H

/**
 * bench_moves - the table of it: each machine and policy
 *
 * A line's map times stand beside that of one copy, taken before: the target is a p99 of no more.
 * "in use" is the part of the time for which a buffer could not move because somebody had it mapped.
 * Returns 0, or 1 after a message: a map failed.
 */
int bench_moves(void);

#endif
