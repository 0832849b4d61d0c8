/* SPDX-License-Identifier: MIT */
/*
 * ratelimit.h - at most so many in so long a time
 *
 * Invariants
 *   RL1  In each interval, which begins with the first call after the one before has ended, burst
 *        calls are let through.
 *   RL2  An interval of 0 lets everything through; a burst of 0 with another interval, nothing.
 *
 * When an interval ends in which calls were held back, one line says how many, unless
 * RATELIMIT_MSG_ON_RELEASE asks for that at ratelimit_state_exit().
 * Context: any.  Semantics: Linux 6.12.
 */
#ifndef _LINUX_RATELIMIT_H
#define _LINUX_RATELIMIT_H

#include <linux/bits.h>
#include <linux/jiffies.h>
#include <linux/printk.h>
#include <linux/spinlock.h>

#define DEFAULT_RATELIMIT_INTERVAL (5 * HZ)
#define DEFAULT_RATELIMIT_BURST 10
#define RATELIMIT_MSG_ON_RELEASE BIT(0)

struct ratelimit_state {
	raw_spinlock_t lock;

	int interval; /* jiffies */
	int burst;
	unsigned long flags;

	/* under lock */
	bool running; /* an interval has begun, at: */
	unsigned long begin;
	int printed;
	int missed;
};

#define RATELIMIT_STATE_INIT_FLAGS(name, interval_, burst_, flags_)                 \
	{                                                                           \
		.lock = __SPIN_LOCK_UNLOCKED((name).lock), .interval = (interval_), \
		.burst = (burst_), .flags = (flags_)                                \
	}
#define RATELIMIT_STATE_INIT(name, interval_, burst_) \
	RATELIMIT_STATE_INIT_FLAGS(name, interval_, burst_, 0)
#define DEFINE_RATELIMIT_STATE(name, interval_, burst_) \
	struct ratelimit_state name = RATELIMIT_STATE_INIT(name, interval_, burst_)

static inline void ratelimit_state_init(struct ratelimit_state *rs, int interval, int burst)
{
	*rs = (struct ratelimit_state){ .interval = interval, .burst = burst };
	raw_spin_lock_init(&rs->lock);
}

static inline void ratelimit_default_init(struct ratelimit_state *rs)
{
	ratelimit_state_init(rs, DEFAULT_RATELIMIT_INTERVAL, DEFAULT_RATELIMIT_BURST);
}

static inline void ratelimit_set_flags(struct ratelimit_state *rs, unsigned long flags)
{
	rs->flags = flags;
}

/** __ratelimit - may this one pass? @func is named when calls were held back */
int ___ratelimit(struct ratelimit_state *rs, const char *func);
#define __ratelimit(state) ___ratelimit(state, __func__)

/** ratelimit_state_exit - the end of a state: the line that RATELIMIT_MSG_ON_RELEASE has put off */
void ratelimit_state_exit(struct ratelimit_state *rs);

/* Each place of a program that uses one of these has a limit of its own. */
#define printk_ratelimited(fmt, ...)                                           \
	({                                                                     \
		static DEFINE_RATELIMIT_STATE(rs_, DEFAULT_RATELIMIT_INTERVAL, \
					      DEFAULT_RATELIMIT_BURST);        \
		if (__ratelimit(&rs_))                                         \
			printk(fmt, ##__VA_ARGS__);                            \
	})
#define pr_err_ratelimited(fmt, ...) printk_ratelimited(KERN_ERR pr_fmt(fmt), ##__VA_ARGS__)
#define pr_warn_ratelimited(fmt, ...) printk_ratelimited(KERN_WARNING pr_fmt(fmt), ##__VA_ARGS__)
#define pr_notice_ratelimited(fmt, ...) printk_ratelimited(KERN_NOTICE pr_fmt(fmt), ##__VA_ARGS__)
#define pr_info_ratelimited(fmt, ...) printk_ratelimited(KERN_INFO pr_fmt(fmt), ##__VA_ARGS__)
#define pr_debug_ratelimited(fmt, ...) printk_ratelimited(KERN_DEBUG pr_fmt(fmt), ##__VA_ARGS__)

/* With <linux/device.h>. */
#define dev_err_ratelimited(dev, fmt, ...) \
	pr_err_ratelimited("%s: " fmt, dev_name(dev), ##__VA_ARGS__)
#define dev_warn_ratelimited(dev, fmt, ...) \
	pr_warn_ratelimited("%s: " fmt, dev_name(dev), ##__VA_ARGS__)
#define dev_info_ratelimited(dev, fmt, ...) \
	pr_info_ratelimited("%s: " fmt, dev_name(dev), ##__VA_ARGS__)
#define dev_dbg_ratelimited(dev, fmt, ...) \
	pr_debug_ratelimited("%s: " fmt, dev_name(dev), ##__VA_ARGS__)

#endif
