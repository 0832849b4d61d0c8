/* SPDX-License-Identifier: MIT */
/*
 * compare.c - the same stream through every machine, policy and camera style
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <unistd.h>

#include "dma/machine.h"
#include "pipeline/compare.h"
#include "pipeline/core.h"
#include "pipeline/report.h"
#include "upstream/rival.h"

static unsigned int count_rows(void)
{
	unsigned int rows = 0;

	for (const struct machine_type *type = machine_types; type->name; type++)
		rows += type->coherent ? 1 : 2;
	return rows;
}

static void fill_row(struct compare *compare, const struct machine_type *machine,
		     enum stage_device coherent)
{
	unsigned int before = compare->rows * compare->policies * CAMERA_STYLES;
	struct compare_row *row = &compare->row[compare->rows++];

	row->machine = machine;
	row->coherent = coherent;
	for (unsigned int policy = 0; policy < compare->policies; policy++)
		for (unsigned int style = 0; style < CAMERA_STYLES; style++) {
			struct run_config *config = &row->cell[policy][style].config;

			*config = compare->base;
			config->number = before + policy * CAMERA_STYLES + style + 1;
			config->of = count_rows() * compare->policies * CAMERA_STYLES;
			config->machine = machine;
			config->coherent = coherent;
			if (policy < compare->ours)
				config->remap = policy == COMPARE_REMAP;
			else
				config->core = compare->core[policy - compare->ours];
			if (config->heap)
				config->heap = core_heap(config->core, config->heap->name);
			config->camera = style;
		}
}

/* Each machine as it is; one whose devices do not snoop also with a GPU that does. */
static int fill_rows(struct compare *compare)
{
	compare->row = calloc(count_rows(), sizeof(*compare->row));
	if (!compare->row)
		return -ENOMEM;
	for (const struct machine_type *type = machine_types; type->name; type++) {
		fill_row(compare, type, STAGE_DEVICES);
		if (!type->coherent)
			fill_row(compare, type, STAGE_GPU);
	}
	return 0;
}

static int run_cell(struct compare *compare, struct compare_cell *cell, int fd, const char *name,
		    char error[RUN_ERROR_BYTES])
{
	struct y4m_reader *reader = malloc(sizeof(*reader));
	int ret = -1;

	if (!reader || lseek(fd, 0, SEEK_SET) < 0) {
		snprintf(error, RUN_ERROR_BYTES, "%s: %s", name, strerror(reader ? errno : ENOMEM));
		goto free_reader;
	}
	ret = y4m_open(reader, fd, name);
	if (ret) {
		snprintf(error, RUN_ERROR_BYTES, "%s", reader->error);
		goto free_reader;
	}
	compare->format = reader->format;
	ret = core_run(&cell->config, reader, &cell->result, error);
free_reader:
	free(reader);
	return ret;
}

int compare_run(struct compare *compare, const struct run_config *base,
		const struct rival *const *cores, unsigned int nr_cores, int fd, const char *name,
		char error[RUN_ERROR_BYTES])
{
	unsigned int nr = 0;

	*compare = (struct compare){ .base = *base, .ours = core_own() ? 0 : COMPARE_POLICIES };
	if (core_own())
		compare->core[nr++] = core_own();
	for (unsigned int i = 0; i < nr_cores; i++)
		compare->core[nr++] = cores[i];
	compare->policies = compare->ours + nr;
	if (fill_rows(compare)) {
		snprintf(error, RUN_ERROR_BYTES, "%s: %s", name, strerror(ENOMEM));
		return -1;
	}
	for (unsigned int row = 0; row < compare->rows; row++)
		for (unsigned int policy = 0; policy < compare->policies; policy++)
			for (unsigned int style = 0; style < CAMERA_STYLES; style++)
				if (run_cell(compare, &compare->row[row].cell[policy][style], fd,
					     name, error))
					return -1;
	return 0;
}

void compare_free(struct compare *compare)
{
	for (unsigned int row = 0; row < compare->rows; row++)
		for (unsigned int policy = 0; policy < compare->policies; policy++)
			for (unsigned int style = 0; style < CAMERA_STYLES; style++)
				run_result_free(&compare->row[row].cell[policy][style].result);
	free(compare->row);
}

bool compare_exact(const struct compare *compare)
{
	for (unsigned int row = 0; row < compare->rows; row++)
		for (unsigned int policy = 0; policy < MAX(compare->ours, 1u); policy++)
			for (unsigned int style = 0; style < CAMERA_STYLES; style++)
				if (compare->row[row].cell[policy][style].result.wrong.found)
					return false;
	return true;
}

