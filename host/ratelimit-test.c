/* SPDX-License-Identifier: MIT */
/* So many in so long: with an interval that does not end, and with one that does. */
#include <linux/device.h>
#include <linux/ratelimit.h>
#include "tests/ktap.h"

static int passed(struct ratelimit_state *rs, int calls)
{
	int n = 0;

	while (calls--)
		n += __ratelimit(rs);
	return n;
}

static void a_burst_and_no_more(struct ktap *t)
{
	DEFINE_RATELIMIT_STATE(rs, 100000 * HZ, 3);

	KT_EQ(t, passed(&rs, 10), 3);
	KT_EQ(t, rs.missed, 7);
	KT_EQ(t, passed(&rs, 10), 0);
	ratelimit_state_exit(&rs);
	KT_EQ(t, rs.missed, 0);
}

static void the_next_interval_begins_anew(struct ktap *t)
{
	struct ratelimit_state rs;

	ratelimit_state_init(&rs, 100000 * HZ, 2);
	KT_EQ(t, passed(&rs, 5), 2);
	/* Long ago. */
	rs.begin -= 100000 * HZ + 1;
	KT_EQ(t, passed(&rs, 5), 2);
	KT_EQ(t, rs.missed, 3);
	ratelimit_set_flags(&rs, RATELIMIT_MSG_ON_RELEASE);
	rs.begin -= 100000 * HZ + 1;
	KT_EQ(t, passed(&rs, 1), 1);
	KT_EQ(t, rs.missed, 3);
	ratelimit_state_exit(&rs);
}

static void zero_is_all_or_nothing(struct ktap *t)
{
	DEFINE_RATELIMIT_STATE(all, 0, 0);
	DEFINE_RATELIMIT_STATE(none, HZ, 0);

	KT_EQ(t, passed(&all, 50), 50);
	KT_EQ(t, passed(&none, 50), 0);
}

static void places_have_their_own(struct ktap *t)
{
	struct device dev = { .init_name = "noisy" };
	unsigned long end = jiffies + DEFAULT_RATELIMIT_INTERVAL;
	int evaluated = 0;

	for (int i = 0; i < 2 * DEFAULT_RATELIMIT_BURST; i++) {
		pr_debug_ratelimited("%d\n", ++evaluated);
		dev_dbg_ratelimited(&dev, "%d\n", i);
	}
	/* A second burst only if the machine stood still for five seconds. */
	if (time_before(jiffies, end))
		KT_EQ(t, evaluated, DEFAULT_RATELIMIT_BURST);
}

KTAP_MAIN(KTAP_CASE(a_burst_and_no_more), KTAP_CASE(the_next_interval_begins_anew),
	  KTAP_CASE(zero_is_all_or_nothing), KTAP_CASE(places_have_their_own))
