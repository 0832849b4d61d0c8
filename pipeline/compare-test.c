/* SPDX-License-Identifier: MIT */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dma/machine.h"
#include "pipeline/compare.h"
#include "pipeline/core.h"
#include "pipeline/input.h"
#include "pipeline/report.h"
#include "tests/ktap.h"
#include "upstream/rival.h"

#define FRAMES 5

static char error[RUN_ERROR_BYTES];

static void write_stream(int fd)
{
	dprintf(fd, "YUV4MPEG2 W16 H8 Cmono\n");
	for (int frame = 0; frame < FRAMES; frame++) {
		dprintf(fd, "FRAME\n");
		for (int i = 0; i < 16 * 8; i++)
			dprintf(fd, "%c", i * 37 + frame * 11);
	}
}

static int stream(void)
{
	int fd = memfd_create("compare-test", 0);

	write_stream(fd);
	return fd;
}

static struct run_config base_config(void)
{
	return (struct run_config){
		.buffers = 2,
		.fault_frame = RUN_NO_FAULT,
		.seed = 1,
		.out_fd = -1,
	};
}

/* All that was printed; free() it. */
static char *printed(const struct compare *compare)
{
	size_t size;
	char *text;
	FILE *file = open_memstream(&text, &size);

	compare_print(compare, file);
	fclose(file);
	return text;
}

static unsigned int count_of(const char *text, const char *word)
{
	unsigned int count = 0;

	for (; (text = strstr(text, word)); text += strlen(word))
		count++;
	return count;
}

static void every_cell_is_there_and_exact(struct ktap *t)
{
	struct run_config base = base_config();
	struct json_object *runs;
	struct compare compare;
	unsigned int cells;
	int fd = stream();
	char *text;

	KT_EQ(t, compare_run(&compare, &base, NULL, 0, fd, "stream", error), 0);
	KT_CHECK(t, compare_exact(&compare));
	/* Five machines; those whose devices do not snoop again, with a GPU that does. */
	KT_EQ(t, compare.rows, 7);
	cells = compare.rows * COMPARE_POLICIES * CAMERA_STYLES;
	text = printed(&compare);
	KT_EQ(t, count_of(text, "exact"), cells);
	for (const struct machine_type *type = machine_types; type->name; type++)
		KT_CHECK(t, strstr(text, type->name));
	free(text);

	runs = compare_json(&compare);
	KT_EQ(t, json_object_array_length(runs), cells);
	for (unsigned int i = 0; i < cells; i++) {
		struct json_object *run = json_object_array_get_idx(runs, i), *value;

		KT_CHECK(t, json_object_object_get_ex(run, "exact", &value) &&
				    json_object_get_boolean(value));
		KT_CHECK(t, json_object_object_get_ex(run, "frames", &value) &&
				    json_object_get_int(value) == FRAMES);
		KT_CHECK(t, json_object_object_get_ex(run, "first_wrong", &value) && !value);
		KT_CHECK(t, json_object_object_get_ex(run, "per_frame", &value) &&
				    json_object_object_length(value) == DMA_COST_NR);
		KT_CHECK(t, json_object_object_get_ex(run, "steady", &value) &&
				    json_object_object_length(value) == DMA_COST_NR);
	}
	json_object_put(runs);
	compare_free(&compare);
	close(fd);
}

/* A wrong cell is seen: the verdict is put there by hand. */
static void one_wrong_cell_is_named(struct ktap *t)
{
	struct run_config base = base_config();
	struct compare compare;
	struct wrong *wrong;
	int fd = stream();
	char *text;

	KT_EQ(t, compare_run(&compare, &base, NULL, 0, fd, "stream", error), 0);
	wrong = &compare.row[1].cell[COMPARE_REMAP][CAMERA_KEEP].result.wrong;
	*wrong = (struct wrong){ .found = true, .frame = 3, .stage = STAGE_GPU, .byte = 7 };
	KT_CHECK(t, !compare_exact(&compare));
	text = printed(&compare);
	KT_EQ(t, count_of(text, "stale at frame 3, gpu"), 1);
	free(text);
	compare_free(&compare);
	close(fd);
}

static int other_calls;

static int other_run(const struct run_config *config, struct y4m_reader *reader,
		     struct run_result *result, char *text)
{
	int ret = run_pipeline(config, reader, result, text);

