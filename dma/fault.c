/* SPDX-License-Identifier: MIT */
/*
 * fault.c - see fault.h
 */
#include <linux/atomic.h>
#include "dma/fault.h"
#include "dma/view.h"

void (*dma_between_steps)(void);

void dma_fault_skip_sync(struct device *dev, unsigned int count)
{
	struct dma_view *view = dma_view_of(dev);

	if (view)
		atomic_set(&view->skip, count);
}

unsigned int dma_fault_skipped(struct device *dev)
{
	struct dma_view *view = dma_view_of(dev);

	return view ? atomic_read(&view->skipped) : 0;
}

bool dma_fault_swallow(struct dma_view *view)
{
	if (!atomic_read(&view->skip) || !atomic_add_unless(&view->skip, -1, 0))
		return false;
	atomic_inc(&view->skipped);
	return true;
}
