/* SPDX-License-Identifier: MIT */
/*
 * runs.h - the rows of one run of `dmabuf bench`, between who takes them (bench.c) and who prints them
 * (report.c)
 */
#ifndef BENCH_RUNS_H
#define BENCH_RUNS_H

#include "bench/json.h"
#include "bench/measure.h"
#include "bench/memory.h"
#include "bench/peers.h"

#define MAX_THREADS 2
#define MAX_ROUNDS 101
#define MAX_MEASURES 512
#define BENCH_GROUPS 5

/* In the order of the table. */
extern const struct bench_group *const bench_groups[BENCH_GROUPS];

struct run {
	const struct measure *measure;
	enum peer core;      /* whose it is; PEERS: ours */
	int peers[PEERS];    /* of ours: the same on theirs, an index of runs; 0: none */
	double ratio[PEERS]; /* the median of ours / theirs, round by round */
	struct work work[MAX_THREADS];
	u64 ns[MAX_ROUNDS]; /* of a pair, in picoseconds */
	bool wanted;
	double median;
	double counts[BENCH_COUNTS]; /* of a pair */
};

/* Ours first. */
extern struct run bench_runs[];
extern size_t bench_nr_runs;

/* What threads are pinned to, the first first. */
extern int bench_cpus[];
extern unsigned int bench_nr_cpus;

/* What each core holds, as runs' core; of which there are none, `wanted` is false. */
struct memory_run {
	bool wanted;
	struct memory_row rows[MEMORY_ROWS];
};

extern struct memory_run bench_memory_runs[PEERS + 1];

/** bench_report_table - of ours alone, each beside its base */
void bench_report_table(unsigned int rounds);

/** bench_report_peers - ours beside each peer's, times and memory */
void bench_report_peers(unsigned int rounds);

/** bench_report_json - all of it into the file @path; 0, or 2 after a message */
int bench_report_json(const char *path);

#endif
