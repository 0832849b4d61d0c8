/* SPDX-License-Identifier: MIT */
/*
 * rcu.c - our own engine (host/rcu.h): grace periods by epochs
 *
 * Why one barrier is enough.  The writer unlinks, begins epoch e, makes every thread pass a full
 * barrier (membarrier), then looks at every thread.
 *   - A reader whose note of its epoch the look does not find made it after that barrier; so it
 *     follows pointers after it, too, and sees them unlinked.
 *   - A reader that noted e or later read it by acquire from the store that came after the
 *     unlinking.
 *   - All others are found in an epoch before e and waited for.
 * Epochs are 64 bits and only grow: unlike a phase that flips, an old note can only delay, never
 * deceive.
 *
 * Deliberately not here: callbacks; host/rcu-callbacks.c has them for every engine.
 */
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include "host/rcu.h"
#include "host/task.h"

u64 host_rcu_epoch = 1;

/* One grace period at a time. */
static DEFINE_MUTEX(gp_lock);

/* Readers are short: first let them go on, then look now and then. */
static void gp_pause(unsigned int tries)
{
	const u32 nobody = 0;

	if (tries < 10)
		port_yield();
	else
		port_wait(&nobody, 0, min(tries, 100u) * 10 * NSEC_PER_USEC);
}

void host_rcu_grace_period(void)
{
	unsigned int tries = 0;
	u64 epoch;

	mutex_lock(&gp_lock);
	epoch = host_rcu_epoch + 1;
	smp_store_release(&host_rcu_epoch, epoch);
	port_barrier_all();
	while (host_task_reader_before(epoch))
		gp_pause(tries++);
	mutex_unlock(&gp_lock);
}

void host_rcu_fork_prepare(void)
{
}

void host_rcu_fork_parent(void)
{
}

/* Whoever held it stayed behind. */
void host_rcu_fork_child(void)
{
	mutex_init(&gp_lock);
}
