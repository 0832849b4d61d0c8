/* SPDX-License-Identifier: MIT */
/*
 * sleeps-under-spinlock.c - an importer that takes its list apart with the list's spinlock held
 *
 * Report: ROCm/rocm-xio#180: "move dma-buf teardown out of vram_buffers_lock spinlock"
 * Wrong: unmap, detach and put may sleep
 * Rule: nothing that may sleep is called in atomic context
 */
#include <linux/spinlock.h>

#include "importer.h"

static DEFINE_SPINLOCK(buffers_lock);
static unsigned int buffers; /* guarded by buffers_lock */

static int xio_open(struct check_import *import)
{
	int ret = importer_open(import);

	if (ret)
		return ret;
	spin_lock(&buffers_lock);
	buffers++;
	spin_unlock(&buffers_lock);
	return 0;
}

static void xio_close(struct check_import *import)
{
	spin_lock(&buffers_lock);
	buffers--;
#ifdef FIXED
	spin_unlock(&buffers_lock);
	importer_close(import);
#else
	importer_close(import);
	spin_unlock(&buffers_lock);
#endif
}

DMABUF_CHECK({ .name = "sleeps-under-spinlock",
	       .open = xio_open,
	       .access = importer_job,
	       .close = xio_close });
