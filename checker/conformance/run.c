/* SPDX-License-Identifier: MIT */
/*
 * run.c - see run.h
 */
#include <linux/printk.h>

#include <fnmatch.h>

#include "run.h"

extern const struct world_group buffer_group, attach_group, map_group, move_group, fence_group,
	cpu_group, file_group, bytes_group;

const struct world_group *const conformance_groups[] = { &buffer_group, &attach_group, &map_group,
							 &move_group,   &fence_group,  &cpu_group,
							 &file_group,   &bytes_group,  NULL };

bool conformance_wanted(const char *name, char *const *patterns, int nr)
{
	for (int i = 0; i < nr; i++)
		if (!fnmatch(patterns[i], name, 0))
			return true;
	return !nr;
}

unsigned int conformance_count(char *const *patterns, int nr)
{
	unsigned int count = 0;

	for (const struct world_group *const *g = conformance_groups; *g; g++)
		for (unsigned int i = 0; i < (*g)->nr; i++)
			count += conformance_wanted((*g)->cases[i].name, patterns, nr);
	return count;
}

static void run_case(const struct world_case *c, const struct conformance_request *request,
		     struct conformance_result *result)
{
	static struct world w;

	result->running = c;
	result->text = result->answers = result->asked = "";
	result->number++;
	if ((c->not_on.cores & request->core) && !request->fatal) {
		result->verdict = CONFORMANCE_SKIPPED;
		result->text = c->not_on.why;
		return;
	}
	world_begin(&w, c, request->core);
	world_run(&w);
	world_end(&w);
	result->verdict = w.problem[0] ? CONFORMANCE_FAILED : CONFORMANCE_PASSED;
	result->text = w.problem;
	result->answers = w.answers;
	result->asked = w.log;
}

unsigned int conformance_run(const struct conformance_request *request)
{
	struct conformance_result result = {
		.count = conformance_count(request->patterns, request->nr),
	};
	int level = host_printk_level(2);
	unsigned int failed = 0;

	for (const struct world_group *const *g = conformance_groups; *g; g++) {
		for (unsigned int i = 0; i < (*g)->nr; i++) {
			if (!conformance_wanted((*g)->cases[i].name, request->patterns,
						request->nr))
				continue;
			run_case(&(*g)->cases[i], request, &result);
			failed += result.verdict == CONFORMANCE_FAILED;
			request->told(&result, request->context);
		}
	}
	host_printk_level(level);
	return failed;
}
