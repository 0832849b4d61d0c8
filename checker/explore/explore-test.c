/* SPDX-License-Identifier: MIT */
/*
 * explore-test.c - the core is clean as far as this goes, and the explorer can fail
 *
 * Every planted fault is found, with the shortest program there is.  What it rests on is tried too:
 * the arena brings back what was saved, and states held equal lead to equal states.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/kernel.h>
#include <linux/slab.h>

#include "checker/explore/arena.h"
#include "checker/explore/jobs.h"
#include "tests/ktap.h"

static struct explore_result result;

static enum explore_verdict run(const struct explore_config *config)
{
	explore_run(config, &result);
	return result.verdict;
}

static void clean(struct ktap *t, const struct explore_config *config)
{
	ktap_check(t, run(config) == EXPLORE_CLEAN, __FILE__, __LINE__, "%s on %s: %s",
		   config->agents, explore_exporter_names[config->exporter], result.text);
	KT_CHECK(t, result.at.length == config->ops);
}

/* --- the core --------------------------------------------------------------------------------- */

static void every_pair_is_clean(struct ktap *t)
{
	unsigned int nr = explore_worlds(NULL), ops = ktap_long ? 5 : 3;
	struct explore_job *jobs = explore_jobs(nr);

	KT_ASSERT(t, jobs);
	explore_worlds(jobs);
	for (unsigned int i = 0; i < nr; i++) {
		jobs[i].config.ops = ops;
		clean(t, &jobs[i].config);
	}
}

/* A line in the middle has both its edges inside the buffer. */
static void three_lines_are_clean(struct ktap *t)
{
	clean(t,
	      &(struct explore_config){ .agents = "cpu,nc", .ops = ktap_long ? 8 : 5, .lines = 3 });
	clean(t,
	      &(struct explore_config){ .agents = "cpu,b", .ops = ktap_long ? 6 : 4, .lines = 3 });
}

/* Between its maps and not during, and then it is taken away; who has told what, and who has not. */
static void moves_are_clean(struct ktap *t)
{
	static const char *const agents[] = { "cpu,nc", "cpu,b", "cpu,dnc" };

	for (unsigned int i = 0; i < ARRAY_SIZE(agents); i++)
		clean(t, &(struct explore_config){ .exporter = EXPLORE_MOVES,
						   .agents = agents[i],
						   .ops = ktap_long ? 8 : 5 });
}

/* The named case: a mapping goes while the CPU writes. */
static void a_slot_leaves_beside_a_writer(struct ktap *t)
{
	static const char *const agents[] = { "cpu,nc", "cpu,b" };

	for (unsigned int i = 0; i < ARRAY_SIZE(agents); i++) {
		clean(t, &(struct explore_config){ .agents = agents[i], .ops = 7 });
		KT_CHECK(t, result.at.leaves > 0);
	}
}

/* Nor maps to write while it is being mapped: the core would be blamed for a program's mistake. */
static void nobody_writes_beside_a_fresh_mapping(struct ktap *t)
{
	clean(t, &(struct explore_config){
			 .exporter = EXPLORE_UNCACHED, .agents = "cpu,own,nc", .ops = 7 });
}

/* One line, one device: no longer program leads anywhere new. */
static void a_small_world_is_explored_to_its_end(struct ktap *t)
{
	clean(t, &(struct explore_config){ .agents = "cpu,nc", .ops = 40, .lines = 1 });
	KT_CHECK(t, result.at.closed);
}

/* --- it can fail ------------------------------------------------------------------------------ */

