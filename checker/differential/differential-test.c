/* SPDX-License-Identifier: MIT */
/*
 * differential-test.c - programs of calls on both of our policies and on Linux 6.12's core: all answer
 * alike, but for the rows of a table, each of which is needed
 *
 * Linux's core is there when RIVAL names the folder that upstream/build made.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/kernel.h>

#include "cases.h"
#include "tests/ktap.h"
#include "upstream/rival.h"

#define SOME 40
#define MANY 4000

static struct verdict verdict;
static char text[8192];

static differential_run_t load(struct ktap *t, const char *name)
{
	const struct rival *rival = NULL;
	char path[4096];
	void *object;

	if (!getenv("RIVAL"))
		return NULL;
	snprintf(path, sizeof(path), "%s/%s.so", getenv("RIVAL"), name);
	object = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (object)
		rival = dlsym(object, "rival");
	if (!ktap_check(t, rival, __FILE__, __LINE__, "%s", dlerror()))
		return NULL;
	KT_EQ(t, rival->rival_bytes, sizeof(*rival));
	KT_EQ(t, rival->trace_bytes, sizeof(struct trace));
	return rival->run_differential;
}

/* Both of Linux's, or a skipped case. */
static bool load_both(struct ktap *t, differential_run_t rivals[2])
{
	rivals[0] = load(t, "linux-6.12-notify");
	rivals[1] = load(t, "linux-6.12");
	if (!getenv("RIVAL"))
		ktap_skip(t, "RIVAL names no folder with Linux's core (tests/upstream/differential "
			     "does)");
	return rivals[0] && rivals[1];
}

static bool compare(const struct program *program, differential_run_t *rivals, int without,
		    u64 *unsent)
{
	cores_compare(program, differential_run, rivals ? rivals[0] : NULL,
		      rivals ? rivals[1] : NULL, without, &verdict, unsent);
	return verdict.same;
}

static void check_program(struct ktap *t, const struct program *program, differential_run_t *rivals,
			  const char *name)
{
	u64 unsent = 0;

	if (compare(program, rivals, -1, &unsent))
		return;
	program_print(program, text, sizeof(text));
	ktap_check(t, false, __FILE__, __LINE__, "%s:\n%s%s", name, text, verdict.text);
}

/* --- programs --------------------------------------------------------------------------------- */

static bool same_programs(const struct program *one, const struct program *other)
{
	return one->machine == other->machine && one->improper == other->improper &&
	       one->nr == other->nr && !memcmp(one->ops, other->ops, one->nr * sizeof(*one->ops));
}

static void bytes_and_text_are_the_same_program(struct ktap *t)
{
	struct program program, again;
	u8 bytes[PROGRAM_BYTES_MAX];

	for (unsigned int seed = 0; seed < 200; seed++) {
		program_random(&program, seed);
		program_random(&again, seed + 1000);
		program_mutate(&program, seed);
		program_cross(&program, &again, seed);
		program_decode(&again, bytes, program_encode(&program, bytes));
		KT_CHECK(t, same_programs(&program, &again));
		program_print(&program, text, sizeof(text));
		KT_EQ(t, program_parse(&again, text), 0);
		KT_CHECK(t, same_programs(&program, &again));
	}
}

static void any_bytes_are_a_program(struct ktap *t)
{
	u8 bytes[PROGRAM_BYTES_MAX + 7];
	struct program program;

	memset(bytes, 0xff, sizeof(bytes));
	for (size_t size = 0; size <= sizeof(bytes); size++) {
		program_decode(&program, bytes, size);
		KT_CHECK(t, program.nr <= PROGRAM_OPS);
		for (unsigned int i = 0; i < program.nr; i++)
			KT_CHECK(t, program.ops[i].code < OP_NR);
	}
	KT_EQ(t, program.nr, PROGRAM_OPS);
}

static void wrong_text_is_refused(struct ktap *t)
{
	static const struct {
		const char *text;
		int line;
	} texts[] = {
		{ "", 0 },
		{ "# nothing\n\nexport kind=1\n", 0 },
		{ "machine none\n", 1 },
		{ "\nexprot\n", 2 },
		{ "export kind\n", 1 },
		{ "export kind=\n", 1 },
		{ "export kind=256\n", 1 },
		{ "export device=own\n", 1 },
		{ "map dir=sideways\n", 1 },
		{ "export how=64\n", 1 },
		{ "7: export\n", 1 },
	};
	struct program program;

	for (unsigned int i = 0; i < ARRAY_SIZE(texts); i++)
		KT_EQ(t, program_parse(&program, texts[i].text), texts[i].line);
}

