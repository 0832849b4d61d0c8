/* SPDX-License-Identifier: MIT */
/* drive-import.c - a driver as importer; see drive.h */
#include "checker/check/own.h"

#include <linux/dma-fence.h>
#include <linux/jiffies.h>
#include <linux/slab.h>

#include <stdio.h>
#include <stdlib.h>

#include "checker/check/bench.h"
#include "checker/check/drive.h"
#include "dma/engine.h"

/* What the device is to do, and what came of it. */
struct job {
	struct dma_buf *dmabuf;
	const char *adapter;
	enum check_rule stale; /* what a device that reads other bytes has shown */
	u8 bytes[BENCH_BYTES]; /* in the buffer before a read, or after a write */
	unsigned int runs;
	bool faulted; /* which was told; what the buffer holds now is anybody's guess */
};

bool drive_failed(const struct dma_buf *dmabuf, const char *adapter, const char *what, int ret)
{
	if (ret)
		check_found(CHECK_RUN_04, dmabuf, NULL,
			    "%s: %s() returns %d, though nothing failed", adapter, what, ret);
	return ret;
}

/* --- the hardware ----------------------------------------------------------------------------- */

static bool reads(const struct check_import *import)
{
	return import->dir != DMA_FROM_DEVICE;
}

static void compare(const struct check_import *import, const u8 *seen, const char *who)
{
	const struct job *job = import->checker;
	size_t at = bench_differ(seen, job->bytes, BENCH_BYTES);

	if (at < BENCH_BYTES && !job->faulted)
		check_found(job->stale, job->dmabuf, NULL,
			    "%s reads %#x at byte %zu of %zu, where %#x was written last", who,
			    seen[at], at, (size_t)BENCH_BYTES, job->bytes[at]);
}

static void tell_fault(const struct check_import *import, bool write)
{
	const struct job *job = import->checker;
	struct dma_engine_stats stats;
	bool permission;

	dma_engine_stats(import->dev, &stats);
	permission = stats.last_fault.reason == DMA_FAULT_PERMISSION;
	check_found(permission ? CHECK_DIR_03 : CHECK_LIFE_01, job->dmabuf, NULL,
		    "the device %s address %#llx, which %s", write ? "writes" : "reads",
		    (unsigned long long)stats.last_fault.addr,
		    permission ? "is not mapped for that" : "is not mapped for it");
}

int check_device_runs(struct check_import *import, const struct sg_table *sgt)
{
	struct job *job = import->checker;
	u8 *seen = malloc(BENCH_BYTES);
	int ret = 0;

	job->runs++;
	if (reads(import)) {
		ret = dma_engine_read(import->dev, sgt, 0, seen, BENCH_BYTES);
		if (!ret)
			compare(import, seen, "the device");
	}
	if (!ret && import->dir != DMA_TO_DEVICE) {
		bench_fill(job->bytes, BENCH_BYTES, 100 + job->runs);
		ret = dma_engine_write(import->dev, sgt, 0, job->bytes, BENCH_BYTES);
	}
	free(seen);
	job->faulted |= ret != 0;
	if (ret == -EFAULT)
		tell_fault(import, import->dir != DMA_TO_DEVICE);
	else if (ret)
		check_found(CHECK_LIFE_01, job->dmabuf, NULL,
			    "the device is told of less than the buffer's %zu bytes",
			    (size_t)BENCH_BYTES);
	return ret;
}

int check_cpu_copies(struct check_import *import, void *vaddr)
{
	struct job *job = import->checker;

	job->runs++;
	if (reads(import))
		compare(import, vaddr, "the driver");
	if (import->dir != DMA_TO_DEVICE) {
		bench_fill(job->bytes, BENCH_BYTES, 100 + job->runs);
		memcpy(vaddr, job->bytes, BENCH_BYTES);
	}
	return 0;
}

/* --- one import ------------------------------------------------------------------------------- */

static int access_once(const struct check_adapter *adapter, struct check_import *import)
{
	long left;
	int ret;

	if (!adapter->access)
		return import->sgt ? check_device_runs(import, import->sgt)
				   : check_cpu_copies(import, import->vaddr);
	ret = adapter->access(import);
	if (import->fence) {
		left = dma_fence_wait_timeout(import->fence, false, 5 * HZ);
		drive_failed(import->dmabuf, adapter->name, "its fence", left > 0 ? 0 : -ETIMEDOUT);
		dma_fence_put(import->fence);
		import->fence = NULL;
	}
	return ret;
}

