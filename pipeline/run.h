/* SPDX-License-Identifier: MIT */
/*
 * run.h - one run: a stream through one machine, one policy and one style, checked and counted
 *
 * Every frame's output is compared with the reference; the first that differs is traced back to the
 * stage that first had wrong bytes.  Costs are counted, not timed, so they can be compared.
 *
 * Deliberately not here: several runs (compare.h), words and files about a run (report.h).
 */
#ifndef PIPELINE_RUN_H
#define PIPELINE_RUN_H

#include <stdint.h>

#include <linux/dma-cost.h>
#include <linux/types.h>

#include "pipeline/reference.h"
#include "pipeline/stages.h"
#include "pipeline/y4m.h"

struct rival;

#define RUN_NO_FAULT UINT64_MAX
#define RUN_ERROR_BYTES 1024

struct run_config {
	const struct machine_type *machine;
	const struct rival *core;      /* pipeline/core.h; NULL: this program's own */
	const struct stage_heap *heap; /* one of core's; NULL: system-heap */
	bool remap;                    /* policy remap, else cached; of our own core only */
	enum camera_style camera;
	enum stage_half half;
	size_t vram;                /* bytes of the gpu's memory, for all buffers; 0: stages.h */
	u64 move_every;             /* frames: then all its buffers move that can; 0: never */
	enum stage_device coherent; /* STAGE_DEVICES: as the machine has it */
	unsigned int buffers;       /* frames under way at once, at least 1 */
	u64 frames;                 /* at most so many; 0: all */
	u64 fault_frame;      /* the encoder's next cache operation is dropped; or RUN_NO_FAULT */
	u64 seed;             /* which lines the caches evict when there is a fault frame; not 0 */
	int out_fd;           /* the result as YUV4MPEG2, or -1 */
	const char *out_name; /* for messages */
	bool keep_picture;    /* for result.got and want */
	unsigned int number, of; /* which run of how many; 0: the only one */
	void (*progress)(const struct run_config *config, u64 frames); /* after each, or NULL */
};

struct run_result {
	u64 frames;         /* that went through and, if asked for, were written */
	struct wrong wrong; /* wrong.found: not exact */
	u64 wrong_frames;
	enum stage_half half; /* where the encoder's pictures were in the end */
	u64 moves;            /* of all buffers */
	u64 ns;               /* all frames took */

	struct dma_costs costs; /* all, from building the machine to taking it apart */
	struct dma_costs steady;
	u64 steady_frames; /* those after the first round of buffers; 0: there were none */

	unsigned int dropped; /* cache operations that the fault swallowed */

	/* The first wrong frame at its stage, or the last frame; free() both */
	struct y4m_format shown;
	u8 *got, *want;
	u64 shown_frame;
};

/**
 * run_pipeline - the rest of @reader's stream through all stages
 *
 * Context: one run at a time in a process: policy, counters and caches are the process's.
 * Returns 0, exact or not; -1 and @error when input, output or a device failed: what came before is
 * in @result and written.
 * Ownership: free @result with run_result_free() either way.
 */
int run_pipeline(const struct run_config *config, struct y4m_reader *reader,
		 struct run_result *result, char error[RUN_ERROR_BYTES]);
void run_result_free(struct run_result *result);

#endif
