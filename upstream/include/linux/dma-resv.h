/* SPDX-License-Identifier: MIT */
/*
 * dma-resv.h - Linux 6.12's own header, whose locks are counted as ours are (<linux/dma-cost.h>)
 */
#ifndef UPSTREAM_DMA_RESV_H
#define UPSTREAM_DMA_RESV_H

#include <linux/dma-cost.h>
#include <linux/ww_mutex.h>

static inline int rival_count_lock(int ret)
{
	if (!ret)
		dma_cost_add(DMA_COST_RESV_LOCKS, 1);
	return ret;
}

#define ww_mutex_lock(lock, ctx) rival_count_lock(ww_mutex_lock(lock, ctx))
#define ww_mutex_lock_interruptible(lock, ctx) \
	rival_count_lock(ww_mutex_lock_interruptible(lock, ctx))
#define ww_mutex_trylock(lock, ctx) (!rival_count_lock(!ww_mutex_trylock(lock, ctx)))
#include_next <linux/dma-resv.h>
#undef ww_mutex_lock
#undef ww_mutex_lock_interruptible
#undef ww_mutex_trylock

#endif
