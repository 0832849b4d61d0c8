/* SPDX-License-Identifier: MIT */
/*
 * stack.h - who called: taken when something happens, put into words when it matters
 *
 * A stack is a few addresses; the source lines behind them are looked up only for a report, by the
 * symbolizer that AddressSanitizer brings.
 */
#ifndef CHECKER_CHECK_STACK_H
#define CHECKER_CHECK_STACK_H

#include <stdbool.h>

struct json_object;

#define CHECK_FRAMES 32

struct check_stack {
	int nr; /* 0: none */
	void *pc[CHECK_FRAMES];
};

/** check_stack_take - the caller's. Context: any thread, any lock; allocates nothing */
void check_stack_take(struct check_stack *stack);

/** check_stack_driver - from now on frames at the object that has @address are the driver's */
void check_stack_driver(const void *address);

/** check_address_of_driver - is this the driver's?; check_stack_of_driver - has @stack a frame of it? */
bool check_address_of_driver(const void *pc);
bool check_stack_of_driver(const struct check_stack *stack);

/** check_function - the name that a driver knows the function of @symbol by */
const char *check_function(const char *symbol);

/**
 * check_stack_json - an array of { function, file, line, driver }, innermost first
 *
 * What is behind the last frame of the driver is left out, and all of the checker's own.  Empty when
 * there is none of the driver's.
 */
struct json_object *check_stack_json(const struct check_stack *stack);

#endif