static const struct {
	enum explore_fault fault;
	const char *agents;
	unsigned int ops; /* of the shortest program */
	const char *why;  /* part of what is said */
	enum explore_exporter exporter;
	unsigned int lines;
} faults[] = {
	{ EXPLORE_NO_SYNC, "cpu,nc", 2, "(EX1)" },
	{ EXPLORE_ONE_SYNC_LESS, "cpu,nc", 2, "(EX1)" },
	{ EXPLORE_UNMAP_SYNCS, "cpu,nc", 7, "(EX1)" },
	{ EXPLORE_UNMAP_SYNCS, "cpu,b", 7, "(EX1)" },
	{ EXPLORE_MAP_WIDER, "cpu,nc", 2, "(EX2)" },
	{ EXPLORE_MAP_WIDER, "cpu,co", 2, "(EX2)" },
	{ EXPLORE_NO_CPU_BEGIN, "cpu,nc", 4, "(EX1)" },
	{ EXPLORE_NO_CPU_BEGIN, "cpu,b", 4, "(EX1)" },
	{ EXPLORE_NO_DEVICE_SYNC, "cpu,nc", 6, "(EX1)" },
	{ EXPLORE_NO_DEVICE_SYNC, "cpu,b", 6, "(EX1)" },
	{ EXPLORE_LOSES_SLOT, "cpu,b", 4, "(EX1)" },
	{ EXPLORE_KEEPS_ADDRESS, "cpu,nc", 5, "(EX2)" },
	{ EXPLORE_TWO_CALLS, "cpu,nc", 4, "(EX1)" },
	{ EXPLORE_LEAKS, "cpu,co", 5, "(EX3)" },
	{ EXPLORE_MOVE_UNTOLD, "cpu,nc", 2, "(EX1)", EXPLORE_MOVES },
	{ EXPLORE_MOVE_NO_FREEZE, "cpu,nc", 7, "(EX1)", EXPLORE_MOVES, 1 },
	{ EXPLORE_REUSES_EARLY, "cpu,nc", 3, "(EX2)", EXPLORE_MOVES },
	{ EXPLORE_REUSES_EARLY, "cpu,dnc", 3, "(EX2)", EXPLORE_MOVES },
};

static unsigned int lines_of(const char *text)
{
	unsigned int nr = 0;

	for (; (text = strchr(text, '\n')); text++)
		nr++;
	return nr;
}

static void faults_are_found(struct ktap *t)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(faults); i++) {
		struct explore_config config = { .agents = faults[i].agents,
						 .fault = faults[i].fault,
						 .exporter = faults[i].exporter,
						 .lines = faults[i].lines,
						 .ops = faults[i].ops };
		const char *name = explore_fault_names[config.fault];

		ktap_check(t,
			   run(&config) == EXPLORE_VIOLATED && result.ops == faults[i].ops &&
				   strstr(result.text, faults[i].why),
			   __FILE__, __LINE__, "%s, %s: not found as it should be: %s", name,
			   config.agents, result.text);
		KT_CHECK(t, lines_of(result.text) > faults[i].ops);
		/* Who does nothing beside others does not find this one. */
		config.alone = true;
		if (config.fault == EXPLORE_TWO_CALLS)
			KT_EQ(t, run(&config), EXPLORE_CLEAN);
		config.alone = false;
		config.ops--;
		ktap_check(t, run(&config) == EXPLORE_CLEAN, __FILE__, __LINE__,
			   "%s, %s: found sooner: %s", name, config.agents, result.text);
	}
	/* None is left out. */
	for (unsigned int fault = EXPLORE_SOUND + 1; fault < EXPLORE_FAULTS; fault++) {
		unsigned int i = 0;

		while (i < ARRAY_SIZE(faults) && faults[i].fault != fault)
			i++;
		KT_CHECK(t, i < ARRAY_SIZE(faults));
	}
}

/* --- what it rests on ------------------------------------------------------------------------- */

static void equal_states_go_equal_ways(struct ktap *t)
{
	static const struct explore_config configs[] = {
		{ .agents = "cpu,nc,b", .ops = 4, .verify = 6 },
		{ .agents = "cpu,vmap,b", .ops = 4, .verify = 6 },
		{ .agents = "cpu,co,nc", .ops = 4, .verify = 6, .exporter = EXPLORE_NARROW },
		{ .agents = "cpu,b,dnc", .ops = 4, .verify = 6, .exporter = EXPLORE_PINS },
		{ .agents = "cpu,b,again", .ops = 4, .verify = 6 },
		{ .agents = "own,nc,again", .ops = 4, .verify = 6, .exporter = EXPLORE_BLIND },
		{ .agents = "cpu,own,co", .ops = 4, .verify = 6, .exporter = EXPLORE_UNCACHED },
		{ .agents = "cpu,b,dnc", .ops = 4, .verify = 12, .exporter = EXPLORE_MOVES },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(configs); i++) {
		struct explore_config config = configs[i];

		config.ops += 2 * ktap_long;
		clean(t, &config);
		KT_CHECK(t, result.at.compared > 50);
	}
}

/* The same again, in one process: nothing is left of the first. */
static void it_can_be_repeated(struct ktap *t)
{
	const struct explore_config config = { .agents = "cpu,nc,b", .ops = 4 };
	struct explore_progress first;

	clean(t, &config);
	first = result.at;
	clean(t, &config);
	KT_EQ(t, result.at.states, first.states);
	KT_EQ(t, result.at.steps, first.steps);
	KT_CHECK(t, result.at.programs == first.programs && first.programs > 1000);
}

