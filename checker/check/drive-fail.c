/* SPDX-License-Identifier: MIT */
/*
 * drive-fail.c - a driver while something fails: each allocation, callback, wait, descriptor and copy
 * from or to a program in turn; see drive.h
 *
 * The first of a kind fails, then all is done again and the second does, until fewer are asked for.
 * Whatever the driver answers, it must have undone what it did.
 */
#include "checker/check/own.h"

#include <linux/dma-fence.h>
#include <linux/file.h>
#include <linux/iosys-map.h>

#include <stdlib.h>

#include "checker/check/drive-job.h"
#include "checker/check/drive.h"
#include "checker/check/watch-buffers.h"
#include "checker/check/watch-files.h"
#include "checker/check/watch.h"
#include "host/port.h"

/* More than any driver asks for in what is tried; one that asks for more is not looped for ever. */
#define FAIL_MOST 400

static const struct {
	enum port_fault kind;
	const char *what;
} kinds[] = {
	{ PORT_FAULT_ALLOC, "allocation" },
	{ PORT_FAULT_CALLBACK, "callback of the exporter" },
	{ PORT_FAULT_WAIT, "interruptible wait" },
	{ PORT_FAULT_FD, "descriptor" },
	{ PORT_FAULT_COPY, "copy from or to the program" },
};

struct attempt {
	enum port_fault kind;
	const char *what;
	unsigned int nr;
};

/*
 * A descriptor that is installed cannot be taken back: a program that could not be told of it has it
 * until it ends, as with most ioctls of Linux's.
 */
static void program_ends(const struct attempt *attempt, unsigned long files)
{
	if (attempt->kind == PORT_FAULT_COPY)
		watch_files_close(files);
	flush_delayed_fput();
}

static void begin(const struct attempt *attempt, const char *adapter, const char *call)
{
	check_at("%s, %s %u failing: %s", adapter, attempt->what, attempt->nr, call);
}

/* --- as importer ------------------------------------------------------------------------------ */

/* Work that never began leaves the bytes as they were, so it may not be called done. */
static void access_once(const struct check_adapter *adapter, struct check_import *import)
{
	struct job *job = import->checker;
	int ran = atomic_read(&job->runs), ret;

	ret = job_access(adapter, import);
	/* The wait is the checker's. */
	port_fail_nth(PORT_FAULT_WAIT, 0);
	if (job_settled(import) && !ret && atomic_read(&job->runs) == ran)
		check_found(CHECK_RUN_06, job->dmabuf, NULL,
			    "access() returns 0, and its device has not been told to work");
}

static void import_failing(const struct check_adapter *adapter, const struct attempt *attempt,
			   struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct check_import import;
	struct job *job = job_create(&import, dmabuf, dir);

	/* What is read is compared by others. */
	job->unread = true;
	begin(attempt, adapter->name, "open");
	if (!adapter->open(&import)) {
		begin(attempt, adapter->name, "access");
		access_once(adapter, &import);
		begin(attempt, adapter->name, "close");
		adapter->close(&import);
	}
	free(job);
}

static enum dma_data_direction any_direction(const struct check_adapter *adapter)
{
	enum dma_data_direction dir = DMA_BIDIRECTIONAL;

	while (dir < DMA_NONE && !drive_takes(adapter, dir))
		dir++;
	return dir;
}

/* Returns whether there was so much to fail. */
static bool import_attempt(const struct check_adapter *adapter, const struct attempt *attempt,
			   bool moves)
{
	unsigned int buffers = bench_buffers();
	struct dma_buf *dmabuf = bench_export(moves);
	unsigned long files = watch_files_made();
	bool reached;

	port_fail_nth(attempt->kind, attempt->nr);
	import_failing(adapter, attempt, dmabuf, any_direction(adapter));
	reached = port_fault_count(attempt->kind) >= attempt->nr;
	port_fail_nth(attempt->kind, 0);
	dma_buf_put(dmabuf);
	program_ends(attempt, files);
	if (bench_buffers() > buffers && !watch_any_of(dmabuf) && !check_any_found())
		check_found(CHECK_BAL_11, dmabuf, NULL,
			    "a reference of the buffer is left when %s %u has failed",
			    attempt->what, attempt->nr);
	return reached;
}

/* --- as exporter ------------------------------------------------------------------------------ */

/* What importers without faults ask; each may fail. */
static void use(struct dma_buf *dmabuf)
{
	struct dma_buf_attachment *attach = dma_buf_attach(dmabuf, bench.dev);
	struct iosys_map map;
	struct sg_table *sgt;

	if (!IS_ERR(attach)) {
		sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
		if (!IS_ERR(sgt))
			dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
		dma_buf_detach(dmabuf, attach);
	}
	if (dmabuf->ops->vmap && !dma_buf_vmap_unlocked(dmabuf, &map))
		dma_buf_vunmap_unlocked(dmabuf, &map);
	if (!dma_buf_begin_cpu_access(dmabuf, DMA_FROM_DEVICE))
		dma_buf_end_cpu_access(dmabuf, DMA_FROM_DEVICE);
}

static bool export_attempt(const struct check_adapter *adapter, const struct attempt *attempt)
{
	struct check_export buffer = { .dev = bench.other, .size = BENCH_BYTES };
	unsigned long files = watch_files_made(), buffers = watch_buffers_made();
	bool reached;

	port_fail_nth(attempt->kind, attempt->nr);
	begin(attempt, adapter->name, "export");
	if (adapter->export(&buffer)) {
		watch_buffers_refused(buffers);
	} else {
		begin(attempt, adapter->name, "others import");
		use(buffer.dmabuf);
		begin(attempt, adapter->name, "release");
		adapter->release(&buffer);
	}
	reached = port_fault_count(attempt->kind) >= attempt->nr;
	port_fail_nth(attempt->kind, 0);
	program_ends(attempt, files);
	return reached;
}

static bool run_attempt(const struct check_adapter *adapter, const struct attempt *attempt)
{
	struct dma_buf *dmabuf = bench_export(false);
	unsigned long files = watch_files_made();
	bool reached;

	begin(attempt, adapter->name, "run");
	port_fail_nth(attempt->kind, attempt->nr);
	adapter->run(bench.dev, dmabuf);
	reached = port_fault_count(attempt->kind) >= attempt->nr;
	port_fail_nth(attempt->kind, 0);
	dma_buf_put(dmabuf);
	program_ends(attempt, files);
	return reached;
}

void drive_failing(const struct check_adapter *adapter)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct attempt attempt = { kinds[i].kind, kinds[i].what, 1 };

		for (; adapter->open && attempt.nr < FAIL_MOST; attempt.nr++)
			if (!import_attempt(adapter, &attempt, false))
				break;
		for (attempt.nr = 1; adapter->open && attempt.nr < FAIL_MOST; attempt.nr++)
			if (!import_attempt(adapter, &attempt, true))
				break;
		for (attempt.nr = 1; adapter->export && attempt.nr < FAIL_MOST; attempt.nr++)
			if (!export_attempt(adapter, &attempt))
				break;
		for (attempt.nr = 1; adapter->run && attempt.nr < FAIL_MOST; attempt.nr++)
			if (!run_attempt(adapter, &attempt))
				break;
	}
}
