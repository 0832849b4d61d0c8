/* SPDX-License-Identifier: MIT */
/*
 * compare.h - the same stream through every machine, policy and camera style
 *
 * Deliberately not here: the runs themselves (run.h).
 */
#ifndef PIPELINE_COMPARE_H
#define PIPELINE_COMPARE_H

#include <stdio.h>

#include "pipeline/run.h"

struct json_object;

/*
 * Ours; behind them come the other cores, each one policy more.  Where this program's own core is
 * another (core_own()), that is the first, and there are none of ours.
 */
enum { COMPARE_CACHED, COMPARE_REMAP, COMPARE_POLICIES };
#define COMPARE_CORES 2 /* so many find room for their thread-local storage */

/* A line of the grid: a machine as it is, or with one device that snoops. */
struct compare_row {
	const struct machine_type *machine;
	enum stage_device coherent;
	struct compare_cell {
		struct run_config config;
		struct run_result result;
	} cell[COMPARE_POLICIES + COMPARE_CORES][CAMERA_STYLES];
};

struct compare {
	struct run_config base; /* what all cells share: buffers, frames, progress */
	const struct rival *core[COMPARE_CORES + 1];
	unsigned int ours;     /* COMPARE_POLICIES, or 0: as many of the policies come first */
	unsigned int policies; /* and one for each core */
	struct compare_row *row;
	unsigned int rows;
	struct y4m_format format;
};

/**
 * compare_run - run all cells
 * @cores: others to run on beside this program's own, at most COMPARE_CORES (pipeline/core.h)
 * @fd: the stream, seekable; @name: for messages
 *
 * Returns 0, or -1 and @error.  Ownership: compare_free() either way.
 */
int compare_run(struct compare *compare, const struct run_config *base,
		const struct rival *const *cores, unsigned int nr_cores, int fd, const char *name,
		char error[RUN_ERROR_BYTES]);
void compare_free(struct compare *compare);

/** compare_exact - are all cells of this program's own core? */
bool compare_exact(const struct compare *compare);

/** compare_print - the grid, where other cores went wrong, then the costs side by side */
void compare_print(const struct compare *compare, FILE *to);

/** compare_json - an array of runs (report_json()); NULL when memory is short */
struct json_object *compare_json(const struct compare *compare);

#endif
