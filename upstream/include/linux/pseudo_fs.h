/* SPDX-License-Identifier: MIT */
/*
 * pseudo_fs.h - a filesystem without names, whose files are made by a driver
 *
 * What Linux 6.12's dma-buf.c needs of one, no more.  There is nothing to mount: a file made here is
 * one of <linux/fs.h> with a dentry and an inode of its own.
 *
 * Invariants
 *   PF1  d_release() runs exactly once for each file, after its ->release(), in the same context.
 *   PF2  The inode's numbers and size are the driver's to set.
 */
#ifndef _LINUX_PSEUDO_FS_H
#define _LINUX_PSEUDO_FS_H

#include <linux/fs.h>
#include <linux/types.h>

struct super_block;

struct qstr {
	const unsigned char *name;
};

struct dentry {
	struct qstr d_name; /* constant: the file's class */
	void *d_fsdata;     /* the driver's */
	const struct dentry_operations *d_op;
};

struct dentry_operations {
	void (*d_release)(struct dentry *dentry);
	char *(*d_dname)(struct dentry *dentry, char *buffer, int size);
};

struct fs_context {
	struct pseudo_fs_context *pseudo;
};

struct pseudo_fs_context {
	const struct dentry_operations *dops; /* the driver's to set */
	unsigned long magic;
};

struct file_system_type {
	const char *name;
	int (*init_fs_context)(struct fs_context *fc);
	void (*kill_sb)(struct super_block *sb);
};

struct super_block {
	const struct dentry_operations *s_d_op;
};

struct vfsmount {
	struct super_block *mnt_sb;
};

/** init_pseudo - in ->init_fs_context(): what the driver fills in; NULL without memory */
struct pseudo_fs_context *init_pseudo(struct fs_context *fc, unsigned long magic);

/** kern_mount - a filesystem of @type, or ERR_PTR: -ENOMEM, what init_fs_context() said. May sleep */
struct vfsmount *kern_mount(struct file_system_type *type);
void kern_unmount(struct vfsmount *mnt);

/** kill_anon_super - nothing: kern_unmount() frees all there is */
void kill_anon_super(struct super_block *sb);

/** alloc_anon_inode - an inode for alloc_file_pseudo(), which consumes it, or for iput() */
struct inode *alloc_anon_inode(struct super_block *sb);
void iput(struct inode *inode);

/** inode_set_bytes - what the file takes on a disk: nothing */
static inline void inode_set_bytes(struct inode *inode, loff_t bytes)
{
}

/** alloc_file_pseudo - a file of @mnt; ERR_PTR(-ENOMEM), and the inode is still the caller's */
struct file *alloc_file_pseudo(struct inode *inode, struct vfsmount *mnt, const char *name,
			       int flags, const struct file_operations *fops);

/** dynamic_dname - print a name to the end of @buffer; ERR_PTR(-ENAMETOOLONG) */
char *dynamic_dname(char *buffer, int size, const char *fmt, ...)
	__attribute__((__format__(__printf__, 3, 4)));

#endif
