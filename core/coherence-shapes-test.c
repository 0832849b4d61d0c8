/* SPDX-License-Identifier: MIT */
/*
 * coherence-shapes-test.c - the graphs of coherence-spec.py's other shapes, done by the real code
 *
 * Two ranges, the exporter's own device, device memory and moves, stock Linux.  test-spec-replay.h
 * says what performs an edge, what is compared and what is not.
 *
 * Stock Linux's shape has no driver in this repository: that a slot is left only while nobody
 * elsewhere writes, and is made whole before, is the test's doing, in the calls that such a driver
 * has for it.
 */
#include <linux/kernel.h>

#include "core/test-spec-replay.h"

static void two_ranges_step_by_step(struct ktap *t)
{
	spec_replays(t, ktap_long ? "cpu,nc1 --shape ranges" : "cpu,nc1 atomic --shape ranges");
}

static void two_ranges_and_a_slot(struct ktap *t)
{
	spec_replays(t,
		     ktap_long ? "cpu,b1 atomic --shape ranges" : "nc1,b1 atomic --shape ranges");
}

static void two_brackets_of_two_ranges(struct ktap *t)
{
	spec_replays(t, ktap_long ? "cpu,cpu2,nc1 atomic --shape ranges"
				  : "cpu,cpu2 atomic --shape ranges");
}

static void exporter_that_tells(struct ktap *t)
{
	spec_replays(t, ktap_long ? "cpu,nc1,xn --shape exporter" : "nc1,xn --shape exporter");
	spec_replays(t, ktap_long ? "cpu,b1,xn atomic leave --shape exporter"
				  : "b1,xn atomic --shape exporter");
	spec_replays(t, "xc,nc1 leave --shape exporter");
}

static void exporter_that_does_not_tell(struct ktap *t)
{
	spec_replays(t, "yc,nc1 leave --shape exporter");
	spec_replays(t, ktap_long ? "cpu,nc1,yn --shape exporter" : "nc1,yn --shape exporter");
	spec_replays(t, "b1,yn atomic leave --shape exporter");
}

static void moves_with_memory(struct ktap *t)
{
	spec_replays(t, "cpu,nc1,gc --shape place");
	spec_replays(t, "cpu,nc1,gn --shape place");
}

static void moves_with_a_slot(struct ktap *t)
{
	spec_replays(t, ktap_long ? "cpu,b1,gn --shape place" : "b1,gc atomic --shape place");
	if (ktap_long)
		spec_replays(t, "cpu,b1,nc1,gn atomic --shape place");
}

static void moves_with_importers_that_follow(struct ktap *t)
{
	spec_replays(t, ktap_long ? "nc1,fm1,gc --shape place" : "nc1,fm1,gc atomic --shape place");
	spec_replays(t, "cpu,fm1,gn --shape place");
}

static void moves_with_the_exporters_device(struct ktap *t)
{
	spec_replays(t,
		     ktap_long ? "cpu,nc1,xn,gn atomic --shape place" : "cpu,xn,gn --shape place");
}

static void tables_nobody_widens(struct ktap *t)
{
	spec_replays(t, "cpu,nr1,nw1 leave --shape linux");
	spec_replays(t, "cpu,nr1,nw1 leave --shape arm");
	spec_replays(t, "co,nr1,nx1 leave atomic --shape linux");
}

static void mappings_that_are_not_kept(struct ktap *t)
{
	spec_replays(t, ktap_long ? "cpu,fb1,nx1 leave --shape linux" : "nx1,fb1 --shape linux");
	spec_replays(t, ktap_long ? "cpu,fm1,nr1,nw1 leave --shape arm"
				  : "nr1,fm1,nw1 atomic leave --shape arm");
}

static void mistaken_protocols_differ(struct ktap *t)
{
	static const char *const graphs[] = {
		"cpu,nc1 pull-marks-all atomic --shape ranges",
		"cpu,nc1 end-marks-all atomic --shape ranges",
		"cpu,nc1 open-everywhere atomic --shape ranges",
		"cpu,nc1 pull-first-only atomic --shape ranges",
		"cpu,xn own-begin-does-nothing --shape exporter",
		"cpu,xn own-end-does-nothing --shape exporter",
		"b1,xn bracket-untold atomic --shape exporter",
		"yc,nc1 trust-untold --shape exporter",
		"b1,yn trust-untold atomic --shape exporter",
		"cpu,nc1,gn move-reads-raw --shape place",
		"cpu,nc1,gn move-writes-raw --shape place",
		"cpu,nc1,gn move-fetches-nothing --shape place",
		"cpu,nc1,gc move-keeps-whole --shape place",
		"cpu,b1,gc leave-nothing atomic --shape place",
		"cpu,nr1,nw1 any-table --shape linux",
		"cpu,nw1 narrow-on-arm --shape arm",
		"cpu,nx1 leave-stale leave --shape linux",
		"nr1,fb1 bracket-untold --shape linux",
		"cpu,fb1 own-begin-does-nothing --shape linux",
		"cpu,fm1 own-end-does-nothing --shape linux",
		"cpu,fb1 from-copies-nothing-in --shape linux",
	};

	spec_differs(t, graphs, ARRAY_SIZE(graphs));
}

static void mistaken_hardware_differs(struct ktap *t)
{
	static const char *const graphs[] = {
		"cpu,nc1 atomic --shape ranges",
		"b1,xn atomic --shape exporter",
	};

	spec_notices(t, graphs, ARRAY_SIZE(graphs));
}

KTAP_MAIN(KTAP_CASE(two_ranges_step_by_step), KTAP_CASE(two_ranges_and_a_slot),
	  KTAP_CASE(two_brackets_of_two_ranges), KTAP_CASE(exporter_that_tells),
	  KTAP_CASE(exporter_that_does_not_tell), KTAP_CASE(moves_with_memory),
	  KTAP_CASE(moves_with_a_slot), KTAP_CASE(moves_with_importers_that_follow),
	  KTAP_CASE(moves_with_the_exporters_device), KTAP_CASE(tables_nobody_widens),
	  KTAP_CASE(mappings_that_are_not_kept), KTAP_CASE(mistaken_protocols_differ),
	  KTAP_CASE(mistaken_hardware_differs))
