/* SPDX-License-Identifier: MIT */
/*
 * driver-main.c - the explorer on a driver of somebody's; `dmabuf check --schedules` starts it
 *
 *	dmabuf-check-schedules DRIVER.so MACHINE POLICY SEED RULE|- FD SCHEDULES
 *
 * It tells what it finds on FD as dmabuf-check-worker does (checker/check/finding.h).  DRIVER.so was
 * compiled as weak code (engine.h).  Its data is a part of the world.
 *
 * Exit status 0: all was tried; 2: the driver could not be loaded, a line on FD says why.
 */
#include <dlfcn.h>
#include <json-c/json.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "checker/schedules/driver.h"
#include "checker/schedules/engine.h"

static int news;
static const char *wanted;

/* Outside of the world, which would take it back. */
static struct {
	bool told_of[16]; /* rules */
	const char *adapter;
} * now;

/* --- telling ---------------------------------------------------------------------------------- */

static void tell(struct json_object *object)
{
	const char *text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN);

	if (dprintf(news, "%s\n", text) < 0)
		_exit(2);
	json_object_put(object);
}

static void tell_word(const char *key, const char *word)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, key, json_object_new_string(word));
	tell(object);
}

/* How a failure begins, and the rule of checker/check/rules.def that it breaks. */
static const struct {
	const char *begin, *rule;
} rules[] = {
	{ "a race:", "RACE-01" },
	{ "asleep for ever:", "RACE-02" },
	{ "freed", "LIFE-02" },
	{ "memory that belongs", "LIFE-03" },
	{ "objects are left", "LIFE-04" },
	{ "WARN: lock order:", "LOCK-20" },
	{ "WARN:", "RUN-03" },
	{ "a wrong address", "RUN-01" },
	{ "BUG", "RUN-01" },
	{ "the explorer's heap", NULL }, /* too large for it: no finding */
	{ "more than", NULL },
	{ "", "RUN-04" },
};

static int rule_of(const char *failure)
{
	int i = 0;

	while (strncmp(failure, rules[i].begin, strlen(rules[i].begin)))
		i++;
	return i;
}

static struct json_object *frames(uintptr_t pc)
{
	struct json_object *array = json_object_new_array(), *frame = json_object_new_object();
	char place[PLACE_BYTES] = "", *file, *line;

	report_place(pc, place);
	file = strchr(place, ' ');
	line = file ? strchr(file, ':') : NULL;
	if (!line) {
		json_object_put(frame);
		return array;
	}
	*file++ = *line++ = '\0';
	json_object_object_add(frame, "file", json_object_new_string(file));
	json_object_object_add(frame, "line", json_object_new_int(atoi(line)));
	json_object_object_add(frame, "function", json_object_new_string(place));
	json_object_object_add(frame, "driver", json_object_new_boolean(true));
	json_object_array_add(array, frame);
	return array;
}

/* The steps of the schedule that stands in the engine, a string each. */
static struct json_object *steps(void)
{
	struct json_object *array = json_object_new_array();
	char *text = NULL, *line, *rest;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	report_trace(to);
	fclose(to);
	rest = text;
	while ((line = strsep(&rest, "\n")))
		if (*line)
			json_object_array_add(array,
					      json_object_new_string(line + strspn(line, " ")));
	free(text);
	return array;
}

static void tell_finding(const struct scenario *s, const char *failure,
			 struct json_object *schedule)
{
	struct json_object *object;
	int rule = rule_of(failure);
	char at[200], text[600];

	if (!rules[rule].rule || now->told_of[rule] ||
	    (strcmp(wanted, "-") && strcmp(wanted, rules[rule].rule))) {
		json_object_put(schedule);
		return;
	}
	now->told_of[rule] = true;
	snprintf(at, sizeof(at), "%s: %s: %s", now->adapter, s->name, s->what);
	snprintf(text, sizeof(text), driver_tried->error ? "%s: %d" : "%s", failure,
		 driver_tried->error);
	object = json_object_new_object();
	json_object_object_add(object, "finding", json_object_new_string(rules[rule].rule));
	json_object_object_add(object, "text", json_object_new_string(text));
	json_object_object_add(object, "call", frames(engine->failed_at));
	json_object_object_add(object, "at", json_object_new_string(at));
	if (schedule)
		json_object_object_add(object, "schedule", schedule);
	tell(object);
}

