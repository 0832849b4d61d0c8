/* SPDX-License-Identifier: MIT */
/*
 * body.h - what the world's side calls of the engine; fit for kernel C
 */
#ifndef SCHEDULES_BODY_H
#define SCHEDULES_BODY_H

#include "checker/schedules/schedules.h"

/** world_main - thread 0: setup(), then the threads, and after each schedule finish() */
void world_main(void *arg);

/** thread_new - a thread of the world. Returns its number */
int thread_new(void (*fn)(void *arg), void *arg, const char *name);

/** thread_gate - the schedule begins here for this thread */
void thread_gate(void);

/** world_stands - do all scenario's threads wait at their gates, and all others sleep? */
bool world_stands(void);

/** world_ready - the world is remembered here; returns after each schedule */
void world_ready(void);

/** world_finished - this schedule was good; does not return */
void world_finished(void);

/** world_objects - how many objects of kmalloc() and its kin are alive */
int world_objects(void);

#endif
