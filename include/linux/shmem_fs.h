/* SPDX-License-Identifier: MIT */
/*
 * shmem_fs.h - files that are memory of the program's: memfds, and files on tmpfs
 *
 * There is no way to make one here: drivers get them with fget() and pin them (linux/memfd.h).
 */
#ifndef _LINUX_SHMEM_FS_H
#define _LINUX_SHMEM_FS_H

#include <linux/fs.h>

/** shmem_file - is @file one? Context: any */
bool shmem_file(const struct file *file);

#endif
