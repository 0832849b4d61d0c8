/* SPDX-License-Identifier: MIT */
/*
 * differential-fuzz.c - any bytes as a program of calls that must answer alike on every core
 *
 * RIVAL in the environment is the folder with Linux 6.12's cores, made by upstream/build with the same
 * compiler and sanitizers, so that what they do leads the search, too.
 *
 *	DIFFERENTIAL_SEEDS=FOLDER	write programs to begin with there, and end
 *	DIFFERENTIAL_BREAK=N		our core's N-th answer of each program is wrong: must be found
 *
 * What is found is printed as text: the case to keep in checker/differential/cases.c.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checker/differential/cases.h"
#include "upstream/rival.h"

#define SEEDS 64

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *one, size_t one_size, const uint8_t *other,
				 size_t other_size, uint8_t *out, size_t out_size,
				 unsigned int seed);

static differential_run_t notify, plain;
static int wrong_answer;

static void must(int holds, const char *what)
{
	if (!holds) {
		fprintf(stderr, "differential-fuzz: %s\n", what);
		abort();
	}
}

static differential_run_t load(const char *name)
{
	const char *folder = getenv("RIVAL");
	const struct rival *rival;
	char path[4096];
	void *object;

	must(folder != NULL, "RIVAL is not set");
	snprintf(path, sizeof(path), "%s/%s.so", folder, name);
	object = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	must(object != NULL, dlerror());
	rival = dlsym(object, "rival");
	must(rival && rival->rival_bytes == sizeof(*rival) &&
		     rival->trace_bytes == sizeof(struct trace),
	     "made from other sources");
	return rival->run_differential;
}

static void write_seed(const char *folder, const char *name, const struct program *program)
{
	uint8_t bytes[PROGRAM_BYTES_MAX];
	size_t size = program_encode(program, bytes);
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "wb");
	must(file && fwrite(bytes, 1, size, file) == size && !fclose(file), "a seed");
}

static void write_seeds(const char *folder)
{
	struct program program;
	char name[32];

	for (unsigned int i = 0; i < kept_cases_nr; i++) {
		snprintf(name, sizeof(name), "case-%u", i);
		must(!program_parse(&program, kept_cases[i].text), kept_cases[i].name);
		write_seed(folder, name, &program);
	}
	for (unsigned int i = 0; i < SEEDS; i++) {
		snprintf(name, sizeof(name), "random-%u", i);
		program_random(&program, i);
		write_seed(folder, name, &program);
	}
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *seeds = getenv("DIFFERENTIAL_SEEDS"), *wrong = getenv("DIFFERENTIAL_BREAK");

	if (seeds) {
		write_seeds(seeds);
		exit(0);
	}
	wrong_answer = wrong ? atoi(wrong) : 0;
	notify = load("linux-6.12-notify");
	plain = load("linux-6.12");
	return 0;
}

/* Our core, one of whose answers is another errno if that is wanted. */
static void run_ours(const struct program *program, bool remap, struct trace *trace)
{
	int left = wrong_answer;

	differential_run(program, remap, trace);
	for (unsigned int i = 0; left && i < trace->nr; i++) {
		struct event *event = &trace->events[i];

		if (event->kind == EVENT_RETURNED && event->value && !--left)
			event->value--;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct verdict verdict;
	static struct program program;
	static char text[8192];
	u64 unsent = 0;

	program_decode(&program, data, size);
	cores_compare(&program, run_ours, notify, plain, -1, &verdict, &unsent);
	if (verdict.same)
		return 0;
	program_print(&program, text, sizeof(text));
	fprintf(stderr, "%s%s", text, verdict.text);
	must(0, "the cores do not answer alike");
	return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	uint8_t bytes[PROGRAM_BYTES_MAX];
	struct program program;

	program_decode(&program, data, size);
	program_mutate(&program, seed);
	size = program_encode(&program, bytes);
	if (size > max_size)
		size = max_size;
	memcpy(data, bytes, size);
	return size;
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *one, size_t one_size, const uint8_t *other,
				 size_t other_size, uint8_t *out, size_t out_size,
				 unsigned int seed)
{
	struct program program, with;
	uint8_t bytes[PROGRAM_BYTES_MAX];
	size_t size;

	program_decode(&program, one, one_size);
	program_decode(&with, other, other_size);
	program_cross(&program, &with, seed);
	size = program_encode(&program, bytes);
	if (size > out_size)
		size = out_size;
	memcpy(out, bytes, size);
	return size;
}
