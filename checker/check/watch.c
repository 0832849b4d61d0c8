/* SPDX-License-Identifier: MIT */
/* watch.c - see watch.h: the table of what is open, and who locked what */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checker/check/watch-tables.h"
#include "checker/check/watch.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Under lock; the last opened first. */
static struct watched *open_things;

__thread unsigned int watch_told;

static void *need(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

void watch_open(enum watched_kind kind, const void *key, const void *also,
		const struct dma_buf *dmabuf, unsigned long value)
{
	struct watched *thing = need(malloc(sizeof(*thing)));

	thing->kind = kind;
	thing->key = key;
	thing->also = also;
	thing->value = value;
	thing->dmabuf = dmabuf;
	thing->late.nr = 0;
	check_stack_take(&thing->stack);
	snprintf(thing->at, sizeof(thing->at), "%s", check_at_text());
	pthread_mutex_lock(&lock);
	thing->next = open_things;
	open_things = thing;
	pthread_mutex_unlock(&lock);
}

#define ANY_VALUE ULONG_MAX

/* Where the pointer to it is, or to the end.  Under lock. */
static struct watched **lookup(enum watched_kind kind, const void *key, const void *also,
			       unsigned long value)
{
	struct watched **at = &open_things, *thing;

	for (; (thing = *at); at = &thing->next)
		if (thing->kind == kind && (!key || thing->key == key) &&
		    (!also || thing->also == also) && (value == ANY_VALUE || thing->value == value))
			break;
	return at;
}

static bool find_thing(enum watched_kind kind, const void *key, const void *also,
		       unsigned long value, struct watched *found)
{
	struct watched *thing;

	pthread_mutex_lock(&lock);
	thing = *lookup(kind, key, also, value);
	if (thing)
		*found = *thing;
	pthread_mutex_unlock(&lock);
	return thing;
}

bool watch_find(enum watched_kind kind, const void *key, const void *also, struct watched *found)
{
	return find_thing(kind, key, also, ANY_VALUE, found);
}

bool watch_find_value(enum watched_kind kind, const void *key, const void *also,
		      unsigned long value, struct watched *found)
{
	return find_thing(kind, key, also, value, found);
}

static bool close_thing(enum watched_kind kind, const void *key, const void *also,
			unsigned long value, struct watched *found)
{
	struct watched **at, *thing;

	pthread_mutex_lock(&lock);
	at = lookup(kind, key, also, value);
	thing = *at;
	if (thing) {
		*found = *thing;
		*at = thing->next;
	}
	pthread_mutex_unlock(&lock);
	if (!thing)
		return false;
	free(thing);
	return true;
}

bool watch_close(enum watched_kind kind, const void *key, const void *also, struct watched *found)
{
	return close_thing(kind, key, also, ANY_VALUE, found);
}

bool watch_close_value(enum watched_kind kind, const void *key, const void *also,
		       unsigned long value, struct watched *found)
{
	return close_thing(kind, key, also, value, found);
}

void watch_late(enum watched_kind kind, const void *also)
{
	struct check_stack stack;

	check_stack_take(&stack);
	pthread_mutex_lock(&lock);
	for (struct watched *thing = open_things; thing; thing = thing->next)
		if (thing->kind == kind && thing->also == also && !thing->late.nr)
			thing->late = stack;
	pthread_mutex_unlock(&lock);
}

bool watch_any(void)
{
	return open_things;
}

bool watch_any_of(const struct dma_buf *dmabuf)
{
	struct watched *thing = open_things;

	while (thing && thing->dmabuf != dmabuf)
		thing = thing->next;
	return thing;
}

static const struct {
	enum check_rule rule;
	const char *text;
} left_words[WATCHED_KINDS] = {
	[WATCHED_ATTACH] = { CHECK_BAL_01, "a device is still attached" },
	[WATCHED_MAP] = { CHECK_BAL_02, "a mapping is still in use" },
	[WATCHED_PIN] = { CHECK_BAL_03, "a buffer is still pinned" },
	[WATCHED_VMAP] = { CHECK_BAL_04, "a buffer is still vmapped" },
	[WATCHED_CPU] = { CHECK_BAL_05, "a CPU access has not ended" },
};

void watch_left(void)
{
	struct check_state late = { .what = "its attachment was detached by" };

	for (struct watched *thing = open_things; thing; thing = thing->next) {
		late.stack = thing->late;
		check_found_call(
			left_words[thing->kind].rule, thing->dmabuf, &thing->stack,
			late.stack.nr ? &late : NULL,
			"%s when the driver is done: nothing undoes this call, made while: %s",
			left_words[thing->kind].text, thing->at);
	}
}

/* Under lock. */
static struct {
	const char *call; /* NULL: none until now */
	struct check_stack stack;
} last_call;

void watch_called(const char *call)
{
	struct check_stack stack;

	check_stack_take(&stack);
	pthread_mutex_lock(&lock);
	last_call.call = call;
	last_call.stack = stack;
	pthread_mutex_unlock(&lock);
}

struct check_state *watch_last(struct check_state *state)
{
	static __thread char what[120];

	pthread_mutex_lock(&lock);
	state->what = last_call.call ? what : NULL;
	state->stack = last_call.stack;
	if (state->what)
		snprintf(what, sizeof(what), "the driver's last call before was %s, by",
			 last_call.call);
	pthread_mutex_unlock(&lock);
	return state;
}

/* --- reservations ----------------------------------------------------------------------------- */

/* Of each ww_mutex that the driver, or the checker, locked or unlocked. */
struct lock_use {
	struct lock_use *next;
	const struct ww_mutex *mutex;
	bool locked;
	struct check_stack stack; /* who did that last */
};

static struct lock_use *lock_uses; /* under lock */

static void note_lock(const struct ww_mutex *mutex, bool locked)
{
	struct lock_use *use;
	struct check_stack stack;

	check_stack_take(&stack);
	pthread_mutex_lock(&lock);
	for (use = lock_uses; use && use->mutex != mutex; use = use->next)
		;
	if (!use) {
		use = need(malloc(sizeof(*use)));
		use->mutex = mutex;
		use->next = lock_uses;
		lock_uses = use;
	}
	use->locked = locked;
	use->stack = stack;
	pthread_mutex_unlock(&lock);
}

void watch_resv(const struct dma_resv *resv, struct check_state *state)
{
	state->what = NULL;
	pthread_mutex_lock(&lock);
	for (struct lock_use *use = lock_uses; use; use = use->next) {
		if (use->mutex != &resv->lock)
			continue;
		state->what = use->locked ? "the reservation was locked by"
					  : "the reservation was last unlocked by";
		state->stack = use->stack;
	}
	pthread_mutex_unlock(&lock);
}

#define HELD true
#define NOT_HELD false
#define AVOID false
#define LOCK_RULE(number, function, need, whose) { #function, CHECK_LOCK_##number, need },
static const struct lock_rule {
	const char *call;
	enum check_rule rule;
	bool held;
} lock_rules[] = {
#include "checker/check/lock-rules.def"
};
#undef LOCK_RULE
#undef AVOID
#undef NOT_HELD
#undef HELD

static const struct lock_rule *lock_rule_of(const char *call)
{
	for (size_t i = 0; i < ARRAY_SIZE(lock_rules); i++)
		if (!strcmp(lock_rules[i].call, call))
			return &lock_rules[i];
	abort(); /* core/locking.def has no rule for it */
}

static bool held_as_told(const char *call, const struct dma_buf *dmabuf, struct dma_resv *resv)
{
	const struct lock_rule *rule = lock_rule_of(call);
	struct check_state state;

	if (!resv || dma_resv_held(resv) == rule->held)
		return true;
	watch_resv(resv, &state);
	check_found(rule->rule, dmabuf, &state, "%s() is called with the reservation %s", call,
		    rule->held ? "not held" : "held");
	watch_told++;
	return false;
}

bool watch_lock(const char *call, const struct dma_buf *dmabuf)
{
	return held_as_told(call, dmabuf, IS_ERR_OR_NULL(dmabuf) ? NULL : dmabuf->resv);
}

bool watch_lock_resv(const char *call, struct dma_resv *resv)
{
	return held_as_told(call, NULL, resv);
}

REAL(ww_mutex_lock);
REAL(ww_mutex_lock_interruptible);
REAL(ww_mutex_lock_slow);
REAL(ww_mutex_lock_slow_interruptible);
REAL(ww_mutex_trylock);
REAL(ww_mutex_unlock);

int ww_mutex_lock(struct ww_mutex *mutex, struct ww_acquire_ctx *ctx)
{
	int ret = real_ww_mutex_lock(mutex, ctx);

	if (!ret)
		note_lock(mutex, true);
	return ret;
}

int ww_mutex_lock_interruptible(struct ww_mutex *mutex, struct ww_acquire_ctx *ctx)
{
	int ret = real_ww_mutex_lock_interruptible(mutex, ctx);

	if (!ret)
		note_lock(mutex, true);
	return ret;
}

void ww_mutex_lock_slow(struct ww_mutex *mutex, struct ww_acquire_ctx *ctx)
{
	real_ww_mutex_lock_slow(mutex, ctx);
	note_lock(mutex, true);
}

int ww_mutex_lock_slow_interruptible(struct ww_mutex *mutex, struct ww_acquire_ctx *ctx)
{
	int ret = real_ww_mutex_lock_slow_interruptible(mutex, ctx);

	if (!ret)
		note_lock(mutex, true);
	return ret;
}

int ww_mutex_trylock(struct ww_mutex *mutex, struct ww_acquire_ctx *ctx)
{
	int taken = real_ww_mutex_trylock(mutex, ctx);

	if (taken)
		note_lock(mutex, true);
	return taken;
}

void ww_mutex_unlock(struct ww_mutex *mutex)
{
	watch_tables_unlocked(mutex);
	note_lock(mutex, false);
	real_ww_mutex_unlock(mutex);
}
