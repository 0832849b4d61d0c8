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

static bool in_driver(uintptr_t pc)
{
	return pc - engine->driver.start < engine->driver.bytes;
}

/* Of who called this, the innermost that is the driver's; @pc if none is, or none was loaded. */
uintptr_t report_caller(uintptr_t pc)
{
	const uintptr_t *frame = __builtin_frame_address(0);

	if (!engine->driver.path || in_driver(pc))
		return pc;
	while ((uintptr_t)frame - STACK_BASE < THREADS * STACK_BYTES && !in_driver(frame[1]))
		frame = (const uintptr_t *)frame[0];
	return (uintptr_t)frame - STACK_BASE < THREADS * STACK_BYTES ? frame[1] : pc;
}

void report_step(const char *what, uintptr_t addr, uint64_t value, bool old, uintptr_t pc)
{
	if (engine->phase == PHASE_SETUP || engine->nr_steps == STEPS)
		return;
	pc = report_caller(pc);
	/* Of a driver's schedule what others do says little. */
	if (engine->driver.path && pc && !in_driver(pc))
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

/* Of all @pcs those that lie in @object; their places are where they were linked for. */
static void find_places_of(const struct object *object, const uintptr_t *pcs,
			   char (*places)[PLACE_BYTES], int nr)
{
	size_t size = 200 + strlen(object->path) + 20 * (size_t)nr, used;
	char(*found)[PLACE_BYTES] = world_map(((size_t)nr + 1) * PLACE_BYTES);
	char *command = world_map(size);
	FILE *from;
	int n = 0;

	used = snprintf(command, size, "exec 2>/dev/null addr2line -a -f -i -s -e '%s'",
			object->path);
	for (int i = 0; i < nr; i++) {
		if (pcs[i] - object->start >= object->bytes)
			continue;
		used += snprintf(command + used, size - used, " %lx",
				 (unsigned long)(pcs[i] - object->start) - 1);
		n++;
	}
	fflush(stdout);
	from = n ? popen(command, "r") : NULL;
	if (!from)
		return;
	read_places(from, found, n);
	pclose(from);
	n = 0;
	for (int i = 0; i < nr; i++)
		if (pcs[i] - object->start < object->bytes)
			memcpy(places[i], found[n++], PLACE_BYTES);
}

extern char _end[];

static void find_places(const uintptr_t *pcs, char (*places)[PLACE_BYTES], int nr)
{
	char path[32];
	/* It is not linked for 0, but where it lies. */
	const struct object program = { path, 0, (uintptr_t)_end };

	snprintf(path, sizeof(path), "/proc/%d/exe", getpid());
	find_places_of(&program, pcs, places, nr);
	if (engine->driver.path)
		find_places_of(&engine->driver, pcs, places, nr);
}

void report_place(uintptr_t pc, char place[PLACE_BYTES])
{
	find_places(&pc, (char(*)[PLACE_BYTES])place, 1);
}

static const char *thread_name(int i)
{
	return i < 0 ? "?" : engine->threads[i].name;
}

static void print_step(FILE *to, const struct step *s, const char *place)
{
	fprintf(to, "  %-10s %-14s", thread_name(s->thread), s->what);
	if (s->addr)
		fprintf(to, " %#12lx", (unsigned long)s->addr);
	else
		fprintf(to, " %12s", "");
	if (!strcmp(s->what, "wakes"))
		fprintf(to, " %-12s", thread_name(s->value));
	else if (s->addr && s->pc)
		fprintf(to, " %#-12lx", (unsigned long)s->value);
	else
		fprintf(to, " %-12s", "");
	fprintf(to, "%s %s\n", s->old ? " (not the newest)" : "", place);
}

/*
 * The world of the program's own data is as the schedule left it: nothing here may allocate from it.
 */
void report_trace(FILE *to)
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
			print_step(to, &engine->steps[i], places[i]);
	if (engine->outcome == OUTCOME_FAILED)
		fprintf(to, "  => %s%s%s\n", engine->failure, places[nr][0] ? ": " : "",
			places[nr]);
	else
		fprintf(to, "  => nothing fails\n");
}
