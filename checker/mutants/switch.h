/* SPDX-License-Identifier: MIT */
/*
 * switch.h - which mistakes are switched on in sources that checker/mutants/generate has made
 *
 * The environment's MUTANT lists numbers of sites, "12" or "12,13"; without it everything is as in
 * the source.  Read once, before main(): a program is one mutant from its first step to its last.
 *
 * Deliberately not here: anything of the core's build.  No source of core/ includes this.
 */
#ifndef MUTANTS_SWITCH_H
#define MUTANTS_SWITCH_H

#include <stdbool.h>

/* Room for all sites; the copies' numbers are constants below it. */
#define MUTANT_SITES 2048

extern bool mutant_on[MUTANT_SITES];

#define MUTANT(site) __builtin_expect(mutant_on[site], 0)

#endif
