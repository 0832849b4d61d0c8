/* SPDX-License-Identifier: MIT */
/*
 * cases.h - programs that are kept: one for each deliberate difference, one for each operation that
 * is not sent, and whatever the fuzzer found (cases.c)
 */
#ifndef DIFFERENTIAL_CASES_H
#define DIFFERENTIAL_CASES_H

#include "differential.h"

struct kept_case {
	const char *name; /* of a row of differences[], or what was wrong once */
	const char *text;
};

extern const struct kept_case kept_cases[];
extern const unsigned int kept_cases_nr;

#endif
