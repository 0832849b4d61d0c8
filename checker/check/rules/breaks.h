/* SPDX-License-Identifier: MIT */
/*
 * breaks.h - a driver that keeps every rule but the one that the environment names
 *
 * DMABUF_CHECK_BREAKS is a rule's id, as `dmabuf check --list` has it, or not set.
 */
#ifndef CHECKER_CHECK_RULES_BREAKS_H
#define CHECKER_CHECK_RULES_BREAKS_H

#include <stdlib.h>
#include <string.h>

#include <libdmabuf-check.h>
#include <linux/err.h>
#include <linux/slab.h>

static inline bool breaks(const char *rule)
{
	const char *broken = getenv("DMABUF_CHECK_BREAKS");

	return broken && !strcmp(broken, rule);
}

#endif