/* The CPU writes before a device reads, and looks at what one wrote. */
static void access_and_look(const struct check_adapter *adapter, struct check_import *import,
			    bool kept)
{
	struct job *job = import->checker;
	unsigned int ran = job->runs;
	u8 *seen = malloc(BENCH_BYTES);
	size_t at;
	int ret;

	job->stale = kept ? CHECK_COH_03 : CHECK_COH_01;
	if (reads(import)) {
		bench_fill(job->bytes, BENCH_BYTES, 1 + job->runs);
		drive_failed(job->dmabuf, "the checker", "begin_cpu_access",
			     bench_cpu(job->dmabuf, true, job->bytes));
	}
	ret = access_once(adapter, import);
	if (!(job->faulted ? ret : drive_failed(job->dmabuf, adapter->name, "access", ret)) &&
	    import->dir != DMA_TO_DEVICE && job->runs > ran) {
		drive_failed(job->dmabuf, "the checker", "begin_cpu_access",
			     bench_cpu(job->dmabuf, false, seen));
		at = bench_differ(seen, job->bytes, BENCH_BYTES);
		if (at < BENCH_BYTES && !job->faulted)
			check_found(
				CHECK_COH_04, job->dmabuf, NULL,
				"the CPU reads %#x at byte %zu of %zu, where the device wrote %#x",
				seen[at], at, (size_t)BENCH_BYTES, job->bytes[at]);
	}
	free(seen);
}

static void look_after(struct job *job, struct check_import *import)
{
	u8 *seen = malloc(BENCH_BYTES);
	size_t at;

	if (job->runs && !bench_cpu(job->dmabuf, false, seen)) {
		at = bench_differ(seen, job->bytes, BENCH_BYTES);
		if (at < BENCH_BYTES && !job->faulted)
			check_found(CHECK_COH_02, job->dmabuf, NULL,
				    "the CPU reads %#x at byte %zu of %zu after the importer has "
				    "gone, where "
				    "%#x was written last",
				    seen[at], at, (size_t)BENCH_BYTES, job->bytes[at]);
	}
	free(seen);
}

static const char *const dir_names[] = { "BIDIRECTIONAL", "TO_DEVICE", "FROM_DEVICE" };

static void import_once(const struct check_adapter *adapter, struct dma_buf *dmabuf,
			enum dma_data_direction dir)
{
	struct job *job = calloc(1, sizeof(*job));
	struct check_import import = {
		.dmabuf = dmabuf,
		.dev = bench.dev,
		.dir = dir,
		.checker = job,
	};

	job->dmabuf = dmabuf;
	job->adapter = adapter->name;
	check_at("%s imports, %s: open", adapter->name, dir_names[dir]);
	if (drive_failed(dmabuf, adapter->name, "open", adapter->open(&import)))
		goto free_job;
	for (unsigned int i = 0; i < 3; i++) {
		check_at("%s imports, %s: access %u", adapter->name, dir_names[dir], i + 1);
		access_and_look(adapter, &import, i > 0);
	}
	check_at("%s imports, %s: close", adapter->name, dir_names[dir]);
	adapter->close(&import);
	look_after(job, &import);
free_job:
	free(job);
}

void drive_importer(const struct check_adapter *adapter)
{
	unsigned int dirs = adapter->dirs ?: 7;

	for (int moves = 0; moves < 2; moves++) {
		for (enum dma_data_direction dir = DMA_BIDIRECTIONAL; dir < DMA_NONE; dir++) {
			struct dma_buf *dmabuf;

			if (!(dirs & CHECK_DIR(dir)))
				continue;
			dmabuf = bench_export(moves);
			import_once(adapter, dmabuf, dir);
			dma_buf_put(dmabuf);
		}
	}
}

void drive_run(const struct check_adapter *adapter)
{
	struct dma_buf *dmabuf = bench_export(false);

	check_at("%s runs", adapter->name);
	drive_failed(dmabuf, adapter->name, "run", adapter->run(bench.dev, dmabuf));
	dma_buf_put(dmabuf);
}
