/* SPDX-License-Identifier: MIT */
/*
 * driver.h - a driver of somebody's as what a schedule is made of; fit for kernel C
 */
#ifndef SCHEDULES_DRIVER_H
#define SCHEDULES_DRIVER_H

#include <stddef.h>

#include "checker/schedules/schedules.h"

struct check_adapter;

/* What is tried; outside of the world. */
struct driver_tried {
	const struct check_adapter *adapter;
	int (*init)(void); /* the module's, or NULL */
	bool remaps;       /* the core's policy */
	const struct scenario *scenario;
	int error; /* what init(), export() or open() returned when setup failed by it */
};
extern struct driver_tried *driver_tried;

/* What two threads may do at once with a driver; ends with one that has no name. */
struct driver_scenario {
	struct scenario scenario;
	bool exports, imports, moves; /* what the adapter must be able to */
};
extern const struct driver_scenario driver_scenarios[];

/** driver_choose - the @nr-th of @adapters is what is tried. Returns its name, or NULL: there are no more */
const char *driver_choose(const struct check_adapter *adapters, int nr);

/** driver_fits - can what is tried do what @s needs? */
bool driver_fits(const struct driver_scenario *s);

/**
 * driver_pages - one block of pages has been used, so none of it is taken for zero
 * Returns what the host knows of its pages, and in *@bytes how much that is; NULL: there is no memory.
 */
void *driver_pages(size_t *bytes);

#endif
