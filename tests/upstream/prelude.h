/* SPDX-License-Identifier: MIT */
/*
 * prelude.h - what Linux's self-tests take from headers that they do not name
 *
 * Included by force, so that their sources stay as they are.
 */
#ifndef TESTS_UPSTREAM_PRELUDE_H
#define TESTS_UPSTREAM_PRELUDE_H

#include <linux/kernel.h>
#include <linux/timer.h>
#include <linux/wait_bit.h>

/* How many threads race, less one. */
#ifndef num_online_cpus
#define num_online_cpus() 2u
#endif

#endif
