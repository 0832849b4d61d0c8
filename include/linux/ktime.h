/* SPDX-License-Identifier: MIT */
/* ktime.h - nanoseconds, signed: ktime_get() since some moment in the past, ktime_get_real() since
 * 1970 */
#ifndef _LINUX_KTIME_H
#define _LINUX_KTIME_H

#include <linux/compiler.h>
#include <linux/limits.h>
#include <linux/types.h>

typedef s64 ktime_t;

#define NSEC_PER_USEC 1000L
#define NSEC_PER_MSEC 1000000L
#define NSEC_PER_SEC 1000000000L
#define USEC_PER_MSEC 1000L
#define USEC_PER_SEC 1000000L
#define MSEC_PER_SEC 1000L
#define KTIME_MAX S64_MAX
#define KTIME_MIN S64_MIN

struct timespec64 {
	s64 tv_sec;
	long tv_nsec;
};

static inline ktime_t ktime_get(void)
{
	return (ktime_t)port_time_ns();
}

static inline ktime_t ktime_get_real(void)
{
	return (ktime_t)port_real_ns();
}

#define ktime_get_boottime() ktime_get()
#define ktime_get_raw() ktime_get()
#define ktime_get_ns() ((u64)ktime_get())
#define ktime_get_raw_ns() ((u64)ktime_get())
#define ktime_get_boottime_ns() ((u64)ktime_get())
#define ktime_get_real_ns() ((u64)ktime_get_real())
#define ktime_get_real_seconds() ((s64)(ktime_get_real() / NSEC_PER_SEC))

static inline ktime_t ktime_set(s64 secs, unsigned long nsecs)
{
	return secs >= S64_MAX / NSEC_PER_SEC ? KTIME_MAX : secs * NSEC_PER_SEC + (s64)nsecs;
}

#define ktime_add(a, b) ((ktime_t)((a) + (b)))
#define ktime_sub(a, b) ((ktime_t)((a) - (b)))
#define ktime_add_ns(t, ns) ((ktime_t)((t) + (s64)(ns)))
#define ktime_sub_ns(t, ns) ((ktime_t)((t) - (s64)(ns)))
#define ktime_add_us(t, us) ktime_add_ns(t, (s64)(us)*NSEC_PER_USEC)
#define ktime_add_ms(t, ms) ktime_add_ns(t, (s64)(ms)*NSEC_PER_MSEC)

static inline int ktime_compare(ktime_t a, ktime_t b)
{
	return a < b ? -1 : a > b;
}

static inline bool ktime_after(ktime_t a, ktime_t b)
{
	return a > b;
}

static inline bool ktime_before(ktime_t a, ktime_t b)
{
	return a < b;
}

#define ktime_to_ns(t) ((s64)(t))
#define ktime_to_us(t) ((s64)(t) / NSEC_PER_USEC)
#define ktime_to_ms(t) ((s64)(t) / NSEC_PER_MSEC)
#define ktime_us_delta(later, earlier) ktime_to_us(ktime_sub(later, earlier))
#define ktime_ms_delta(later, earlier) ktime_to_ms(ktime_sub(later, earlier))
#define ns_to_ktime(ns) ((ktime_t)(ns))
#define us_to_ktime(us) ((ktime_t)(us)*NSEC_PER_USEC)
#define ms_to_ktime(ms) ((ktime_t)(ms)*NSEC_PER_MSEC)

static inline struct timespec64 ns_to_timespec64(s64 ns)
{
	struct timespec64 ts = { .tv_sec = ns / NSEC_PER_SEC, .tv_nsec = ns % NSEC_PER_SEC };

	if (ts.tv_nsec < 0) {
		ts.tv_sec--;
		ts.tv_nsec += NSEC_PER_SEC;
	}
	return ts;
}

#define ktime_to_timespec64(t) ns_to_timespec64(t)

static inline s64 timespec64_to_ns(const struct timespec64 *ts)
{
	return ts->tv_sec * NSEC_PER_SEC + ts->tv_nsec;
}

#endif
