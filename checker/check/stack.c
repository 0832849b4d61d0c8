/* SPDX-License-Identifier: MIT */
/* stack.c - see stack.h */
#include <dlfcn.h>
#include <execinfo.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checker/check/stack.h"
#include "dma/machine.h"

/* AddressSanitizer's; no header declares it. */
void __sanitizer_symbolize_pc(void *pc, const char *format, char *text, size_t size);

static const void *driver_base;

static const void *base_of(const void *address)
{
	Dl_info info;

	return dladdr(address, &info) ? info.dli_fbase : NULL;
}

void check_stack_take(struct check_stack *stack)
{
	stack->nr = backtrace(stack->pc, CHECK_FRAMES);
}

void check_stack_driver(const void *address)
{
	driver_base = base_of(address);
}

static bool is_drivers(const void *pc)
{
	return driver_base && base_of(pc) == driver_base;
}

static bool is_librarys(const void *pc)
{
	static const void *base;

	if (!base)
		base = base_of((const void *)machine_create);
	return base_of(pc) == base;
}

static bool is_checkers(const void *pc)
{
	return base_of(pc) == base_of((const void *)check_stack_json);
}

bool check_address_of_driver(const void *pc)
{
	return is_drivers(pc);
}

bool check_stack_of_driver(const struct check_stack *stack)
{
	for (int i = 0; i < stack->nr; i++)
		if (is_drivers(stack->pc[i]))
			return true;
	return false;
}

const char *check_function(const char *symbol)
{
	static const char label[] = "ldb_"; /* host/labels.h */

	return strncmp(symbol, label, strlen(label)) ? symbol : symbol + strlen(label);
}

static struct json_object *frame_json(char *text, bool driver)
{
	struct json_object *frame = json_object_new_object();
	char *file = strchr(text, '\t');
	char *line = file ? strchr(file + 1, '\t') : NULL;

	if (line) {
		*file++ = '\0';
		*line++ = '\0';
		json_object_object_add(frame, "file", json_object_new_string(file));
		json_object_object_add(frame, "line", json_object_new_int(atoi(line)));
	}
	json_object_object_add(frame, "function", json_object_new_string(check_function(text)));
	json_object_object_add(frame, "driver", json_object_new_boolean(driver));
	return frame;
}

/*
 * A return address is behind its call, which the sanitizer knows; that of an instruction that a signal
 * met may be a function's first.
 */
static void symbolize(void *pc, char *text, size_t size)
{
	for (int ahead = 0; ahead <= 1; ahead++) {
		__sanitizer_symbolize_pc((char *)pc + ahead, "%f\t%s\t%l", text, size);
		if (strncmp(text, "<null>", strlen("<null>")))
			return;
	}
}

/* Also of the functions that are inlined there: innermost first, one behind the other's 0. */
static void add_frames(struct json_object *frames, void *pc)
{
	char text[2048] = {}, *next = text;
	size_t length;

	symbolize(pc, text, sizeof(text) - 2);
	do {
		length = strlen(next);
		json_object_array_add(frames, frame_json(next, is_drivers(pc)));
		next += length + 1;
	} while (*next);
}

struct json_object *check_stack_json(const struct check_stack *stack)
{
	struct json_object *frames = json_object_new_array();
	int first = 0, last = stack->nr - 1;

	while (first < stack->nr && !is_drivers(stack->pc[first]) && !is_librarys(stack->pc[first]))
		first++;
	while (last > first && !is_drivers(stack->pc[last]))
		last--;
	for (int i = first; i <= last && i < stack->nr; i++)
		if (!is_checkers(stack->pc[i]))
			add_frames(frames, stack->pc[i]);
	return frames;
}
