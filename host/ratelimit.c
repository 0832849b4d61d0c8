/* SPDX-License-Identifier: MIT */
/* ratelimit.c - counting by intervals */
#include <linux/ratelimit.h>

/* Caller holds rs->lock: the interval is over. */
static int interval_end(struct ratelimit_state *rs)
{
	int missed = rs->flags & RATELIMIT_MSG_ON_RELEASE ? 0 : rs->missed;

	rs->missed -= missed;
	rs->printed = 0;
	rs->running = false;
	return missed;
}

int ___ratelimit(struct ratelimit_state *rs, const char *func)
{
	unsigned long flags, now = jiffies;
	int missed = 0;
	bool pass;

	if (!rs->interval)
		return 1;
	raw_spin_lock_irqsave(&rs->lock, flags);
	if (rs->running && time_after(now, rs->begin + rs->interval))
		missed = interval_end(rs);
	if (!rs->running) {
		rs->running = true;
		rs->begin = now;
	}
	pass = rs->printed < rs->burst;
	if (pass)
		rs->printed++;
	else
		rs->missed++;
	raw_spin_unlock_irqrestore(&rs->lock, flags);
	if (missed)
		pr_warn("%s: %d callbacks suppressed\n", func, missed);
	return pass;
}

void ratelimit_state_exit(struct ratelimit_state *rs)
{
	if (rs->flags & RATELIMIT_MSG_ON_RELEASE && rs->missed)
		pr_warn("%d output lines suppressed due to ratelimiting\n", rs->missed);
	rs->missed = 0;
}
