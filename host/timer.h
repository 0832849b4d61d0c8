/* SPDX-License-Identifier: MIT */
/* timer.h - the order in which a fork takes the locks of those who use timers under their own */
#ifndef HOST_TIMER_H
#define HOST_TIMER_H

/**
 * host_timer_fork_init - let a fork take the timers' lock after those registered from now on
 *
 * Whoever starts timers under a lock of his own, and takes that around a fork, calls this before
 * pthread_atfork().  Context: may sleep.
 */
void host_timer_fork_init(void);

#endif
