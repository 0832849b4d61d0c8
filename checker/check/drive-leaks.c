/* SPDX-License-Identifier: MIT */
/* drive-leaks.c - what does a driver have more of after each buffer, and when it is gone? see drive.h */
#include "checker/check/own.h"

#include <linux/delay.h>
#include <linux/file.h>
#include <linux/rcupdate.h>

#include "checker/check/bench.h"
#include "checker/check/drive.h"
#include "checker/check/watch-pages.h"
#include "checker/check/watch-threads.h"

#define ROUNDS 16 /* more than any pool keeps */
#define TICK_MS 10
/* A worker of the driver's may be freeing still: so long in a round, and before it is told. */
#define TICKS_OF_ROUND 10
#define TICKS_AT_LAST 300
#define TICKS_IN_HASTE 20

bool drive_hasty;

static int export_one(const struct check_adapter *adapter)
{
	struct check_export buffer = { .dev = bench.other, .size = BENCH_BYTES };
	int ret = adapter->export(&buffer);

	if (!ret)
		adapter->release(&buffer);
	return ret;
}

static enum dma_data_direction some_direction(const struct check_adapter *adapter)
{
	return !adapter->dirs || adapter->dirs & CHECK_DIR(DMA_TO_DEVICE) ? DMA_TO_DEVICE
	       : adapter->dirs & CHECK_DIR(DMA_FROM_DEVICE)               ? DMA_FROM_DEVICE
									  : DMA_BIDIRECTIONAL;
}

static int import_one(const struct check_adapter *adapter)
{
	struct check_import import = { .dev = bench.dev, .dir = some_direction(adapter) };
	int ret;

	import.dmabuf = bench_export(false);
	if (IS_ERR(import.dmabuf))
		return PTR_ERR(import.dmabuf);
	ret = adapter->open(&import);
	if (!ret)
		adapter->close(&import);
	dma_buf_put(import.dmabuf);
	return ret;
}

static int run_one(const struct check_adapter *adapter)
{
	struct dma_buf *dmabuf = bench_export(false);
	int ret;

	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	ret = adapter->run(bench.dev, dmabuf);
	dma_buf_put(dmabuf);
	return ret;
}

struct left {
	unsigned int pages, threads;
};

/* Waits for @ticks at most until it is not more than @wanted. */
static struct left left_when_quiet(const char *name, struct left wanted, unsigned int ticks)
{
	struct left left;

	flush_delayed_fput();
	rcu_barrier();
	for (;;) {
		left = (struct left){ watch_pages_left(), watch_threads_left() };
		if ((left.pages <= wanted.pages && left.threads <= wanted.threads) || !ticks--)
			return left;
		check_at("%s: what is left", name);
		msleep(TICK_MS);
	}
}

static unsigned int ticks_at_last(void)
{
	return drive_hasty ? TICKS_IN_HASTE : TICKS_AT_LAST;
}

/* A pool is full after some rounds; what grows each time is forgotten. */
static void rounds(const struct check_adapter *adapter,
		   int (*one)(const struct check_adapter *adapter))
{
	struct left none = {}, first = left_when_quiet(adapter->name, none, 0);
	struct left now = first, before;
	bool pages = true, threads = true;

	for (unsigned int round = 0; round < ROUNDS; round++) {
		before = now;
		check_at("%s: buffers come and go", adapter->name);
		if (drive_failed(NULL, adapter->name, "what worked before", one(adapter)))
			return;
		now = left_when_quiet(adapter->name, before, TICKS_OF_ROUND);
		pages &= now.pages > before.pages;
		threads &= now.threads > before.threads;
		if (!pages && !threads)
			return;
	}
	now = left_when_quiet(adapter->name, first, ticks_at_last());
	if (pages && now.pages > first.pages)
		watch_pages_tell(CHECK_LIFE_11, "are more after each buffer that came and went");
	if (threads && now.threads > first.threads)
		watch_threads_tell(CHECK_LIFE_13, "are more after each buffer that came and went");
}

void drive_leaks(const struct check_adapter *adapter)
{
	if (adapter->export)
		rounds(adapter, export_one);
	if (adapter->open)
		rounds(adapter, import_one);
	if (adapter->run)
		rounds(adapter, run_one);
}

bool drive_gone(void)
{
	struct left none = {}, left = left_when_quiet("module_exit()", none, ticks_at_last());

	/* What else is left of a driver that breaks rules may come of that. */
	if (!check_any_found()) {
		watch_threads_tell(CHECK_LIFE_14, "run on when it is gone");
		watch_pages_tell(CHECK_LIFE_12, "are not free when the driver is gone");
	}
	return !left.threads;
}
