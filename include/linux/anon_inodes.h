/* SPDX-License-Identifier: MIT */
/*
 * anon_inodes.h - files that have no name in any directory
 */
#ifndef _LINUX_ANON_INODES_H
#define _LINUX_ANON_INODES_H

#include <linux/types.h>

struct file;
struct file_operations;

/**
 * anon_inode_getfile - a new file
 * @name: its class, lives as long as the file
 * @priv: becomes ->private_data
 * @flags: O_RDONLY, O_WRONLY or O_RDWR, and O_NONBLOCK
 *
 * Context: may sleep.
 * Returns the file with one reference, or ERR_PTR: -ENOMEM; -EINVAL without @fops.
 */
struct file *anon_inode_getfile(const char *name, const struct file_operations *fops, void *priv,
				int flags);

/**
 * anon_inode_getfd - a new file behind a new number
 *
 * As anon_inode_getfile(), @flags also O_CLOEXEC.  Returns the number, which owns the reference, or
 * as anon_inode_getfile() and get_unused_fd_flags() fail.
 */
int anon_inode_getfd(const char *name, const struct file_operations *fops, void *priv, int flags);

#endif
