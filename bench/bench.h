/* SPDX-License-Identifier: MIT */
/*
 * bench.h - `dmabuf bench`: what a map costs, as ratios of one run
 *
 * These machines are noisy, so nothing is compared across runs: every measure is taken in every
 * round, rounds follow each other, and the medians are divided.  The base is what nobody can beat,
 * two atomic operations on a line of one's own.
 *
 * Deliberately not here: instruction counts; bench/instructions counts them with callgrind over
 * --only and --pairs.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

/** bench_main - the command; returns the exit status: 0, or 2 for usage and output errors */
int bench_main(int argc, char **argv);

#endif
