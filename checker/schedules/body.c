/* SPDX-License-Identifier: MIT */
/*
 * body.c - the frame that a scenario runs in, on the world's side: kernel C
 *
 * Every thread has its task before the schedule begins, so that making it is no step of any.
 */
#include <linux/sched.h>

#include "checker/schedules/body.h"

static void run_thread(void *arg)
{
	void (*run)(void) = arg;

	(void)current;
	thread_gate();
	run();
}

void world_main(void *arg)
{
	const struct scenario *scenario = arg;
	int objects;

	(void)current;
	if (scenario->first)
		scenario->first();
	objects = world_objects();
	scenario->setup();
	for (int i = 0; i < SCHEDULE_THREADS && scenario->threads[i].run; i++)
		thread_new(run_thread, scenario->threads[i].run, scenario->threads[i].name);
	while (!world_stands())
		port_yield();
	world_ready();
	if (scenario->finish)
		scenario->finish();
	schedule_check(world_objects() == objects, "objects are left behind");
	world_finished();
}