static void limits_end_it(struct ktap *t)
{
	struct explore_config config = { .agents = "cpu,nc,b", .ops = 30, .states = 1000 };

	KT_EQ(t, run(&config), EXPLORE_STOPPED);
	KT_CHECK(t, result.at.states >= 1000 && result.at.length > 1 && result.at.length < 30);
	config.states = 0;
	config.ms = 50;
	KT_EQ(t, run(&config), EXPLORE_STOPPED);
}

static void what_is_no_world_is_refused(struct ktap *t)
{
	static const char *const wrong[] = { "",      "cpu,",      "gpu",      "cpu,co,nc,b,ns",
					     "again", "cpu,again", "own,again" };
	const struct explore_config owner = { .agents = "cpu,own,nc",
					      .exporter = EXPLORE_MOVES,
					      .ops = 1 };

	for (unsigned int i = 0; i < ARRAY_SIZE(wrong); i++) {
		KT_CHECK(t, explore_parse(wrong[i]));
		KT_EQ(t, run(&(struct explore_config){ .agents = wrong[i], .ops = 1 }),
		      EXPLORE_UNTRIED);
		KT_CHECK(t, result.text[0]);
	}
	KT_CHECK(t, !explore_parse("cpu,co,nc,b"));
	KT_EQ(t, run(&owner), EXPLORE_UNTRIED);
	KT_CHECK(t, strstr(result.text, "device"));
}

static void the_arena_brings_back(struct ktap *t)
{
	static char outside[4] = "abc";
	char *copy, *p, *q;

	KT_ASSERT(t, !arena_open());
	KT_CHECK(t, arena_region(outside, sizeof(outside)));
	p = kmalloc(100, GFP_KERNEL);
	q = kzalloc_aligned(64, 64, GFP_KERNEL);
	OPTIMIZER_HIDE_VAR(p); /* else it is known that nobody else can know where it points to */
	strcpy(p, "kept");
	KT_CHECK(t, !((unsigned long)q % 64) && !q[63] && arena_objects() == 2);

	arena_close();
	copy = kmalloc(arena_bytes(0), GFP_KERNEL);
	arena_save(copy);
	outside[0] = 'x';
	strcpy(p, "gone");
	arena_restore(copy);
	KT_CHECK(t, !strcmp(p, "kept") && outside[0] == 'a');
	kfree(copy);
}

static void the_arena_finds_what_is_wrong(struct ktap *t)
{
	char *p, *q;

	KT_ASSERT(t, !arena_open());
	p = kmalloc(40, GFP_KERNEL);
	q = krealloc(p, 4000, GFP_KERNEL);
	KT_CHECK(t, q != p && arena_objects() == 1 && !arena_error());
	p = kmalloc(40, GFP_KERNEL);
	kfree(p);
	KT_CHECK(t, p[0] == p[39] && p[0]);
	KT_CHECK(t, kmalloc(40, GFP_KERNEL) == p);
	kfree(p);
	kfree(p);
	KT_CHECK(t, strstr(arena_error(), "twice"));
	KT_CHECK(t, !kmalloc(8 << 20, GFP_KERNEL));
	kfree(q);
	KT_EQ(t, arena_objects(), 0);
	arena_close();
}

static void told(const struct explore_job *job, void *context)
{
	++*(unsigned int *)context;
}

/* What the parent has explored before leaves nothing that its children share. */
static void jobs_run_in_children(struct ktap *t)
{
	const struct explore_config config = { .agents = "cpu,nc", .ops = 5 };
	struct explore_job *jobs = explore_jobs(4);
	unsigned int nr = 0;
	struct explore_listener listener = { told, told, &nr };

	KT_ASSERT(t, jobs);
	clean(t, &config);
	for (unsigned int i = 0; i < 4; i++)
		jobs[i].config = config;
	jobs[1].config.fault = EXPLORE_NO_SYNC;
	jobs[2].config.agents = "none";
	KT_EQ(t, explore_run_jobs(jobs, 4, 2, &listener), 0);
	KT_CHECK(t, nr >= 4);
	for (unsigned int i = 0; i < 4; i += 3)
		ktap_check(t, jobs[i].result.verdict == EXPLORE_CLEAN, __FILE__, __LINE__, "%s",
			   jobs[i].result.text);
	KT_EQ(t, jobs[1].result.verdict, EXPLORE_VIOLATED);
	KT_EQ(t, jobs[2].result.verdict, EXPLORE_UNTRIED);
	clean(t, &config);
}

struct order {
	const struct explore_job *first;
	unsigned int told;
	bool kept;
};

static void told_in_order(const struct explore_job *job, void *context)
{
	struct order *order = context;

	order->kept = order->kept && job - order->first == order->told;
	order->told++;
}

