/* SPDX-License-Identifier: MIT */
/* debugfs.h - the way from a path to a file of <linux/debugfs.h>, and a second such tree */
#ifndef HOST_DEBUGFS_H
#define HOST_DEBUGFS_H

#define HOST_DEBUGFS_ROOT "/sys/kernel/debug/"

#define HOST_DEVICES_ROOT "/sys/devices/"

struct dentry;
struct file;

/* The top of devices' attributes, a parent for debugfs_create_dir(). */
extern struct dentry *const host_devices_top;

/**
 * host_debugfs_open - open the file at @path below @top, NULL: of debugfs
 *
 * Context: may sleep.  Returns a file, or ERR_PTR: -ENOENT, -EISDIR, -ENOMEM, what ->open() said.
 */
struct file *host_debugfs_open(struct dentry *top, const char *path, int flags);

#endif
