/* SPDX-License-Identifier: MIT */
/*
 * report.c - what a run tells: in words, in a table, in JSON
 */
#include <json-c/json.h>
#include <string.h>

#include "dma/machine.h"
#include "pipeline/report.h"
#include "upstream/rival.h"

static const struct {
	const char *label, *key;
} costs[DMA_COST_NR] = {
	[DMA_COST_SG_ENTRIES] = { "sg entries", "sg_entries" },
	[DMA_COST_IOMMU_WRITES] = { "iommu writes", "iommu_writes" },
	[DMA_COST_TLB_INVALIDATIONS] = { "tlb invalidations", "tlb_invalidations" },
	[DMA_COST_BYTES_CLEANED] = { "bytes cleaned", "bytes_cleaned" },
	[DMA_COST_BYTES_INVALIDATED] = { "bytes invalidated", "bytes_invalidated" },
	[DMA_COST_BYTES_BOUNCED] = { "bytes bounced", "bytes_bounced" },
	[DMA_COST_BYTES_COMPARED] = { "bytes compared", "bytes_compared" },
	[DMA_COST_RESV_LOCKS] = { "resv locks", "resv_locks" },
	[DMA_COST_PINNED_NS] = { "pinned us", "pinned_us" },
};

void report_verdict(const struct run_result *result, char text[REPORT_VERDICT_BYTES])
{
	if (result->wrong.found)
		snprintf(text, REPORT_VERDICT_BYTES, "stale at frame %llu, %s",
			 (unsigned long long)result->wrong.frame, stage_names[result->wrong.stage]);
	else
		snprintf(text, REPORT_VERDICT_BYTES, "exact");
}

void report_machine(const struct run_config *config, char text[REPORT_VERDICT_BYTES])
{
	bool coherent = config->coherent != STAGE_DEVICES;

	snprintf(text, REPORT_VERDICT_BYTES, "%s%s%s%s", config->machine->name,
		 coherent ? ", " : "", coherent ? stage_names[config->coherent] : "",
		 coherent ? " coherent" : "");
}

const char *report_policy(const struct run_config *config)
{
	if (config->core && config->core->name)
		return config->core->name;
	return config->remap ? "remap" : "cached";
}

const char *report_cost_label(enum dma_cost cost)
{
	return costs[cost].label;
}

double report_per_frame(const struct dma_costs *of, u64 frames, enum dma_cost cost)
{
	double value = frames ? (double)of->count[cost] / frames : 0;

	return cost == DMA_COST_PINNED_NS ? value / 1000 : value;
}

void report_format_number(double value, char text[16])
{
	if (value >= 1e7)
		snprintf(text, 16, "%.1fM", value / 1e6);
	else if (value >= 100 || value == (unsigned long)value)
		snprintf(text, 16, "%.0f", value);
	else
		snprintf(text, 16, "%.2f", value);
}

static void report_wrong(FILE *to, const struct run_result *result)
{
	const struct wrong *wrong = &result->wrong;

	fprintf(to, "first wrong byte: frame %llu, stage %s, byte %zu as the %s %s it\n",
		(unsigned long long)wrong->frame, stage_names[wrong->stage], wrong->byte,
		stage_names[wrong->stage], wrong->read ? "read" : "wrote");
	fprintf(to, "%zu of that frame's %zu lines of %d bytes are wrong (%.0f %%)\n", wrong->lines,
		wrong->of_lines, REFERENCE_LINE_BYTES, 100.0 * wrong->lines / wrong->of_lines);
	fprintf(to, "%llu of %llu frames came out wrong\n",
		(unsigned long long)result->wrong_frames, (unsigned long long)result->frames);
}

static void report_fault(FILE *to, const struct run_config *config, const struct run_result *result)
{
	if (result->dropped)
		fprintf(to, "fault: dropped one cache operation, of the encoder in frame %llu\n",
			(unsigned long long)config->fault_frame);
	else
		fprintf(to,
			"fault: the encoder asked for no cache operation in frame %llu, so none "
			"was dropped%s\n",
			(unsigned long long)config->fault_frame,
			config->machine->coherent ? "; --machine arm needs them" : "");
}

static void report_costs(FILE *to, const struct run_config *config, const struct run_result *result)
{
	fprintf(to, "\n%-20s %12s", "counted costs", "per frame");
	if (result->steady_frames)
		fprintf(to, " %12s after the first round of %u buffers",
			"steady:", config->buffers);
	fputc('\n', to);
	for (unsigned int i = 0; i < DMA_COST_NR; i++) {
		char text[16];

		report_format_number(report_per_frame(&result->costs, result->frames, i), text);
		fprintf(to, "  %-18s %12s", costs[i].label, text);
		if (result->steady_frames) {
			report_format_number(
				report_per_frame(&result->steady, result->steady_frames, i), text);
			fprintf(to, " %12s", text);
		}
		fputc('\n', to);
	}
}