	other_calls++;
	if (config->machine == machine_type_find("bounce"))
		result->wrong = (struct wrong){ .found = true, .stage = STAGE_ISP, .byte = 64 };
	return ret;
}

/* Another core is a policy more, and its wrong bytes are its own. */
static void other_cores_have_their_place(struct ktap *t)
{
	static const struct rival other = {
		.name = "other-core",
		.machine_type_find = machine_type_find,
		.run_pipeline = other_run,
	};
	static const struct rival *const cores[] = { &other };
	struct run_config base = base_config();
	struct json_object *runs, *value;
	struct compare compare;
	unsigned int cells;
	int fd = stream();
	char *text;

	KT_EQ(t, compare_run(&compare, &base, cores, 1, fd, "stream", error), 0);
	KT_EQ(t, compare.policies, COMPARE_POLICIES + 1);
	KT_EQ(t, other_calls, compare.rows * CAMERA_STYLES);
	KT_CHECK(t, compare_exact(&compare));
	text = printed(&compare);
	KT_EQ(t, count_of(text, "stale at frame 0, isp"), CAMERA_STYLES);
	KT_EQ(t, count_of(text, "byte 64 as the isp wrote it"), CAMERA_STYLES);
	KT_CHECK(t, strstr(text, "other-core"));
	free(text);

	runs = compare_json(&compare);
	cells = compare.rows * compare.policies * CAMERA_STYLES;
	KT_EQ(t, json_object_array_length(runs), cells);
	json_object_object_get_ex(json_object_array_get_idx(runs, cells - 1), "policy", &value);
	KT_EQ(t, strcmp(json_object_get_string(value), "other-core"), 0);
	json_object_put(runs);
	compare_free(&compare);
	close(fd);
}

static void a_core_that_is_not_there(struct ktap *t)
{
	KT_CHECK(t, !core_load("none", error));
	KT_CHECK(t, strstr(error, "none.so"));
	KT_CHECK(t, !core_load("/dev/null", error));
	KT_CHECK(t, error[0]);
}

static void a_broken_stream_ends_it(struct ktap *t)
{
	struct run_config base = base_config();
	struct compare compare;
	int fd = stream();

	if (ftruncate(fd, lseek(fd, 0, SEEK_END) - 1))
		abort();
	KT_EQ(t, compare_run(&compare, &base, NULL, 0, fd, "stream", error), -1);
	KT_CHECK(t, strstr(error, "stream: byte") && strstr(error, "frame 4"));
	compare_free(&compare);
	close(fd);
}

/* Standard input is a pipe: kept whole, or as much of it as the frames asked for need. */
static void a_pipe_is_kept(struct ktap *t)
{
	char input_error[INPUT_ERROR_BYTES];
	struct input input;

	for (unsigned int frames = 0; frames < 3; frames++) {
		int saved = dup(STDIN_FILENO), fds[2];

		KT_ASSERT(t, !pipe(fds));
		if (!fork()) {
			write_stream(fds[1]);
			_exit(0);
		}
		close(fds[1]);
		dup2(fds[0], STDIN_FILENO);
		KT_EQ(t, input_open(&input, "-", true, frames, input_error), 0);
		KT_EQ(t, input_count_frames(&input, frames), frames ? frames : FRAMES);
		/* And again: it stands at its start. */
		KT_EQ(t, input_count_frames(&input, 1), 1);
		input_close(&input);
		close(fds[0]);
		wait(NULL);
		dup2(saved, STDIN_FILENO);
		close(saved);
	}
}

static void numbers_are_short(struct ktap *t)
{
	static const struct {
		double value;
		const char *text;
	} numbers[] = {
		{ 0, "0" },         { 0.25, "0.25" },   { 12, "12" },          { 99.5, "99.50" },
		{ 1234.5, "1234" }, { 38016, "38016" }, { 12345678, "12.3M" },
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		char text[16];

		report_format_number(numbers[i].value, text);
		KT_CHECK(t, !strcmp(text, numbers[i].text));
	}
}

KTAP_MAIN(KTAP_CASE(every_cell_is_there_and_exact), KTAP_CASE(one_wrong_cell_is_named),
	  KTAP_CASE(other_cores_have_their_place), KTAP_CASE(a_core_that_is_not_there),
	  KTAP_CASE(a_broken_stream_ends_it), KTAP_CASE(a_pipe_is_kept),
	  KTAP_CASE(numbers_are_short))