static void told_nothing(const struct explore_job *job, void *context)
{
}

static void jobs_are_told_in_their_order(struct ktap *t)
{
	struct explore_job *jobs = explore_jobs(3);
	struct order order = { jobs, 0, true };
	struct explore_listener listener = { told_in_order, told_nothing, &order };

	KT_ASSERT(t, jobs);
	for (unsigned int i = 0; i < 3; i++)
		jobs[i].config = (struct explore_config){ .agents = "cpu,nc,b", .ops = i ? 1 : 4 };
	KT_EQ(t, explore_run_jobs(jobs, 3, 3, &listener), 0);
	KT_EQ(t, order.told, 3);
	KT_CHECK(t, order.kept);
}

/* Ends the job after the one that is done, which runs beside it. */
static void end_the_next(const struct explore_job *job, void *context)
{
	if (job[1].pid > 0)
		kill(job[1].pid, *(int *)context);
}

static void a_child_that_dies_is_told(struct ktap *t)
{
	static const struct {
		int signal;
		enum explore_verdict verdict;
	} ends[] = { { SIGABRT, EXPLORE_VIOLATED }, { SIGKILL, EXPLORE_UNTRIED } };

	for (unsigned int i = 0; i < ARRAY_SIZE(ends); i++) {
		int signal = ends[i].signal;
		struct explore_listener listener = { end_the_next, end_the_next, &signal };
		struct explore_job *jobs = explore_jobs(3);
		char said[32];

		KT_ASSERT(t, jobs);
		jobs[0].config = (struct explore_config){ .agents = "cpu,nc", .ops = 2 };
		jobs[1].config = (struct explore_config){ .agents = "cpu,nc,b", .ops = 30 };
		KT_EQ(t, explore_run_jobs(jobs, 2, 2, &listener), 0);
		KT_EQ(t, jobs[0].result.verdict, EXPLORE_CLEAN);
		KT_EQ(t, jobs[1].result.verdict, ends[i].verdict);
		snprintf(said, sizeof(said), "ended by signal %d,", signal);
		KT_CHECK(t, strstr(jobs[1].result.text, said));
	}
}

/* --- a page ----------------------------------------------------------------------------------- */

/* Is @part in the file at @path? */
static bool holds(const char *path, const char *part)
{
	FILE *file = fopen(path, "r");
	char *page = NULL;
	size_t room = 0;
	bool found = file && getdelim(&page, &room, '\0', file) > 0 && strstr(page, part);

	if (file)
		fclose(file);
	free(page);
	return found;
}

static void a_program_is_drawn(struct ktap *t)
{
	char path[] = "/tmp/explore-XXXXXX";
	struct explore_config config = { .agents = "cpu,nc", .ops = 3, .report = path };
	int fd = mkstemp(path);

	KT_ASSERT(t, fd >= 0);
	close(fd);
	clean(t, &config);
	KT_EQ(t, result.report_error, 0);
	KT_CHECK(t, holds(path, "Nothing is violated.") && holds(path, "\"text\":\"cpu "));
	clean(t, &config); /* the drawing has left the world as it was */

	config.fault = EXPLORE_UNMAP_SYNCS;
	config.ops = 8;
	KT_EQ(t, run(&config), EXPLORE_VIOLATED);
	KT_EQ(t, result.report_error, 0);
	KT_CHECK(t, holds(path, "It ends so: ") && !holds(path, "Nothing is violated."));
	unlink(path);

	config.report = "/dev/full";
	KT_EQ(t, run(&config), EXPLORE_VIOLATED);
	KT_EQ(t, result.report_error, -ENOSPC);
}

KTAP_MAIN(KTAP_CASE(every_pair_is_clean), KTAP_CASE(three_lines_are_clean),
	  KTAP_CASE(moves_are_clean), KTAP_CASE(a_slot_leaves_beside_a_writer),
	  KTAP_CASE(nobody_writes_beside_a_fresh_mapping),
	  KTAP_CASE(a_small_world_is_explored_to_its_end), KTAP_CASE(faults_are_found),
	  KTAP_CASE(equal_states_go_equal_ways), KTAP_CASE(it_can_be_repeated),
	  KTAP_CASE(limits_end_it), KTAP_CASE(what_is_no_world_is_refused),
	  KTAP_CASE(the_arena_brings_back), KTAP_CASE(the_arena_finds_what_is_wrong),
	  KTAP_CASE(a_program_is_drawn), KTAP_CASE(jobs_run_in_children),
	  KTAP_CASE(jobs_are_told_in_their_order), KTAP_CASE(a_child_that_dies_is_told))