static void done(int ways)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "ways", json_object_new_int(ways));
	tell(object);
	object = json_object_new_object();
	json_object_object_add(object, "done", json_object_new_boolean(true));
	tell(object);
	_exit(0);
}

void setup_failed(const struct scenario *scenario)
{
	tell_finding(scenario, engine->failure, NULL);
	done(1);
	abort();
}

/* --- the driver ------------------------------------------------------------------------------- */

static void *object;

static void *symbol(const char *name)
{
	void *address = dlsym(object, name);

	return (uintptr_t)address - engine->driver.start < engine->driver.bytes ? address : NULL;
}

/* Its data go back with the world's, but for what the loader has made read-only. */
static int add_data(struct dl_phdr_info *info, size_t size, void *unused)
{
	uintptr_t begin = 0, end = 0, constant = 0;

	if (info->dlpi_addr != engine->driver.start)
		return 0;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &info->dlpi_phdr[i];

		if (part->p_type == PT_GNU_RELRO)
			constant = part->p_vaddr + part->p_memsz;
		if (part->p_type != PT_LOAD)
			continue;
		end = part->p_vaddr + part->p_memsz;
		begin = part->p_flags & PF_W ? part->p_vaddr : end;
	}
	engine->driver.bytes = end;
	begin = constant > begin ? constant : begin;
	if (begin < end)
		world_add(info->dlpi_addr + begin, end - begin);
	return 1;
}

static const char *load(const char *path)
{
	struct link_map *map;

	object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!object || dlinfo(object, RTLD_DI_LINKMAP, &map))
		return dlerror();
	engine->driver = (struct object){ .path = path, .start = map->l_addr };
	dl_iterate_phdr(add_data, NULL);
	if (!symbol("dmabuf_check_adapters"))
		return "has no DMABUF_CHECK(), whose adapters two threads call "
		       "(<libdmabuf-check.h> says how)";
	return NULL;
}

/* What the host knows of pages goes back with the world.  What the pages hold does not. */
static bool pages_ready(void)
{
	size_t bytes;
	void *pages = driver_pages(&bytes);

	if (pages)
		world_add((uintptr_t)pages, bytes);
	return pages;
}

/* --- searching -------------------------------------------------------------------------------- */

static void explore(const struct scenario *s, unsigned long schedules, unsigned long seed)
{
	struct search_config config = { .scenario = s, .seed = seed, .most_runs = schedules };
	struct search_result *r = world_map(sizeof(*r));
	char at[200];

	snprintf(at, sizeof(at), "%s: %s", now->adapter, s->what);
	tell_word("at", at);
	driver_tried->error = 0;
	driver_tried->scenario = s;
	search(&config, r);
	if (r->verdict != VERDICT_FAILED)
		return;
	engine->tracing = true;
	engine->nr_steps = 0;
	threads_prepare(s, NULL);
	search_replay(r->schedule, r->nr_schedule);
	engine->tracing = false;
	tell_finding(s, r->failure, steps());
}

static int explore_all(unsigned long schedules, unsigned long seed)
{
	const struct check_adapter *adapters = symbol("dmabuf_check_adapters");
	int ways = 0;

	for (int i = 0; (now->adapter = driver_choose(adapters, i)); i++)
		for (const struct driver_scenario *s = driver_scenarios; s->scenario.name; s++)
			if (driver_fits(s)) {
				explore(&s->scenario, schedules, seed);
				ways++;
			}
	return ways;
}

int main(int argc, char **argv)
{
	const char *problem;

	if (argc < 8) {
		fprintf(stderr, "dmabuf-check-schedules: `dmabuf check --schedules` starts it\n");
		return 2;
	}
	news = atoi(argv[6]);
	wanted = argv[5];
	engine->nodes = world_map(NODES * sizeof(struct node));
	engine->path = world_map(NODES * sizeof(struct taken_step));
	engine->path_steps = world_map(NODES * sizeof(int));
	engine->steps = world_map(STEPS * sizeof(struct step));
	threads_init();
	driver_tried = world_map(sizeof(*driver_tried));
	now = world_map(sizeof(*now));
	driver_tried->remaps = !strcmp(argv[3], "remap");
	problem = pages_ready() ? load(argv[1]) : "there is no memory";
	if (problem) {
		tell_word("cannot", problem);
		return 2;
	}
	driver_tried->init = symbol("init_module");
	world_remember(0);
	done(explore_all(strtoul(argv[7], NULL, 0), strtoul(argv[4], NULL, 0)));
}
