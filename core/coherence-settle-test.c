/* SPDX-License-Identifier: MIT */
/*
 * coherence-settle-test.c - what the directory does before an exporter copies behind its back
 *
 * What a whole exporter shows of it is in exporter-syncs-test.c.  These are about stores of bytes
 * that are there already: they make lines dirty, which its machine's caches do not see.
 */
#include <linux/kernel.h>

#include "tests/ktap.h"
#include "test-coherence.h"

/* Lines that it will store to are not old ones. */
static void old_lines_are_not_made_dirty(struct ktap *t)
{
	struct setup s;

	set_up(&s, SZ_4K, "MB");
	uses(&s, 0, COHERENCE_WRITE);
	KT_EQ(t, whole(&s, 0), M);
	coherence_settle_idle(&s.c, false);
	KT_EQ(t, whole(&s, 0), C | M);
	tear_down(&s);
}

/* What a slot alone has waits for who asks, unless memory goes over it. */
static void a_slot_is_emptied_before_it_is_filled(struct ktap *t)
{
	struct setup s;

	set_up(&s, SZ_4K, "B");
	uses(&s, 0, COHERENCE_WRITE);
	coherence_settle_idle(&s.c, false);
	KT_EQ(t, whole(&s, 0) & C, 0);
	coherence_settle_idle(&s.c, true);
	KT_CHECK(t, whole(&s, 0) & C);
	tear_down(&s);
}

/* The lines that it stored to are cleaned for who goes past them. */
static void what_it_may_have_stored_is_cleaned(struct ktap *t)
{
	struct setup s;

	set_up(&s, SZ_4K, "MB");
	coherence_cpu_flush(&s.c);
	test_hardware_forget(&s.hw);
	uses(&s, 0, COHERENCE_WRITE);
	KT_CHECK(t, did(&s, 0, 'c', 0, SZ_4K) || did(&s, 0, 'x', 0, SZ_4K));
	tear_down(&s);
}

KTAP_MAIN(KTAP_CASE(old_lines_are_not_made_dirty), KTAP_CASE(a_slot_is_emptied_before_it_is_filled),
	  KTAP_CASE(what_it_may_have_stored_is_cleaned))
