/* SPDX-License-Identifier: MIT */
/*
 * schedules.h - what a scenario is: a few threads, each a few operations, in every order
 *
 * A scenario is kernel C.  setup() runs once, alone; then the whole world (data, heap, stacks) is
 * remembered, and for each schedule it is put back, the threads run in that schedule's order, and
 * finish() runs alone behind them.
 *
 * A schedule fails by
 *	a WARN or BUG, or schedule_check();
 *	a deadlock or a lost wake-up: a thread sleeps and nobody is left to wake it;
 *	a thread that goes on and on (livelock);
 *	a use of freed memory, or beside an object; a race on plain data;
 *	objects that are left behind finish().
 *
 * Invariants
 *   1  Nothing in a scenario depends on anything but the schedule: no time, no chance, no system.
 *   2  The same source runs on real threads (checker/schedules/stress.c), where setup() comes
 *      before every round.
 *
 * Deliberately not here: how schedules are chosen (search.c), what a load may see (model.c).
 */
#ifndef SCHEDULES_H
#define SCHEDULES_H

#include <stdbool.h>

#define SCHEDULE_THREADS 4

struct scenario {
	const char *name;
	const char *what;    /* one line, for people */
	void (*first)(void); /* or NULL: makes what stays, and is no leak */
	void (*setup)(void);
	struct {
		const char *name;
		void (*run)(void);
	} threads[SCHEDULE_THREADS];
	void (*finish)(void);
};

/** scenarios - all there are; ends with NULL */
extern const struct scenario *const scenarios[];

/**
 * schedule_check - the schedule fails with @text unless @holds
 *
 * Context: anywhere in a scenario; does not return if it fails under the explorer.
 */
void schedule_fail(const char *text);
#define schedule_check(holds, text)          \
	do {                                 \
		if (!(holds))                \
			schedule_fail(text); \
	} while (0)

#endif
