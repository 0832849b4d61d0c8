/* SPDX-License-Identifier: MIT */
/*
 * conformance-test.c - every case on our core, under either policy, and what a table must say
 */
#include <stdio.h>
#include <string.h>

#include "run.h"

static unsigned int number;
static const char *policy;

static void told(const struct conformance_result *result, void *context)
{
	printf("%s %u - %s %s", result->verdict == CONFORMANCE_FAILED ? "not ok" : "ok", ++number,
	       policy, result->running->name);
	if (result->verdict == CONFORMANCE_SKIPPED)
		printf(" # SKIP %s", result->text);
	else if (result->text[0])
		printf("\n# %s", result->text);
	putchar('\n');
	fflush(stdout);
}

/* Each has a name of its own below its group, a rule and a source; each exception a reason. */
static bool says_all(const struct world_group *group, const struct world_case *c)
{
	const struct world_exception *exceptions[] = { &c->otherwise, &c->also, &c->not_on };
	size_t len = strlen(group->name);

	for (unsigned int i = 0; i < ARRAY_SIZE(exceptions); i++)
		if (!exceptions[i]->cores != !exceptions[i]->why)
			return false;
	for (const struct world_case *before = group->cases; before < c; before++)
		if (!strcmp(before->name, c->name))
			return false;
	return !strncmp(c->name, group->name, len) && c->name[len] == '.' && c->rule && c->source &&
	       c->run;
}

static unsigned int wanting(void)
{
	unsigned int count = 0;

	for (const struct world_group *const *g = conformance_groups; *g; g++) {
		for (unsigned int i = 0; i < (*g)->nr; i++) {
			if (says_all(*g, &(*g)->cases[i]))
				continue;
			printf("# %s: no name of its own, rule, source or reason\n",
			       (*g)->cases[i].name);
			count++;
		}
	}
	return count;
}

int main(void)
{
	unsigned int count = conformance_count(NULL, 0), wrong;

	printf("TAP version 13\n1..%u\n", 2 * count + 2);
	policy = "cached";
	dma_buf_set_policy(DMA_BUF_POLICY_CACHED);
	wrong = conformance_run(&(struct conformance_request){ .core = OURS_CACHED, .told = told });
	policy = "remap";
	dma_buf_set_policy(DMA_BUF_POLICY_REMAP);
	wrong += conformance_run(&(struct conformance_request){ .core = OURS_REMAP, .told = told });

	printf("%s %u - at least 200 cases\n", count >= 200 ? "ok" : "not ok", ++number);
	printf("%s %u - every case says what it tests and where that is documented\n",
	       wanting() ? "not ok" : "ok", ++number);
	return wrong || count < 200 || wanting();
}
