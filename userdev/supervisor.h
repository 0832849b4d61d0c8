/* SPDX-License-Identifier: MIT */
/*
 * supervisor.h - the process that a program's devices live in
 *
 * One thread answers every call in the order of their coming, so nothing here has a lock, and
 * nothing here may wait: a SYNC that has to wait for a fence is put aside and answered later.
 *
 * Invariants
 *   SU1  Each call that was heard is answered once, or its caller is gone.
 *   SU2  What a program can make us keep is bounded: by the limit, by its descriptors, by its threads.
 */
#ifndef USERDEV_SUPERVISOR_H
#define USERDEV_SUPERVISOR_H

#include <linux/list.h>
#include <linux/types.h>
#include <stdio.h>

#include "userdev/memfd-buffer.h"
#include "userdev/object.h"
#include "userdev/run.h"

struct call;
struct run_shared;

#define SUPERVISOR_HEAPS 16

struct run_heap {
	char name[32];
	struct memfd_budget budget;
};

struct supervisor {
	/* constant from the start on */
	const struct run_options *options;
	int listener;
	char folder[64]; /* where devices' files are */

	struct objects objects;
	struct run_shared *shared; /* hints.c */
	struct run_heap heaps[SUPERVISOR_HEAPS];
	unsigned int heap_count;
	struct memfd_budget budget;

	struct list_head waits;   /* ioctl.c: SYNCs that wait for a fence */
	struct list_head watches; /* readiness.c: buffers in programs' epoll sets */
	struct list_head pending; /* buffers with an unsignaled fence */
	bool fences_moved;        /* one may have signaled, or come */
	bool told_width;          /* that a program of another width runs */
	bool told_ptrace;         /* that udmabufs cannot be mapped */

	/* usage.c */
	struct list_head report;
	unsigned int lines, leaks, broken;
	FILE *trace;
	u64 began;

	pid_t program;
	int status; /* of the program, once it has ended */
	bool ended;

	struct {
		u64 calls, buffers, udmabufs, bytes, shared, syncs, maps, fences, timelines;
	} done;
};

/** serve_ioctl - answer an ioctl() of a program, now or when a fence signals */
void serve_ioctl(struct supervisor *s, const struct call *call);

/** serve_waits - answer those put aside that need to wait no longer; forget those nobody waits for */
void serve_waits(struct supervisor *s);

/**
 * fences_settle - if fences have moved, let everybody know who waits for one; before the call that
 * moved them is answered
 */
void fences_settle(struct supervisor *s);

/** serve_path - answer a call that names a file: open, stat, access and their kin */
void serve_path(struct supervisor *s, const struct call *call);

/**
 * give_object - a new object for what the core made, and its number in the program
 * @file: taken over, also on failure
 * Returns the number or -errno.
 */
int give_object(struct supervisor *s, const struct call *call, enum object_kind kind,
		struct file *file, int flags);

#endif
