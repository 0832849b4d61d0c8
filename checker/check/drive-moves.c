/* SPDX-License-Identifier: MIT */
/*
 * drive-moves.c - a driver that imports a buffer which moves: between its jobs, while one is queued,
 * and while it is in the middle of one or closes; see drive.h
 *
 * A driver that pins, or that follows no moves, keeps the buffer where it is: nothing is tried.
 */
#include "checker/check/own.h"

#include <linux/delay.h>
#include <linux/dma-resv.h>

#include <pthread.h>
#include <stdlib.h>

#include "checker/check/bench.h"
#include "checker/check/drive-job.h"
#include "checker/check/drive.h"

struct mover {
	const struct check_adapter *adapter;
	struct dma_buf *dmabuf;
	enum dma_data_direction dir;
	struct check_import import;
	struct job *job;

	/* of the call beside the move */
	pthread_t thread;
	bool called;
	void (*call)(struct mover *mover);
	atomic_t done;
};

static void at(const struct mover *m, const char *what)
{
	check_at("%s imports a buffer that moves, %s: %s", m->adapter->name,
		 drive_dir_names[m->dir], what);
}

/* Returns whether it is open. */
static bool begin(struct mover *m, const struct check_adapter *adapter, enum dma_data_direction dir)
{
	*m = (struct mover){ .adapter = adapter, .dir = dir, .dmabuf = bench_export(true) };
	m->job = job_create(&m->import, m->dmabuf, dir);
	m->job->stale = CHECK_MOVE_04;
	at(m, "open");
	if (!drive_failed(m->dmabuf, adapter->name, "open", adapter->open(&m->import)))
		return true;
	free(m->job);
	dma_buf_put(m->dmabuf);
	return false;
}

static void end(struct mover *m)
{
	free(m->job);
	dma_buf_put(m->dmabuf);
}

static void close_import(struct mover *m)
{
	at(m, "close");
	m->adapter->close(&m->import);
}

/* What queued until now is done, the CPU sees what the device wrote. Returns whether to go on. */
static bool settle(struct mover *m, enum check_rule rule, const char *when)
{
	struct job *job = m->job;

	if (!job_settled(&m->import))
		return false;
	if (m->dir != DMA_TO_DEVICE && atomic_read(&job->runs))
		job_cpu_looks(job, rule, when);
	return !job->faulted;
}

static bool access_once(struct mover *m)
{
	int ret;

	if (m->dir != DMA_FROM_DEVICE)
		job_cpu_writes(m->job);
	at(m, "access");
	ret = job_access(m->adapter, &m->import);
	return m->job->faulted ? !ret : !drive_failed(m->dmabuf, m->adapter->name, "access", ret);
}

/* --- one after the other ---------------------------------------------------------------------- */

/* Returns whether the buffer moves while the driver has it. */
static bool between_jobs(const struct check_adapter *adapter, enum dma_data_direction dir)
{
	bool moves = false, more;
	struct mover m;

	if (!begin(&m, adapter, dir))
		return false;
	more = access_once(&m) && settle(&m, CHECK_COH_04, "before it moves");
	for (unsigned int i = 0; more && i < 2; i++) {
		at(&m, "it moves");
		if (bench_move(m.dmabuf, NULL, NULL))
			break;
		moves = true;
		more = access_once(&m) && settle(&m, CHECK_MOVE_04, "after it moved");
	}
	close_import(&m);
	end(&m);
	return moves;
}

/* The device may not have done yet what access() was for. */
static void while_queued(const struct check_adapter *adapter, enum dma_data_direction dir)
{
	struct mover m;

	if (!begin(&m, adapter, dir))
		return;
	m.job->stale = CHECK_MOVE_05;
	for (unsigned int i = 0; i < 2 && access_once(&m); i++) {
		at(&m, "it moves while a job is queued");
		if (bench_move(m.dmabuf, NULL, NULL) ||
		    !settle(&m, CHECK_MOVE_05, "after it moved while a job was queued"))
			break;
	}
	close_import(&m);
	end(&m);
}

/* --- beside ----------------------------------------------------------------------------------- */

static void *call_beside(void *data)
{
	struct mover *m = data;

	m->call(m);
	atomic_set(&m->done, 1);
	return NULL;
}

static bool somebody_waits(struct mutex *lock)
{
	bool waits;

	spin_lock(&lock->wait_lock);
	waits = !list_empty(&lock->wait_list);
	spin_unlock(&lock->wait_lock);
	return waits;
}

/* In steps of 100 us: who neither waits for the reservation by then nor is done does other things. */
#define BESIDE_STEPS 500

/* Reservation held: the driver's call goes as far as it can. */
static void until_it_waits(void *data)
{
	struct mover *m = data;

	if (pthread_create(&m->thread, NULL, call_beside, m))
		abort();
	m->called = true;
	for (unsigned int i = 0; i < BESIDE_STEPS && !atomic_read(&m->done) &&
				 !somebody_waits(&m->dmabuf->resv->lock.base);
	     i++)
		usleep_range(100, 200);
}

/* Returns whether the buffer moved. */
static bool move_beside(struct mover *m, void (*call)(struct mover *m))
{
	int ret;

	m->call = call;
	ret = bench_move(m->dmabuf, until_it_waits, m);
	if (m->called)
		pthread_join(m->thread, NULL);
	return !ret;
}

static void do_access(struct mover *m)
{
	job_access(m->adapter, &m->import);
}

static void do_close(struct mover *m)
{
	m->adapter->close(&m->import);
}

static void beside_access(const struct check_adapter *adapter, enum dma_data_direction dir)
{
	struct mover m;

	if (!begin(&m, adapter, dir))
		return;
	if (access_once(&m) && settle(&m, CHECK_COH_04, "before it moves")) {
		if (dir != DMA_FROM_DEVICE)
			job_cpu_writes(m.job);
		at(&m, "it moves beside access");
		if (move_beside(&m, do_access))
			settle(&m, CHECK_MOVE_04, "after it moved beside a job");
	}
	close_import(&m);
	end(&m);
}

static void beside_close(const struct check_adapter *adapter, enum dma_data_direction dir)
{
	struct mover m;

	if (!begin(&m, adapter, dir))
		return;
	if (access_once(&m))
		job_settled(&m.import);
	at(&m, "it moves beside close");
	move_beside(&m, do_close);
	if (!m.called)
		close_import(&m);
	end(&m);
}

void drive_moves(const struct check_adapter *adapter)
{
	for (enum dma_data_direction dir = DMA_BIDIRECTIONAL; dir < DMA_NONE; dir++) {
		if (drive_stuck || !drive_takes(adapter, dir) || !between_jobs(adapter, dir))
			continue;
		if (!check_told(CHECK_MOVE_04))
			while_queued(adapter, dir);
		/* What was found already may make two threads wait for each other. */
		if (check_any_found())
			return;
		beside_access(adapter, dir);
		beside_close(adapter, dir);
	}
}
