/* SPDX-License-Identifier: MIT */
/* finding.c - see finding.h */
#include <json-c/json.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "checker/check/finding.h"
#include "checker/check/history.h"
#include "core/event.h"

static int out = -1;
static enum check_rule wanted = CHECK_RULES;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Under lock. */
static bool told[CHECK_RULES]; /* or would be, but for `wanted` */
static char at[256];

void check_findings_open(int fd, enum check_rule only)
{
	out = fd;
	wanted = only;
}

void check_tell(struct json_object *object)
{
	const char *text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN);
	size_t left = strlen(text);
	ssize_t n;

	for (; left && (n = write(out, text, left)) > 0; left -= n)
		text += n;
	if (write(out, "\n", 1) != 1)
		_exit(2); /* the parent has gone */
	json_object_put(object);
}

void check_at(const char *fmt, ...)
{
	struct json_object *object = json_object_new_object();
	va_list args;

	pthread_mutex_lock(&lock);
	va_start(args, fmt);
	vsnprintf(at, sizeof(at), fmt, args);
	va_end(args);
	json_object_object_add(object, "at", json_object_new_string(at));
	check_tell(object);
	pthread_mutex_unlock(&lock);
}

const char *check_at_text(void)
{
	return at;
}

bool check_first(enum check_rule rule)
{
	bool first;

	pthread_mutex_lock(&lock);
	first = !told[rule];
	told[rule] = true;
	pthread_mutex_unlock(&lock);
	return first && (wanted == CHECK_RULES || wanted == rule);
}

bool check_told(enum check_rule rule)
{
	return told[rule];
}

bool check_any_found(void)
{
	for (enum check_rule rule = 0; rule < CHECK_RULES; rule++)
		if (told[rule])
			return true;
	return false;
}

static void tell_finding(enum check_rule rule, const struct dma_buf *dmabuf,
			 const struct check_stack *call, const struct check_state *state,
			 const char *fmt, va_list args)
{
	struct json_object *object, *setter;
	char text[1024];
	struct event_remark remark = { .text = text };

	if (!check_first(rule))
		return;
	vsnprintf(text, sizeof(text), fmt, args);
	event_tell(EVENT_FINDING, dmabuf, &remark, 0, 0, 0);
	object = json_object_new_object();
	json_object_object_add(object, "finding", json_object_new_string(check_rules[rule].id));
	json_object_object_add(object, "text", json_object_new_string(text));
	json_object_object_add(object, "call", check_stack_json(call));
	if (state && state->what) {
		setter = json_object_new_object();
		json_object_object_add(setter, "what", json_object_new_string(state->what));
		json_object_object_add(setter, "stack", check_stack_json(&state->stack));
		json_object_object_add(object, "state", setter);
	}
	if (dmabuf)
		json_object_object_add(object, "events", check_history_json(dmabuf));
	json_object_object_add(object, "picture", check_history_picture(dmabuf));
	pthread_mutex_lock(&lock);
	json_object_object_add(object, "at", json_object_new_string(at));
	check_tell(object);
	pthread_mutex_unlock(&lock);
}

void check_found(enum check_rule rule, const struct dma_buf *dmabuf,
		 const struct check_state *state, const char *fmt, ...)
{
	struct check_stack call;
	va_list args;

	check_stack_take(&call);
	va_start(args, fmt);
	tell_finding(rule, dmabuf, &call, state, fmt, args);
	va_end(args);
}

void check_found_call(enum check_rule rule, const struct dma_buf *dmabuf,
		      const struct check_stack *call, const struct check_state *state,
		      const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	tell_finding(rule, dmabuf, call, state, fmt, args);
	va_end(args);
}
