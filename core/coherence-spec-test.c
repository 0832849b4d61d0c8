/* SPDX-License-Identifier: MIT */
/*
 * coherence-spec-test.c - every edge of coherence-spec.py's state graph, done by coherence.c
 *
 * The specification writes its graph down, state by state; test-spec-replay.h says what performs
 * an edge and what is compared.  These are the graphs of one line without anything else; those of
 * the other shapes are coherence-shapes-test's.
 *
 * A replay that compares nothing passes too.  So graphs of mistaken protocols and mistaken hardware
 * are replayed as well, and there must be differences.
 */
#include <linux/kernel.h>

#include "core/test-spec-replay.h"

static void cpu_and_memory_step_by_step(struct ktap *t)
{
	spec_replays(t, "cpu,nc1 leave");
}

static void cpu_and_bounced_step_by_step(struct ktap *t)
{
	spec_replays(t, ktap_long ? "cpu,b1 leave" : "cpu,b1");
}

static void cpu_and_bounced_leaving(struct ktap *t)
{
	spec_replays(t, "cpu,b1 atomic leave");
}

static void coherent_and_memory(struct ktap *t)
{
	spec_replays(t, ktap_long ? "cpu,co,nc1" : "cpu,co,nc1 atomic");
}

static void two_in_memory_leaving(struct ktap *t)
{
	spec_replays(t, ktap_long ? "cpu,nc1,nc2 atomic leave" : "nc1,nc2 atomic leave");
}

static void unbracketed_mapping(struct ktap *t)
{
	spec_replays(t, ktap_long ? "u,nc1,b1 atomic leave" : "u,nc1 leave");
}

static void memory_and_bounced(struct ktap *t)
{
	spec_replays(t, ktap_long ? "cpu,nc1,b1" : "cpu,nc1,b1 atomic");
}

static void two_bounced(struct ktap *t)
{
	spec_replays(t, ktap_long ? "cpu,b1,b2 atomic" : "b1,b2 atomic");
}

static void everybody(struct ktap *t)
{
	spec_replays(t, ktap_long ? "cpu,co,nc1,b1 atomic" : "co,nc1,b1 atomic");
}

static void mistaken_protocols_differ(struct ktap *t)
{
	static const char *const graphs[] = {
		"cpu,nc1 forget-open-writers atomic",
		"cpu,b1 forget-open-writers atomic",
		"cpu,nc1 no-pull atomic",
		"cpu,nc1 no-deliver atomic",
		"cpu,b1 no-deliver atomic",
		"cpu,nc1 no-push atomic",
		"cpu,b1 no-push atomic",
		"cpu,nc1 never-stale atomic",
		"cpu,nc1 drop-dirty atomic",
		"cpu,nc1 clean-then-invalidate",
		"cpu,b1 reread-twin",
		"cpu,b1 whole-slot atomic",
		"cpu,nc1 unmap-syncs atomic leave",
		"cpu,b1 unmap-syncs atomic leave",
	};

	spec_differs(t, graphs, ARRAY_SIZE(graphs));
}

static void mistaken_hardware_differs(struct ktap *t)
{
	static const char *const graphs[] = { "cpu,nc1 atomic", "cpu,b1 atomic" };

	spec_notices(t, graphs, ARRAY_SIZE(graphs));
}

KTAP_MAIN(KTAP_CASE(cpu_and_memory_step_by_step), KTAP_CASE(cpu_and_bounced_step_by_step),
	  KTAP_CASE(cpu_and_bounced_leaving), KTAP_CASE(coherent_and_memory),
	  KTAP_CASE(two_in_memory_leaving), KTAP_CASE(unbracketed_mapping),
	  KTAP_CASE(memory_and_bounced), KTAP_CASE(two_bounced), KTAP_CASE(everybody),
	  KTAP_CASE(mistaken_protocols_differ), KTAP_CASE(mistaken_hardware_differs))
