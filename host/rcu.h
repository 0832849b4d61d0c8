/* SPDX-License-Identifier: MIT */
/*
 * rcu.h - what an engine of grace periods gives to RCU, and what it is given
 *
 * Two engines: host/rcu.c, our own, and host/rcu-liburcu.c, which stands on liburcu-bp; meson's
 * option `rcu` says which one is built in.  Who reads, queues or waits sees <linux/rcupdate.h>
 * alone.
 *
 * Invariants
 *   1  When host_rcu_grace_period() returns, every reader section that had begun before the call
 *      has ended.
 *   2  This header names no type of the kernel's: liburcu's headers have a struct rcu_head of their
 *      own, so the source that includes them includes no <linux/...>.
 */
#ifndef HOST_RCU_H
#define HOST_RCU_H

/**
 * host_rcu_grace_period - wait for all reader sections that run now
 *
 * Context: sleeps, outside reader sections; synchronize_rcu() sees to that.
 * Ordering: what those sections did happened before it returns; what the caller did before it is
 * seen by every section that it does not wait for.
 */
void host_rcu_grace_period(void);

/*
 * Around a fork, in the thread that forks; in the child only that thread's section, if it is in
 * one, goes on.
 */
void host_rcu_fork_prepare(void);
void host_rcu_fork_parent(void);
void host_rcu_fork_child(void);

/** host_rcu_follow_forks - after the first call forks call these three. Context: anywhere */
void host_rcu_follow_forks(void);

/*
 * The outermost beginning and end of a reader section, for an engine that does not read
 * task->rcu_epoch.  Under the label that drivers outside the library link.
 */
void host_rcu_enter(void) __asm__("ldb_host_rcu_enter");
void host_rcu_leave(void) __asm__("ldb_host_rcu_leave");

#endif
