/* SPDX-License-Identifier: MIT */
/*
 * sync_file.h - a fence as a file, for programs
 *
 * A driver that hands out or takes fences by descriptor uses these; what a program does with the
 * descriptor is in uapi/linux/sync_file.h.  Semantics: Linux 6.12.
 *
 * Invariants
 *   SF1  A sync_file has one fence, possibly a container, from its making to its end.
 *   SF2  The file owns the sync_file: who holds a reference of the one has the other.
 *   SF3  A poll that finds the fence unsignaled enables its signalling and is woken by it.
 */
#ifndef _LINUX_SYNC_FILE_H
#define _LINUX_SYNC_FILE_H

#include <linux/types.h>
#include <linux/dma-fence.h>
#include <linux/dma-fence-array.h>
#include <linux/list.h>
#include <linux/wait.h>

struct file;

/* sync_file.flags: fence has, or had, cb. */
#define POLL_ENABLED 0

/**
 * struct sync_file - what the file's private_data is
 */
struct sync_file {
	/* Constant once the file is installed. */
	struct file *file;
	struct dma_fence *fence; /* a reference */
	char user_name[32];      /* given to a merge, else empty */

	/* A debugging driver's, for a list of its own; the core leaves it alone. */
	struct list_head sync_file_list;

	/* Atomic bits. */
	unsigned long flags;

	/* Who polls; woken by cb, which the first of them hangs on fence. */
	wait_queue_head_t wq;
	struct dma_fence_cb cb;
};

/**
 * sync_file_create - a file for @fence
 *
 * Context: may sleep.  Returns NULL when memory is short.
 * Ownership: takes a reference of its own of @fence.  The caller owns one of ->file, for fput() or
 * fd_install().
 */
struct sync_file *sync_file_create(struct dma_fence *fence);

/**
 * sync_file_get_fence - the fence behind a descriptor
 *
 * Context: may sleep.  Returns NULL when @fd is closed or no sync_file.
 * Ownership: the caller puts it.
 */
struct dma_fence *sync_file_get_fence(int fd);

/**
 * sync_file_get_name - for people
 * @buf: gets at most @len bytes, its end included
 *
 * The name given to the merge, or driver-timeline, context and seqno of the fence.
 * Context: any.  Returns @buf.
 */
char *sync_file_get_name(struct sync_file *sync_file, char *buf, int len);

#endif
