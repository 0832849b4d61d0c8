/* SPDX-License-Identifier: MIT */
/*
 * sw-sync.h - timelines that a program moves on by hand: /sys/kernel/debug/sync/sw_sync
 *
 * Each open file is a timeline that begins at 0.  Its ioctls make a fence for a value, move the
 * timeline on, and ask for the deadline that somebody set on a fence.  Semantics of Linux 6.12.
 *
 * Invariants
 *   SW1  Fences that have not signaled are in the timeline's list, by value.
 *   SW2  A fence has signaled once the timeline's value is at or past its own, in 32 bits that wrap.
 *   SW3  The end of the file signals what is left with the error -ENOENT.  A fence keeps its
 *        timeline.
 */
#ifndef USERDEV_SW_SYNC_H
#define USERDEV_SW_SYNC_H

#include <linux/types.h>
#include <sys/ioctl.h>

struct file;
struct sync_file;

struct sw_sync_create_fence_data {
	__u32 value;
	char name[32]; /* not looked at */
	__s32 fence;   /* set to the sync_file's descriptor, close-on-exec */
};

struct sw_sync_get_deadline {
	__u64 deadline_ns; /* set; CLOCK_MONOTONIC */
	__u32 pad;         /* 0 */
	__s32 fence_fd;    /* of a fence of a timeline */
};

#define SW_SYNC_IOC_CREATE_FENCE _IOWR('W', 0, struct sw_sync_create_fence_data)
#define SW_SYNC_IOC_INC _IOW('W', 1, __u32)
#define SW_SYNC_GET_DEADLINE _IOWR('W', 2, struct sw_sync_get_deadline)

/**
 * sw_sync_open - a new timeline
 * @name: for people; the program's
 *
 * Its ioctls return 0; -ENOTTY; -EFAULT; -ENOMEM; -EMFILE; GET_DEADLINE: -EINVAL not such a fence, or
 * pad is set; -ENOENT nobody has set one.
 * Context: may sleep.  Ownership: a reference of the caller's.  Returns ERR_PTR(-ENOMEM).
 */
struct file *sw_sync_open(const char *name);

/**
 * sw_sync_fence - what SW_SYNC_IOC_CREATE_FENCE gives a number to: the fence of @value of @timeline
 *
 * Context: may sleep.  Ownership: its file's reference is the caller's.
 * Returns NULL: no memory.
 */
struct sync_file *sw_sync_fence(struct file *timeline, u32 value);

#endif
