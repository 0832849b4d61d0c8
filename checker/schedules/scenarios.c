/* SPDX-License-Identifier: MIT */
/*
 * scenarios.c - the list of them
 */
#include <stddef.h>

#include "checker/schedules/schedules.h"

extern const struct scenario map_freeze;

const struct scenario *const scenarios[] = {
	&map_freeze,
	NULL,
};