void report_run(FILE *to, const struct run_config *config, const struct y4m_format *format,
		const struct run_result *result)
{
	char machine[REPORT_VERDICT_BYTES], verdict[REPORT_VERDICT_BYTES];

	report_machine(config, machine);
	report_verdict(result, verdict);
	fprintf(to, "%s; policy %s; ", machine, report_policy(config));
	if (config->heap)
		fprintf(to, "heap %s; ", config->heap->name);
	fprintf(to, "camera %s; half in %s; %llu frames of %ux%u %s: %s\n",
		camera_style_names[config->camera], stage_half_names[result->half],
		(unsigned long long)result->frames, format->width, format->height, format->chroma,
		verdict);
	if (config->fault_frame != RUN_NO_FAULT)
		report_fault(to, config, result);
	if (result->wrong.found)
		report_wrong(to, result);
	if (config->vram)
		fprintf(to,
			"%llu moves of buffers, %.2f a frame, with %zu KiB of the gpu's memory\n",
			(unsigned long long)result->moves, (double)result->moves / result->frames,
			config->vram >> 10);
	if (config->vram && !config->core)
		fprintf(to, "a buffer could not move for %.1f %% of the time\n",
			100.0 * result->costs.count[DMA_COST_PINNED_NS] / result->ns /
				(2 * config->buffers));
	report_costs(to, config, result);
}

/* --- JSON ------------------------------------------------------------------------------------- */

/* Adds and takes @value; returns false when memory was short for it or for the place. */
static bool add(struct json_object *object, const char *key, struct json_object *value)
{
	if (!value)
		return false;
	if (!json_object_object_add(object, key, value))
		return true;
	json_object_put(value);
	return false;
}

static struct json_object *json_costs(const struct dma_costs *of, u64 frames)
{
	struct json_object *object = json_object_new_object();
	bool ok = object;

	for (unsigned int i = 0; ok && i < DMA_COST_NR; i++) {
		double value = report_per_frame(of, frames, i);
		char text[32];

		snprintf(text, sizeof(text), value == (unsigned long)value ? "%.0f" : "%.3f",
			 value);
		ok = add(object, costs[i].key, json_object_new_double_s(value, text));
	}
	if (ok)
		return object;
	json_object_put(object);
	return NULL;
}

static struct json_object *json_wrong(const struct wrong *wrong)
{
	struct json_object *object = json_object_new_object();

	if (object && add(object, "frame", json_object_new_int64(wrong->frame)) &&
	    add(object, "stage", json_object_new_string(stage_names[wrong->stage])) &&
	    add(object, "byte", json_object_new_int64(wrong->byte)) &&
	    add(object, "lines", json_object_new_int64(wrong->lines)) &&
	    add(object, "of_lines", json_object_new_int64(wrong->of_lines)))
		return object;
	json_object_put(object);
	return NULL;
}

static bool fill_json(struct json_object *object, const struct run_config *config,
		      const struct run_result *result)
{
	const struct wrong *wrong = &result->wrong;
	bool ok =
		add(object, "machine", json_object_new_string(config->machine->name)) &&
		add(object, "policy", json_object_new_string(report_policy(config))) &&
		add(object, "heap",
		    json_object_new_string(config->heap ? config->heap->name : "system")) &&
		add(object, "camera", json_object_new_string(camera_style_names[config->camera])) &&
		add(object, "half", json_object_new_string(stage_half_names[result->half])) &&
		add(object, "buffers", json_object_new_int64(config->buffers)) &&
		add(object, "frames", json_object_new_int64(result->frames)) &&
		add(object, "exact", json_object_new_boolean(!wrong->found)) &&
		(!config->vram || (add(object, "vram", json_object_new_int64(config->vram)) &&
				   add(object, "moves", json_object_new_int64(result->moves)))) &&
		add(object, "per_frame", json_costs(&result->costs, result->frames));

	/* A NULL value is JSON's null. */
	if (config->coherent == STAGE_DEVICES)
		ok = ok && !json_object_object_add(object, "coherent", NULL);
	else
		ok = ok &&
		     add(object, "coherent", json_object_new_string(stage_names[config->coherent]));
	if (wrong->found)
		ok = ok && add(object, "first_wrong", json_wrong(wrong));
	else
		ok = ok && !json_object_object_add(object, "first_wrong", NULL);
	if (result->steady_frames)
		ok = ok &&
		     add(object, "steady", json_costs(&result->steady, result->steady_frames));
	else
		ok = ok && !json_object_object_add(object, "steady", NULL);
	return ok;
}

struct json_object *report_json(const struct run_config *config, const struct run_result *result)
{
	struct json_object *object = json_object_new_object();

	if (object && fill_json(object, config, result))
		return object;
	json_object_put(object);
	return NULL;
}
