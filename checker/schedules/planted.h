/* SPDX-License-Identifier: MIT */
/*
 * planted.h - the mistakes that can be switched on (planted.txt)
 */
#ifndef SCHEDULES_PLANTED_H
#define SCHEDULES_PLANTED_H

#define PLANTED_SITES 4

struct planted {
	const char *name, *scenario, *rule, *file, *function;
	int line;
	unsigned int sites[PLANTED_SITES]; /* checker/mutants/switch.h; 0: none */
};

/* Ends with one that has no name. */
extern const struct planted planted[];

#endif
