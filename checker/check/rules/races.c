/* SPDX-License-Identifier: MIT */
/* races.c - an importer that two threads use at once; what it breaks shows in some orders only */
#include <linux/dma-buf.h>
#include <linux/mutex.h>
#include <linux/wait.h>

#include "breaks.h"

static DEFINE_MUTEX(lock);
static DECLARE_WAIT_QUEUE_HEAD(idle);

/* Under lock. */
static unsigned int imported;
static bool busy; /* there is one engine */

/* Counts without the lock when told to. */
static void count(int change)
{
	bool locked = !breaks("RACE-01");

	if (locked)
		mutex_lock(&lock);
	imported += change;
	if (locked)
		mutex_unlock(&lock);
}

static void take_engine(void)
{
	mutex_lock(&lock);
	while (busy) {
		mutex_unlock(&lock);
		wait_event(idle, !READ_ONCE(busy));
		mutex_lock(&lock);
	}
	WRITE_ONCE(busy, true);
	mutex_unlock(&lock);
}

/* Wakes nobody when told to. */
static void give_engine(void)
{
	mutex_lock(&lock);
	WRITE_ONCE(busy, false);
	mutex_unlock(&lock);
	if (!breaks("RACE-02"))
		wake_up(&idle);
}

static int import_open(struct check_import *import)
{
	struct dma_buf_attachment *attach = dma_buf_attach(import->dmabuf, import->dev);

	import->own = attach;
	if (IS_ERR(attach))
		return PTR_ERR(attach);
	count(1);
	return 0;
}

static int import_access(struct check_import *import)
{
	struct dma_buf_attachment *attach = import->own;
	struct sg_table *sgt = dma_buf_map_attachment_unlocked(attach, import->dir);
	int ret;

	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	take_engine();
	ret = check_device_runs(import, sgt);
	give_engine();
	dma_buf_unmap_attachment_unlocked(attach, sgt, import->dir);
	return ret;
}

static void import_close(struct check_import *import)
{
	count(-1);
	dma_buf_detach(import->dmabuf, import->own);
}

DMABUF_CHECK(
	{ .name = "races", .open = import_open, .access = import_access, .close = import_close });
