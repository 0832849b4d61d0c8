/* SPDX-License-Identifier: MIT */
/* drive-import.c - a driver as importer; see drive.h */
#include "checker/check/own.h"

#include <linux/dma-fence.h>
#include <linux/jiffies.h>
#include <linux/slab.h>

#include <stdio.h>
#include <stdlib.h>

#include "checker/check/bench.h"
#include "checker/check/drive-job.h"
#include "checker/check/drive.h"
#include "checker/check/watch.h"
#include "dma/engine.h"
#include "host/file.h"

bool drive_failed(const struct dma_buf *dmabuf, const char *adapter, const char *what, int ret)
{
	/* What was found already may be the reason. */
	if (ret && !check_any_found())
		check_found(CHECK_RUN_04, dmabuf, NULL,
			    "%s: %s() returns %d, though nothing failed", adapter, what, ret);
	return ret;
}

/* --- the hardware ----------------------------------------------------------------------------- */

static bool reads(const struct check_import *import)
{
	return import->dir != DMA_FROM_DEVICE;
}

static bool writes(const struct check_import *import)
{
	return import->dir != DMA_TO_DEVICE;
}

/* Was another buffer accessed? Then what these two hold is anybody's guess. */
static bool tell_mixed(struct job *job, bool mixed)
{
	if (!mixed)
		return false;
	check_found(CHECK_LIFE_05, job->dmabuf, NULL,
		    "a job of one import accesses the buffer of another one");
	job->faulted = job->beside->faulted = true;
	return true;
}

static void compare(const struct check_import *import, const u8 *seen, const char *who)
{
	struct job *job = import->checker;
	struct check_state state;
	size_t at = bench_differ(seen, job->bytes, BENCH_BYTES);

	if (at == BENCH_BYTES || job->faulted || job->unread)
		return;
	if (!tell_mixed(job, job->beside && bench_differ(seen, job->beside->bytes, BENCH_BYTES) ==
						    BENCH_BYTES))
		check_found(job->stale, job->dmabuf, watch_last(&state),
			    "%s reads %#x at byte %zu of %zu, where %#x was written last", who,
			    seen[at], at, (size_t)BENCH_BYTES, job->bytes[at]);
}

static void tell_fault(const struct check_import *import, bool write)
{
	const struct job *job = import->checker;
	struct dma_engine_stats stats;
	struct check_state state;
	bool permission;

	dma_engine_stats(import->dev, &stats);
	permission = stats.last_fault.reason == DMA_FAULT_PERMISSION;
	check_found(permission ? CHECK_DIR_03 : CHECK_LIFE_01, job->dmabuf, watch_last(&state),
		    "the device %s address %#llx, which %s", write ? "writes" : "reads",
		    (unsigned long long)stats.last_fault.addr,
		    permission ? "is not mapped for that" : "is not mapped for it");
}

/* The bytes of the next write; nobody else changes them meanwhile. */
static void next_bytes(struct job *job)
{
	bench_fill(job->bytes, BENCH_BYTES, 100 + atomic_read(&job->runs));
}

int check_device_runs(struct check_import *import, const struct sg_table *sgt)
{
	struct job *job = import->checker;
	u8 *seen = malloc(BENCH_BYTES);
	int ret = 0;

	if (reads(import)) {
		ret = dma_engine_read(import->dev, sgt, 0, seen, BENCH_BYTES);
		if (!ret)
			compare(import, seen, "the device");
	}
	if (!ret && writes(import)) {
		next_bytes(job);
		ret = dma_engine_write(import->dev, sgt, 0, job->bytes, BENCH_BYTES);
	}
	free(seen);
	if (ret)
		job->faulted = true;
	if (ret == -EFAULT)
		tell_fault(import, writes(import));
	else if (ret)
		check_found(CHECK_LIFE_01, job->dmabuf, NULL,
			    "the device is told of less than the buffer's %zu bytes",
			    (size_t)BENCH_BYTES);
	atomic_inc(&job->runs);
	return ret;
}

