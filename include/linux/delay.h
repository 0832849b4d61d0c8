/* SPDX-License-Identifier: MIT */
/*
 * delay.h - let time pass
 *
 * udelay() and ndelay() keep the CPU: anywhere.  The others sleep, at least as long as asked.
 */
#ifndef _LINUX_DELAY_H
#define _LINUX_DELAY_H

#include <linux/jiffies.h>

void ndelay(unsigned long nsecs);
void udelay(unsigned long usecs);
void mdelay(unsigned long msecs);

void msleep(unsigned int msecs);
/* msleep_interruptible - milliseconds left when a signal came, else 0 */
unsigned long msleep_interruptible(unsigned int msecs);
void usleep_range(unsigned long min_us, unsigned long max_us);
void fsleep(unsigned long usecs);
static inline void ssleep(unsigned int seconds)
{
	msleep(seconds * 1000);
}

#endif
