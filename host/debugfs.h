/* SPDX-License-Identifier: MIT */
/* debugfs.h - the way from a path to a file of <linux/debugfs.h> */
#ifndef HOST_DEBUGFS_H
#define HOST_DEBUGFS_H

#define HOST_DEBUGFS_ROOT "/sys/kernel/debug/"

struct file;

/**
 * host_debugfs_open - open the file at @path, below HOST_DEBUGFS_ROOT
 *
 * Context: may sleep.  Returns a file, or ERR_PTR: -ENOENT, -EISDIR, -ENOMEM, what ->open() said.
 */
struct file *host_debugfs_open(const char *path, int flags);

#endif
