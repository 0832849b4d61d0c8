/* SPDX-License-Identifier: MIT */
/* drive-leaks.c - does a driver have more pages after each buffer? see drive.h */
#include "checker/check/own.h"

#include <linux/delay.h>
#include <linux/file.h>
#include <linux/rcupdate.h>

#include "checker/check/bench.h"
#include "checker/check/drive.h"
#include "checker/check/watch-pages.h"

#define ROUNDS 16 /* more than any pool keeps */
#define TICK_MS 10
/* A worker of the driver's may be freeing still: so long in a round, and before it is told. */
#define TICKS_OF_ROUND 10
#define TICKS_AT_LAST 300

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

/* Waits for @ticks at most for not more than @wanted. */
static unsigned int used_when_quiet(const struct check_adapter *adapter, unsigned int wanted,
				    unsigned int ticks)
{
	unsigned int used;

	flush_delayed_fput();
	rcu_barrier();
	while ((used = watch_pages_used()) > wanted && ticks--) {
		check_at("%s: buffers come and go", adapter->name);
		msleep(TICK_MS);
	}
	return used;
}

/* A pool is full after some rounds; what grows each time is forgotten. */
static void rounds(const struct check_adapter *adapter,
		   int (*one)(const struct check_adapter *adapter))
{
	unsigned int first = watch_pages_used(), used = first, before;

	for (unsigned int round = 0; round < ROUNDS; round++) {
		before = used;
		if (drive_failed(NULL, adapter->name, "what worked before", one(adapter)))
			return;
		used = used_when_quiet(adapter, before, TICKS_OF_ROUND);
		if (used <= before)
			return;
	}
	if (used_when_quiet(adapter, first, TICKS_AT_LAST) > first)
		watch_pages_left(CHECK_LIFE_11, "are more after each buffer that came and went");
}

void drive_leaks(const struct check_adapter *adapter)
{
	check_at("%s: buffers come and go", adapter->name);
	if (adapter->export)
		rounds(adapter, export_one);
	if (adapter->open)
		rounds(adapter, import_one);
}
