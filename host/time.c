/* SPDX-License-Identifier: MIT */
/* time.c - delays and sleeps on the port's clock, and random bytes */
#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/random.h>
#include <linux/sched.h>

void ndelay(unsigned long nsecs)
{
	u64 end = port_time_ns() + nsecs;

	while (port_time_ns() < end)
		cpu_relax();
}

void udelay(unsigned long usecs)
{
	ndelay(usecs * NSEC_PER_USEC);
}

void mdelay(unsigned long msecs)
{
	ndelay(msecs * NSEC_PER_MSEC);
}

void msleep(unsigned int msecs)
{
	long timeout = (long)msecs_to_jiffies(msecs);

	while (timeout)
		timeout = schedule_timeout_uninterruptible(timeout);
}

unsigned long msleep_interruptible(unsigned int msecs)
{
	long timeout = (long)msecs_to_jiffies(msecs);

	while (timeout && !signal_pending(current))
		timeout = schedule_timeout_interruptible(timeout);
	return jiffies_to_msecs(timeout);
}

/* Finer than a jiffy, so not by schedule_timeout(): nobody else knows the word, it ends by time
 * alone. */
void usleep_range(unsigned long min_us, unsigned long max_us)
{
	u64 end = port_time_ns() + (u64)min_us * NSEC_PER_USEC;
	const u32 nobody = 0;

	might_sleep();
	for (;;) {
		s64 left = (s64)(end - port_time_ns());

		if (left <= 0)
			break;
		port_wait(&nobody, 0, left);
	}
}

void fsleep(unsigned long usecs)
{
	if (usecs <= 10)
		udelay(usecs);
	else
		usleep_range(usecs, 2 * usecs);
}

void get_random_bytes(void *buf, size_t len)
{
	u8 *pos = buf;

	while (len) {
		u64 word = port_random();
		size_t part = min(len, sizeof(word));

		memcpy(pos, &word, part);
		pos += part;
		len -= part;
	}
}