/* --- tables ----------------------------------------------------------------------------------- */

#define MACHINE_COLUMNS 26
#define LABEL_COLUMNS 20
#define STYLE_COLUMNS 26

/* What tables call a core: "linux-6.12" is wide enough without its system. */
static const char *core_title(const struct compare *compare, unsigned int core)
{
	const char *name = compare->core[core]->name, *dash = strchr(name, '-');

	return dash ? dash + 1 : name;
}

static int core_columns(const struct compare *compare, unsigned int core)
{
	/* Alone, it has the style's title above. */
	return MAX(compare->ours ? 9 : 17, (int)strlen(core_title(compare, core)) + 2);
}

static int policy_columns(const struct compare *compare)
{
	int columns = 8;

	for (unsigned int i = 0; i + compare->ours < compare->policies; i++)
		columns = MAX(columns, (int)strlen(compare->core[i]->name) + 2);
	return columns;
}

/* Nothing follows the last column, so it is not padded. */
static void print_cell(unsigned int style, const char *text, FILE *to)
{
	fprintf(to, "%-*s", style + 1 < CAMERA_STYLES ? STYLE_COLUMNS : 0, text);
}

static void print_styles(const struct compare *compare, FILE *to)
{
	fprintf(to, "%-*s", MACHINE_COLUMNS + policy_columns(compare), "");
	for (unsigned int style = 0; style < CAMERA_STYLES; style++) {
		char text[STYLE_COLUMNS];

		snprintf(text, sizeof(text), "camera %s", camera_style_names[style]);
		print_cell(style, text, to);
	}
	fputc('\n', to);
}

static void print_grid(const struct compare *compare, FILE *to)
{
	print_styles(compare, to);
	for (unsigned int i = 0; i < compare->rows; i++)
		for (unsigned int policy = 0; policy < compare->policies; policy++) {
			const struct compare_row *row = &compare->row[i];
			char text[REPORT_VERDICT_BYTES] = "";

			if (!policy)
				report_machine(&row->cell[0][0].config, text);
			fprintf(to, "%-*s%-*s", MACHINE_COLUMNS, text, policy_columns(compare),
				report_policy(&row->cell[policy][0].config));
			for (unsigned int style = 0; style < CAMERA_STYLES; style++) {
				report_verdict(&row->cell[policy][style].result, text);
				print_cell(style, text, to);
			}
			fputc('\n', to);
		}
}

/*
 * Without frames after the first round the table shows all frames, the machine's setup included; so
 * it always does of the time pinned, because a mapping that is kept is counted when it ends.
 */
static double cell_cost(const struct compare_cell *cell, enum dma_cost cost)
{
	const struct run_result *result = &cell->result;

	if (result->steady_frames && cost != DMA_COST_PINNED_NS)
		return report_per_frame(&result->steady, result->steady_frames, cost);
	return report_per_frame(&result->costs, result->frames, cost);
}

/* Ours say it by their exit status, and a run of one shows it. */
static void print_wrong_core(const struct compare_cell *cell, FILE *to)
{
	const struct wrong *wrong = &cell->result.wrong;
	char machine[REPORT_VERDICT_BYTES];

	report_machine(&cell->config, machine);
	fprintf(to,
		"  %s, %s, camera %s: frame %llu, byte %zu as the %s %s it; %llu of %llu frames\n",
		machine, report_policy(&cell->config), camera_style_names[cell->config.camera],
		(unsigned long long)wrong->frame, wrong->byte, stage_names[wrong->stage],
		wrong->read ? "read" : "wrote", (unsigned long long)cell->result.wrong_frames,
		(unsigned long long)cell->result.frames);
}

static void print_wrong_cores(const struct compare *compare, FILE *to)
{
	bool any = false;

	for (unsigned int i = 0; i < compare->rows; i++)
		for (unsigned int policy = compare->ours; policy < compare->policies; policy++)
			for (unsigned int style = 0; style < CAMERA_STYLES; style++) {
				const struct compare_cell *cell =
					&compare->row[i].cell[policy][style];

				if (!cell->result.wrong.found)
					continue;
				if (!any)
					fprintf(to, "\nfirst wrong bytes of other cores, and how "
						    "many frames are wrong\n");
				any = true;
				print_wrong_core(cell, to);
			}
}

static bool row_has_cost(const struct compare *compare, const struct compare_row *row,
			 enum dma_cost cost)
{
	for (unsigned int policy = 0; policy < compare->policies; policy++)
		for (unsigned int style = 0; style < CAMERA_STYLES; style++)
			if (cell_cost(&row->cell[policy][style], cost) != 0)
				return true;
	return false;
}

