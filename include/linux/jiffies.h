/* SPDX-License-Identifier: MIT */
/*
 * jiffies.h - time in ticks of 1/HZ second
 *
 * Conversions to jiffies round up, so a wait is never shorter than asked; a negative time, or one
 * too large, is MAX_JIFFY_OFFSET.
 */
#ifndef _LINUX_JIFFIES_H
#define _LINUX_JIFFIES_H

#include <linux/ktime.h>

#define HZ 1000
#define NSEC_PER_JIFFY (NSEC_PER_SEC / HZ)
#define TICK_NSEC NSEC_PER_JIFFY
#define MAX_JIFFY_OFFSET ((LONG_MAX >> 1) - 1)

/* jiffies - ticks of the monotonic clock. DIFFERS: each use asks the clock */
#define jiffies ((unsigned long)(port_time_ns() / NSEC_PER_JIFFY))
#define get_jiffies_64() ((u64)jiffies)
#define jiffies_64 get_jiffies_64()

/* a after b, also when the count has wrapped between them */
#define time_after(a, b) ((long)((unsigned long)(b) - (unsigned long)(a)) < 0)
#define time_before(a, b) time_after(b, a)
#define time_after_eq(a, b) ((long)((unsigned long)(a) - (unsigned long)(b)) >= 0)
#define time_before_eq(a, b) time_after_eq(b, a)
#define time_is_before_jiffies(a) time_after(jiffies, a)
#define time_is_after_jiffies(a) time_before(jiffies, a)

static inline unsigned long nsecs_to_jiffies(u64 ns)
{
	return (unsigned long)(ns / NSEC_PER_JIFFY);
}

#define nsecs_to_jiffies64(ns) ((u64)nsecs_to_jiffies(ns))

static inline unsigned long msecs_to_jiffies(unsigned int ms)
{
	return (int)ms < 0 ? (unsigned long)MAX_JIFFY_OFFSET
			   : (unsigned long)(((u64)ms * HZ + MSEC_PER_SEC - 1) / MSEC_PER_SEC);
}

static inline unsigned long usecs_to_jiffies(unsigned int us)
{
	return (int)us < 0 ? (unsigned long)MAX_JIFFY_OFFSET
			   : (unsigned long)(((u64)us * HZ + USEC_PER_SEC - 1) / USEC_PER_SEC);
}

static inline unsigned int jiffies_to_msecs(unsigned long j)
{
	return (unsigned int)(j * (MSEC_PER_SEC / HZ));
}

static inline unsigned int jiffies_to_usecs(unsigned long j)
{
	return (unsigned int)(j * (USEC_PER_SEC / HZ));
}

static inline u64 jiffies_to_nsecs(unsigned long j)
{
	return (u64)j * NSEC_PER_JIFFY;
}

#endif
