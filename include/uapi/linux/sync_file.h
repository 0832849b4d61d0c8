/* SPDX-License-Identifier: MIT */
/*
 * sync_file.h - what a program asks a descriptor of a fence; names and numbers are Linux's
 *
 * poll() of the descriptor answers POLLIN once the fence is signaled.  Errors of all three:
 * -EFAULT for a wrong pointer, -EINVAL where flags or pad are not 0, -ENOTTY for other numbers.
 */
#ifndef _UAPI_LINUX_SYNC_FILE_H
#define _UAPI_LINUX_SYNC_FILE_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * struct sync_merge_data - SYNC_IOC_MERGE: one descriptor for the fences of two
 * @name: of the new sync_file; cut to 31 bytes
 * @fd2: the other sync_file
 * @fence: answer: the new descriptor, with O_CLOEXEC
 * @flags: 0
 * @pad: 0
 *
 * Also -ENOENT when @fd2 is no sync_file, -ENOMEM, -EMFILE, -ENFILE.
 */
struct sync_merge_data {
	char name[32];
	__s32 fd2;
	__s32 fence;
	__u32 flags;
	__u32 pad;
};

/**
 * struct sync_fence_info - one fence of a sync_file
 * @obj_name: its timeline
 * @driver_name: its driver
 * @status: 1 signaled, 0 not yet, < 0 signaled with this error
 * @flags: 0
 * @timestamp_ns: when it was signaled, in ns of the monotonic clock; 0 not yet
 */
struct sync_fence_info {
	char obj_name[32];
	char driver_name[32];
	__s32 status;
	__u32 flags;
	__u64 timestamp_ns;
};

/**
 * struct sync_file_info - SYNC_IOC_FILE_INFO: what is in a sync_file
 * @name: answer: the name of the merge, else made of the fence's
 * @status: answer: 1 all signaled, 0 not yet, < 0 an error of one of them
 * @flags: 0
 * @num_fences: room in @sync_fence_info, answer: how many there are; 0 only asks for the answers
 * @pad: 0
 * @sync_fence_info: address of struct sync_fence_info[@num_fences]
 *
 * Also -EINVAL when there is too little room, -ENOMEM.
 */
struct sync_file_info {
	char name[32];
	__s32 status;
	__u32 flags;
	__u32 num_fences;
	__u32 pad;
	__u64 sync_fence_info;
};

/**
 * struct sync_set_deadline - SYNC_IOC_SET_DEADLINE: the fence is needed by then
 * @deadline_ns: of the monotonic clock
 * @pad: 0
 */
struct sync_set_deadline {
	__u64 deadline_ns;
	__u64 pad;
};

#define SYNC_IOC_MAGIC '>'
/* 0 to 2 were used by an older interface and are not used again. */
#define SYNC_IOC_MERGE _IOWR(SYNC_IOC_MAGIC, 3, struct sync_merge_data)
#define SYNC_IOC_FILE_INFO _IOWR(SYNC_IOC_MAGIC, 4, struct sync_file_info)
#define SYNC_IOC_SET_DEADLINE _IOW(SYNC_IOC_MAGIC, 5, struct sync_set_deadline)

#endif
