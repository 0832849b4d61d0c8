/* SPDX-License-Identifier: MIT */
/*
 * debugfs.h - files that a driver shows to who debugs it
 *
 * A tree of this process: host_open("/sys/kernel/debug/DIR/FILE") opens one (host/file.h).
 *
 * Invariants
 *   DF1  After debugfs_remove() no operation of a file below runs any more but ->release(), and none
 *        begins: descriptors that are open get -EIO.  So the driver may go.
 *   DF2  ->release() runs for every successful ->open(), also after the removal.
 *   DF3  DF1 does not hold for debugfs_create_file_unsafe().
 *
 * A driver need not look at what these return: an ERR_PTR is a fine parent, whose children fail
 * with the same error, and a fine argument of debugfs_remove().
 *
 * Context: all may sleep.  debugfs_remove() not from an operation of a file below, and with no lock
 * that one takes.  Names are copied; they have no slash.
 * Errors: -EEXIST, -ENOMEM; -EINVAL for such a name or a parent that is a file.
 * Semantics: Linux 6.12.  DIFFERS: modes are kept and not enforced; a dentry is opaque.
 * Not here: symbolic links, automounts, renaming.
 */
#ifndef _LINUX_DEBUGFS_H
#define _LINUX_DEBUGFS_H

#include <linux/atomic.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/seq_file.h>
#include <linux/types.h>

struct dentry;
struct file_operations;

/** debugfs_initialized - true: it is always there */
static inline bool debugfs_initialized(void)
{
	return true;
}

/** debugfs_create_dir - a directory in @parent, NULL: at the top */
struct dentry *debugfs_create_dir(const char *name, struct dentry *parent);

/**
 * debugfs_create_file - a file in @parent, NULL: at the top
 * @data: becomes inode->i_private
 * @fops: must outlive the file; ->mmap() is not offered, except by _unsafe
 */
struct dentry *debugfs_create_file(const char *name, umode_t mode, struct dentry *parent,
				   void *data, const struct file_operations *fops);
struct dentry *debugfs_create_file_unsafe(const char *name, umode_t mode, struct dentry *parent,
					  void *data, const struct file_operations *fops);

/** debugfs_lookup - the entry of that name in @parent with a reference for dput(), or NULL */
struct dentry *debugfs_lookup(const char *name, struct dentry *parent);
void dput(struct dentry *dentry);

/** debugfs_remove - @dentry and all below go; NULL and ERR_PTR are ignored */
void debugfs_remove(struct dentry *dentry);
#define debugfs_remove_recursive debugfs_remove

/** debugfs_lookup_and_remove - the one of that name in @parent, if there is one */
void debugfs_lookup_and_remove(const char *name, struct dentry *parent);

/**
 * debugfs_create_u32 and the others - a file that shows *@value, and sets it when it is written
 *
 * @mode without a write bit: writing is -EACCES.  x: hexadecimal with leading zeros.  A bool is "Y" or "N".
 * Reads and writes of *@value are as READ_ONCE() and WRITE_ONCE().
 */
void debugfs_create_u8(const char *name, umode_t mode, struct dentry *parent, u8 *value);
void debugfs_create_u16(const char *name, umode_t mode, struct dentry *parent, u16 *value);
void debugfs_create_u32(const char *name, umode_t mode, struct dentry *parent, u32 *value);
void debugfs_create_u64(const char *name, umode_t mode, struct dentry *parent, u64 *value);
void debugfs_create_ulong(const char *name, umode_t mode, struct dentry *parent,
			  unsigned long *value);
void debugfs_create_x8(const char *name, umode_t mode, struct dentry *parent, u8 *value);
void debugfs_create_x16(const char *name, umode_t mode, struct dentry *parent, u16 *value);
void debugfs_create_x32(const char *name, umode_t mode, struct dentry *parent, u32 *value);
void debugfs_create_x64(const char *name, umode_t mode, struct dentry *parent, u64 *value);
void debugfs_create_size_t(const char *name, umode_t mode, struct dentry *parent, size_t *value);
void debugfs_create_atomic_t(const char *name, umode_t mode, struct dentry *parent,
			     atomic_t *value);
void debugfs_create_bool(const char *name, umode_t mode, struct dentry *parent, bool *value);

#define DEFINE_DEBUGFS_ATTRIBUTE(name, get, set, fmt) DEFINE_SIMPLE_ATTRIBUTE(name, get, set, fmt)

#endif
