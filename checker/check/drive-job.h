/* SPDX-License-Identifier: MIT */
/*
 * drive-job.h - what the device of an importing driver is to do, and what came of it
 *
 * One job for each import, in check_import.checker.  Its device works when the driver calls
 * check_device_runs() or check_cpu_copies(), from whatever thread.
 */
#ifndef CHECKER_CHECK_DRIVE_JOB_H
#define CHECKER_CHECK_DRIVE_JOB_H

#include <linux/atomic.h>

#include <libdmabuf-check.h>

#include "checker/check/bench.h"

struct job {
	struct dma_buf *dmabuf;
	enum check_rule stale; /* what a device that reads other bytes has shown */
	struct job *beside;    /* of another buffer that is imported, too, or NULL */

	/*
	 * What the buffer holds.  Changed by a device that writes, and by job_cpu_writes() when all
	 * that was queued has been done: so by one at a time.
	 */
	u8 bytes[BENCH_BYTES];
	atomic_t runs; /* of the device */
	bool faulted;  /* which was told; what the buffer holds now is anybody's guess */
	bool unread;   /* nobody keeps `bytes`: what is read is not compared */
	bool stuck;    /* a fence does not signal: nobody is to wait for it again */
};

extern const char *const drive_dir_names[3];

/* A job was stuck once: who tries more of the kind only waits. */
extern bool drive_stuck;

/** drive_takes - does the adapter take imports of this direction? */
bool drive_takes(const struct check_adapter *adapter, enum dma_data_direction dir);

/** job_create - fills in *@import for the bench's first device; free() the result after close() */
struct job *job_create(struct check_import *import, struct dma_buf *dmabuf,
		       enum dma_data_direction dir);

/** job_access - one access by the driver, or by its device where the driver has none */
int job_access(const struct check_adapter *adapter, struct check_import *import);

/** job_settled - waits for what job_access() queued; false: it was told that it does not end */
bool job_settled(struct check_import *import);

/** job_cpu_writes - the CPU writes new bytes into all of the buffer, bracketed */
void job_cpu_writes(struct job *job);

/** job_cpu_looks - and reads all of it: other bytes than were written last are @rule, @when */
void job_cpu_looks(struct job *job, enum check_rule rule, const char *when);

#endif
