/* SPDX-License-Identifier: MIT */
/*
 * report.c - the steps of a schedule, for people
 *
 * addr2line says where in the source a step was made; without it, or without debug information, an
 * address stands there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "checker/schedules/engine.h"

#define PLACE_BYTES 64

void report_step(const char *what, uintptr_t addr, uint64_t value, bool old, uintptr_t pc)
{
	if (engine->phase == PHASE_SETUP || engine->nr_steps == STEPS)
		return;
	engine->steps[engine->nr_steps++] = (struct step){
		.thread = engine->current,
		.what = what,
		.addr = addr,
		.value = value,
		.old = old,
		.pc = pc,
	};
}

/* The kernel's inline functions say little: who called them is the place. */
static bool is_place(const char *line)
{
	return strstr(line, ".c:") || strstr(line, "mapping-slot.h:");
}

/* addr2line -a -i: the address, then function and line of it and of each caller it is inlined in. */
static void read_places(FILE *from, char (*places)[PLACE_BYTES], int nr)
{
	char function[256], line[256];
	int i = -1;

	while (fgets(function, sizeof(function), from)) {
		if (!strncmp(function, "0x", 2)) {
			i++;
			continue;
		}
		if (!fgets(line, sizeof(line), from) || i < 0 || i >= nr || places[i][0])
			continue;
		if (!is_place(line))
			continue;
		line[strcspn(line, " \n")] = '\0';
		function[strcspn(function, "\n")] = '\0';
		snprintf(places[i], PLACE_BYTES, "%.36s %.26s", function, line);
	}
}

static void find_places(const uintptr_t *pcs, char (*places)[PLACE_BYTES], int nr)
{
	size_t size = 100 + 20 * (size_t)nr, used;
	char *command = world_map(size);
	FILE *from;

	used = snprintf(command, size, "exec 2>/dev/null addr2line -a -f -i -s -e /proc/%d/exe",
			getpid());
	for (int i = 0; i < nr; i++)
		used += snprintf(command + used, size - used, " %lx", (unsigned long)pcs[i] - 1);
	fflush(stdout);
	from = popen(command, "r");
	if (!from)
		return;
	read_places(from, places, nr);
	pclose(from);
}

static const char *thread_name(int i)
{
	return i < 0 ? "?" : engine->threads[i].name;
}

static void print_step(const struct step *s, const char *place)
{
	printf("  %-10s %-14s", thread_name(s->thread), s->what);
	if (s->addr)
		printf(" %#12lx", (unsigned long)s->addr);
	else
		printf(" %12s", "");
	if (!strcmp(s->what, "wakes"))
		printf(" %-12s", thread_name(s->value));
	else if (s->addr && s->pc)
		printf(" %#-12lx", (unsigned long)s->value);
	else
		printf(" %-12s", "");
	printf("%s %s\n", s->old ? " (not the newest)" : "", place);
}

/*
 * The world of the program's own data is as the schedule left it: nothing here may allocate from it.
 */
void report_trace(void)
{
	int nr = engine->nr_steps;
	char(*places)[PLACE_BYTES] = world_map((nr + 1) * PLACE_BYTES);
	uintptr_t *pcs = world_map((nr + 1) * sizeof(*pcs));

	for (int i = 0; i < nr; i++)
		pcs[i] = engine->steps[i].pc;
	pcs[nr] = engine->failed_at;
	find_places(pcs, places, nr + 1);
	for (int i = 0; i < nr; i++)
		if (i + 1 == nr || engine->steps[i].thread || engine->outcome != OUTCOME_FAILED)
			print_step(&engine->steps[i], places[i]);
	if (engine->outcome == OUTCOME_FAILED)
		printf("  => %s%s%s\n", engine->failure, places[nr][0] ? ": " : "", places[nr]);
	else
		printf("  => nothing fails\n");
}
