/* SPDX-License-Identifier: MIT */
/*
 * report.h - what a run tells: in words, in a table, in JSON
 */
#ifndef PIPELINE_REPORT_H
#define PIPELINE_REPORT_H

#include <stdio.h>

#include "pipeline/run.h"

struct json_object;

#define REPORT_VERDICT_BYTES 64

/** report_verdict - "exact", or "stale at frame 12, gpu" */
void report_verdict(const struct run_result *result, char text[REPORT_VERDICT_BYTES]);

/** report_machine - "arm", or "arm, gpu coherent" */
void report_machine(const struct run_config *config, char text[REPORT_VERDICT_BYTES]);

/** report_policy - "cached", "remap", or the name of a core that is not this program's own */
const char *report_policy(const struct run_config *config);

/** report_cost_label - a cost as tables call it. Returns "sg entries", ..., "pinned us". */
const char *report_cost_label(enum dma_cost cost);

/** report_per_frame - one cost of @costs per frame, in the label's unit */
double report_per_frame(const struct dma_costs *costs, u64 frames, enum dma_cost cost);

/** report_format_number - at most eight characters: 0, 0.25, 12, 38016, 1.2M */
void report_format_number(double value, char text[16]);

/** report_run - the verdict, the first wrong byte if any, and the costs */
void report_run(FILE *to, const struct run_config *config, const struct y4m_format *format,
		const struct run_result *result);

/**
 * report_json - one run as a JSON object; NULL when memory is short
 *
 *	{"machine","policy" (report_policy()),"frames","exact",
 *	 "vram","moves" (both with run_config.vram only),
 *	 "first_wrong":{"frame","stage","byte","lines","of_lines"} or null,
 *	 "per_frame":{costs of all frames, setup and teardown included},
 *	 "camera","half" (where it was in the end),"coherent" or null,"buffers",
 *	 "steady":{costs per frame after the first round of buffers} or null}
 */
struct json_object *report_json(const struct run_config *config, const struct run_result *result);

#endif