/* Nobody says how long Linux's buffers are pinned. */
static bool core_counts(enum dma_cost cost)
{
	return cost != DMA_COST_PINNED_NS;
}

static void print_ratio(double cached, double remap, FILE *to)
{
	char texts[2][16], ratio[16] = "-";

	report_format_number(cached, texts[0]);
	report_format_number(remap, texts[1]);
	if (remap > 0)
		snprintf(ratio, sizeof(ratio), "%.2f", cached / remap);
	fprintf(to, "%9s%9s%8s", texts[0], texts[1], ratio);
}

static void print_cost(const struct compare *compare, const struct compare_row *row,
		       enum dma_cost cost, FILE *to)
{
	fprintf(to, "  %-*s", LABEL_COLUMNS - 2, report_cost_label(cost));
	for (unsigned int style = 0; style < CAMERA_STYLES; style++) {
		char text[16];

		if (compare->ours)
			print_ratio(cell_cost(&row->cell[COMPARE_CACHED][style], cost),
				    cell_cost(&row->cell[COMPARE_REMAP][style], cost), to);
		for (unsigned int i = compare->ours; i < compare->policies; i++) {
			report_format_number(cell_cost(&row->cell[i][style], cost), text);
			fprintf(to, "%*s", core_columns(compare, i - compare->ours),
				core_counts(cost) ? text : "-");
		}
	}
	fputc('\n', to);
}

/* The columns of a style: ours with their ratio, then the other cores. */
static void print_cost_styles(const struct compare *compare, FILE *to)
{
	unsigned int cores = compare->policies - compare->ours;

	fprintf(to, "%-*s", LABEL_COLUMNS, "");
	for (unsigned int style = 0; style < CAMERA_STYLES; style++) {
		unsigned int first = compare->ours ? 0 : 1; /* of those without a title above */
		char text[STYLE_COLUMNS];

		snprintf(text, sizeof(text), "camera %s", camera_style_names[style]);
		fprintf(to, "%*s", first ? core_columns(compare, 0) : STYLE_COLUMNS, text);
		if (style + 1 == CAMERA_STYLES)
			break;
		for (unsigned int i = first; i < cores; i++)
			fprintf(to, "%*s", core_columns(compare, i), "");
	}
	fprintf(to, "\n%-*s", LABEL_COLUMNS, "");
	for (unsigned int style = 0; style < CAMERA_STYLES; style++) {
		if (compare->ours)
			fprintf(to, "%9s%9s%8s", "cached", "remap", "ratio");
		for (unsigned int i = 0; i < cores; i++)
			fprintf(to, "%*s", core_columns(compare, i), core_title(compare, i));
	}
	fputc('\n', to);
}

static void print_costs(const struct compare *compare, FILE *to)
{
	const struct run_result *any = &compare->row[0].cell[0][0].result;

	fprintf(to, "\ncounted costs per frame, ");
	if (any->steady_frames)
		fprintf(to, "after the first round of %u buffers", compare->base.buffers);
	else
		fprintf(to, "setup included");
	fprintf(to, "%s\n", compare->ours ? "; ratio: cached / remap" : "");
	print_cost_styles(compare, to);
	for (unsigned int i = 0; i < compare->rows; i++) {
		const struct compare_row *row = &compare->row[i];
		char text[REPORT_VERDICT_BYTES];

		report_machine(&row->cell[0][0].config, text);
		fprintf(to, "%s\n", text);
		for (unsigned int cost = 0; cost < DMA_COST_NR; cost++)
			if (row_has_cost(compare, row, cost))
				print_cost(compare, row, cost, to);
	}
}

void compare_print(const struct compare *compare, FILE *to)
{
	print_grid(compare, to);
	print_wrong_cores(compare, to);
	print_costs(compare, to);
}

struct json_object *compare_json(const struct compare *compare)
{
	struct json_object *array = json_object_new_array();

	for (unsigned int row = 0; array && row < compare->rows; row++)
		for (unsigned int policy = 0; policy < compare->policies; policy++)
			for (unsigned int style = 0; style < CAMERA_STYLES; style++) {
				const struct compare_cell *cell =
					&compare->row[row].cell[policy][style];
				struct json_object *run = report_json(&cell->config, &cell->result);

				if (!run || json_object_array_add(array, run)) {
					json_object_put(run);
					json_object_put(array);
					return NULL;
				}
			}
	return array;
}