static void a_program_runs_the_same_again(struct ktap *t)
{
	static struct trace one, other;
	struct program program;

	for (unsigned int seed = 0; seed < SOME; seed++) {
		program_random(&program, seed);
		for (int remap = 0; remap < 2; remap++) {
			differential_run(&program, remap, &one);
			differential_run(&program, remap, &other);
			KT_EQ(t, one.nr, other.nr);
			KT_EQ(t, memcmp(one.events, other.events, one.nr * sizeof(*one.events)), 0);
		}
	}
}

/* --- cores ------------------------------------------------------------------------------------ */

static void both_policies_answer_alike(struct ktap *t)
{
	struct program program;
	char name[32];

	for (unsigned int seed = 0; seed < (ktap_long ? MANY : SOME); seed++) {
		snprintf(name, sizeof(name), "seed %u", seed);
		program_random(&program, seed);
		check_program(t, &program, NULL, name);
	}
}

static void linux_answers_alike(struct ktap *t)
{
	differential_run_t rivals[2];
	struct program program;
	char name[32];

	if (!load_both(t, rivals))
		return;
	for (unsigned int seed = 0; seed < (ktap_long ? MANY : 4 * SOME); seed++) {
		snprintf(name, sizeof(name), "seed %u", seed);
		program_random(&program, seed);
		check_program(t, &program, rivals, name);
	}
}

static void parse(struct ktap *t, const struct kept_case *kept, struct program *program)
{
	ktap_check(t, !program_parse(program, kept->text), __FILE__, __LINE__, "%s", kept->name);
}

static void kept_programs_on_ours(struct ktap *t)
{
	struct program program;

	for (unsigned int i = 0; i < kept_cases_nr; i++) {
		parse(t, &kept_cases[i], &program);
		check_program(t, &program, NULL, kept_cases[i].name);
	}
}

static void kept_programs_on_linux(struct ktap *t)
{
	differential_run_t rivals[2];
	struct program program;

	if (!load_both(t, rivals))
		return;
	for (unsigned int i = 0; i < kept_cases_nr; i++) {
		parse(t, &kept_cases[i], &program);
		check_program(t, &program, rivals, kept_cases[i].name);
	}
}

static void what_is_not_sent_is_met(struct ktap *t)
{
	struct program program;
	u64 unsent = 0;

	for (unsigned int i = 0; i < kept_cases_nr; i++) {
		parse(t, &kept_cases[i], &program);
		compare(&program, NULL, -1, &unsent);
	}
	for (unsigned int i = 0; i < UNSENT_NR; i++)
		ktap_check(t, unsent & 1ull << i, __FILE__, __LINE__, "no program kept: %s",
			   unsent_reasons[i]);
}

static const struct kept_case *case_of(const struct difference *row)
{
	for (unsigned int i = 0; i < kept_cases_nr; i++)
		if (!strcmp(kept_cases[i].name, row->name))
			return &kept_cases[i];
	return NULL;
}

/* Without its row the program of that name does not answer alike; with it, it does. */
static void each_difference_is_one(struct ktap *t)
{
	differential_run_t rivals[2];
	struct program program;
	u64 unsent;

	if (!load_both(t, rivals))
		return;
	for (unsigned int r = 0; r < differences_nr; r++) {
		const struct kept_case *kept = case_of(&differences[r]);

		if (!ktap_check(t, kept, __FILE__, __LINE__, "no program for %s",
				differences[r].name))
			continue;
		parse(t, kept, &program);
		ktap_check(t, !compare(&program, rivals, r, &unsent), __FILE__, __LINE__,
			   "not needed: %s", kept->name);
	}
}

KTAP_MAIN(KTAP_CASE(bytes_and_text_are_the_same_program), KTAP_CASE(any_bytes_are_a_program),
	  KTAP_CASE(wrong_text_is_refused), KTAP_CASE(a_program_runs_the_same_again),
	  KTAP_CASE(both_policies_answer_alike), KTAP_CASE(linux_answers_alike),
	  KTAP_CASE(kept_programs_on_ours), KTAP_CASE(kept_programs_on_linux),
	  KTAP_CASE(what_is_not_sent_is_met), KTAP_CASE(each_difference_is_one))