int check_cpu_copies(struct check_import *import, void *vaddr)
{
	struct job *job = import->checker;
	struct check_state state;

	if (!watch_cpu_access(job->dmabuf, import->dir))
		check_found(CHECK_COH_05, job->dmabuf, watch_last(&state),
			    "the driver's CPU %s the buffer outside of begin and end",
			    writes(import) ? "writes" : "reads");
	if (reads(import))
		compare(import, vaddr, "the driver");
	if (writes(import)) {
		next_bytes(job);
		memcpy(vaddr, job->bytes, BENCH_BYTES);
	}
	atomic_inc(&job->runs);
	return 0;
}

int check_fd(struct check_import *import)
{
	int fd;

	get_dma_buf(import->dmabuf);
	fd = dma_buf_fd(import->dmabuf, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		dma_buf_put(import->dmabuf);
	return fd;
}

void check_fd_close(int fd)
{
	host_close(fd);
}

/* --- one job ---------------------------------------------------------------------------------- */

bool drive_stuck;

bool job_settled(struct check_import *import)
{
	struct job *job = import->checker;
	/* It was told of one already, here or elsewhere. */
	unsigned int turns = drive_stuck ? 1 : drive_hasty ? BENCH_TURNS / 4 : BENCH_TURNS;

	while (import->fence && turns &&
	       dma_fence_wait_timeout(import->fence, false, BENCH_TURN) <= 0)
		turns--;
	dma_fence_put(import->fence);
	import->fence = NULL;
	if (bench_fences_signal(job->dmabuf->resv, turns))
		return true;
	check_found(CHECK_FENCE_01, job->dmabuf, NULL,
		    "a fence of a job has not signaled after %d s", BENCH_TURNS * BENCH_TURN / HZ);
	job->faulted = job->stuck = drive_stuck = true;
	return false;
}

int job_access(const struct check_adapter *adapter, struct check_import *import)
{
	if (adapter->access)
		return adapter->access(import);
	return import->sgt ? check_device_runs(import, import->sgt)
			   : check_cpu_copies(import, import->vaddr);
}

void job_cpu_writes(struct job *job)
{
	int ret;

	if (job->stuck)
		return;
	ret = bench_cpu_begin(job->dmabuf, DMA_TO_DEVICE);
	if (drive_failed(job->dmabuf, "the checker", "begin_cpu_access", ret))
		return;
	/* What was queued until now has been done. */
	bench_fill(job->bytes, BENCH_BYTES, 1 + atomic_read(&job->runs));
	bench_cpu_copy(job->dmabuf, true, job->bytes);
	bench_cpu_end(job->dmabuf, DMA_TO_DEVICE);
}

/* All of @dmabuf as the CPU reads it, for free(); NULL: it cannot, which was told. */
static u8 *cpu_reads(struct dma_buf *dmabuf)
{
	int ret = bench_cpu_begin(dmabuf, DMA_FROM_DEVICE);
	u8 *seen;

	if (drive_failed(dmabuf, "the checker", "begin_cpu_access", ret))
		return NULL;
	seen = malloc(BENCH_BYTES);
	bench_cpu_copy(dmabuf, false, seen);
	bench_cpu_end(dmabuf, DMA_FROM_DEVICE);
	return seen;
}

/* Did the device write into the other buffer? */
static bool is_beside(const struct job *job)
{
	u8 *seen = job->beside ? cpu_reads(job->beside->dmabuf) : NULL;
	bool is = seen && bench_differ(seen, job->bytes, BENCH_BYTES) == BENCH_BYTES;

	free(seen);
	return is;
}

void job_cpu_looks(struct job *job, enum check_rule rule, const char *when)
{
	u8 *seen = job->stuck ? NULL : cpu_reads(job->dmabuf);
	struct check_state state;
	size_t at = seen ? bench_differ(seen, job->bytes, BENCH_BYTES) : BENCH_BYTES;

	if (at < BENCH_BYTES && !job->faulted && !tell_mixed(job, is_beside(job)))
		check_found(rule, job->dmabuf, watch_last(&state),
			    "the CPU reads %#x at byte %zu of %zu %s, where %#x was written last",
			    seen[at], at, (size_t)BENCH_BYTES, when, job->bytes[at]);
	free(seen);
}

/* --- one import ------------------------------------------------------------------------------- */

/* The CPU writes before a device reads, and looks at what one wrote. */
static void access_and_look(const struct check_adapter *adapter, struct check_import *import,
			    bool kept)
{
	struct job *job = import->checker;
	int ran, ret;

	job->stale = kept ? CHECK_COH_03 : CHECK_COH_01;
	if (reads(import))
		job_cpu_writes(job);
	ran = atomic_read(&job->runs);
	ret = job_access(adapter, import);
	if (job->faulted ? ret : drive_failed(job->dmabuf, adapter->name, "access", ret))
		return;
	if (job_settled(import) && writes(import) && atomic_read(&job->runs) > ran)
		job_cpu_looks(job, CHECK_COH_04, "while the importer has it");
}

const char *const drive_dir_names[3] = { "BIDIRECTIONAL", "TO_DEVICE", "FROM_DEVICE" };

struct job *job_create(struct check_import *import, struct dma_buf *dmabuf,
		       enum dma_data_direction dir)
{
	struct job *job = calloc(1, sizeof(*job));

	job->dmabuf = dmabuf;
	*import = (struct check_import){
		.dmabuf = dmabuf,
		.dev = bench.dev,
		.dir = dir,
		.checker = job,
	};
	return job;
}

static void import_once(const struct check_adapter *adapter, struct dma_buf *dmabuf,
			enum dma_data_direction dir)
{
	struct check_import import;
	struct job *job = job_create(&import, dmabuf, dir);

	check_at("%s imports, %s: open", adapter->name, drive_dir_names[dir]);
	if (drive_failed(dmabuf, adapter->name, "open", adapter->open(&import)))
		goto free_job;
	for (unsigned int i = 0; i < 3 && !job->stuck; i++) {
		check_at("%s imports, %s: access %u", adapter->name, drive_dir_names[dir], i + 1);
		access_and_look(adapter, &import, i > 0);
	}
	check_at("%s imports, %s: close", adapter->name, drive_dir_names[dir]);
	adapter->close(&import);
	if (atomic_read(&job->runs))
		job_cpu_looks(job, CHECK_COH_02, "after the importer has gone");
free_job:
	free(job);
}

bool drive_takes(const struct check_adapter *adapter, enum dma_data_direction dir)
{
	return !adapter->dirs || adapter->dirs & CHECK_DIR(dir);
}

/* A device without an IOMMU may take only buffers in one piece: that is no fault. */
static bool refuses_scattered(const struct check_adapter *adapter)
{
	enum dma_data_direction dir = DMA_BIDIRECTIONAL;
	struct dma_buf *dmabuf;
	struct check_import import;
	struct job *job;
	int ret;

	while (dir < DMA_NONE && !drive_takes(adapter, dir))
		dir++;
	dmabuf = bench_export(false);
	job = job_create(&import, dmabuf, dir);
	check_at("%s imports, %s: open", adapter->name, drive_dir_names[dir]);
	ret = adapter->open(&import);
	if (!ret)
		adapter->close(&import);
	free(job);
	dma_buf_put(dmabuf);
	return ret;
}

void drive_importer(const struct check_adapter *adapter)
{
	bench.contiguous = refuses_scattered(adapter);
	for (int moves = 0; moves < 2; moves++) {
		for (enum dma_data_direction dir = DMA_BIDIRECTIONAL; dir < DMA_NONE; dir++) {
			struct dma_buf *dmabuf;

			if (!drive_takes(adapter, dir))
				continue;
			dmabuf = bench_export(moves);
			import_once(adapter, dmabuf, dir);
			dma_buf_put(dmabuf);
		}
	}
}

void drive_run(const struct check_adapter *adapter)
{
	struct dma_buf *dmabuf;
	int ret;

	check_at("%s runs", adapter->name);
	bench.contiguous = false;
	do {
		dmabuf = bench_export(false);
		ret = adapter->run(bench.dev, dmabuf);
		dma_buf_put(dmabuf);
		bench.contiguous = !bench.contiguous;
	} while (ret && bench.contiguous);
	bench.contiguous = !bench.contiguous;
	drive_failed(NULL, adapter->name, "run", ret);
}
