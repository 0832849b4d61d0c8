/* SPDX-License-Identifier: MIT */
/*
 * mm.h - what an allocation may do, said by who allocates
 *
 * DIFFERS: memory is never reclaimed through a driver, so the scopes that forbid it change nothing.
 * To the validator of lock order an allocation that may wait waits for reclaim all the same.
 */
#ifndef _LINUX_SCHED_MM_H
#define _LINUX_SCHED_MM_H

#include <linux/gfp.h>
#include <linux/lockdep.h>
#include <linux/sched.h>

/* might_alloc - an allocation with @gfp may follow: WARNs where it might sleep and must not */
static inline void might_alloc(gfp_t gfp)
{
	might_sleep_if(gfpflags_allow_blocking(gfp));
	if (IS_ENABLED(HOST_LOCKDEP) && (gfp & GFP_KERNEL) == GFP_KERNEL)
		host_might_reclaim();
}

static inline void fs_reclaim_acquire(gfp_t gfp)
{
	might_alloc(gfp);
}

static inline void fs_reclaim_release(gfp_t gfp)
{
}

static inline unsigned int memalloc_nofs_save(void)
{
	return 0;
}

static inline void memalloc_nofs_restore(unsigned int flags)
{
}

static inline unsigned int memalloc_noio_save(void)
{
	return 0;
}

static inline void memalloc_noio_restore(unsigned int flags)
{
}

#endif
