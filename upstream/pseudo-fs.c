/* SPDX-License-Identifier: MIT */
/*
 * pseudo-fs.c - see linux/pseudo_fs.h
 *
 * A file of <linux/fs.h> brings an inode of its own, which stays unused: the driver's takes its
 * place.
 */
#include <stdarg.h>
#include <linux/anon_inodes.h>
#include <linux/err.h>
#include <linux/pseudo_fs.h>
#include <linux/slab.h>
#include <linux/sprintf.h>
#include <linux/string.h>

struct pseudo_fs_context *init_pseudo(struct fs_context *fc, unsigned long magic)
{
	fc->pseudo = kzalloc(sizeof(*fc->pseudo), GFP_KERNEL);
	if (fc->pseudo)
		fc->pseudo->magic = magic;
	return fc->pseudo;
}

struct pseudo_mount {
	struct vfsmount mnt;
	struct super_block sb;
};

struct vfsmount *kern_mount(struct file_system_type *type)
{
	struct fs_context fc = {};
	struct pseudo_mount *mount = kzalloc(sizeof(*mount), GFP_KERNEL);
	int ret;

	if (!mount)
		return ERR_PTR(-ENOMEM);
	ret = type->init_fs_context(&fc);
	if (ret) {
		kfree(mount);
		return ERR_PTR(ret);
	}
	mount->sb.s_d_op = fc.pseudo->dops;
	mount->mnt.mnt_sb = &mount->sb;
	kfree(fc.pseudo);
	return &mount->mnt;
}

void kern_unmount(struct vfsmount *mnt)
{
	kfree(container_of(mnt, struct pseudo_mount, mnt));
}

void kill_anon_super(struct super_block *sb)
{
}

struct inode *alloc_anon_inode(struct super_block *sb)
{
	struct inode *inode = kzalloc(sizeof(*inode), GFP_KERNEL);

	return inode ?: ERR_PTR(-ENOMEM);
}

void iput(struct inode *inode)
{
	kfree(inode);
}

static void pseudo_file_end(struct file *file)
{
	struct dentry *dentry = file->f_path.dentry;

	if (dentry->d_op->d_release)
		dentry->d_op->d_release(dentry);
	kfree(dentry);
	iput(file->f_inode);
}

struct file *alloc_file_pseudo(struct inode *inode, struct vfsmount *mnt, const char *name,
			       int flags, const struct file_operations *fops)
{
	struct dentry *dentry = kzalloc(sizeof(*dentry), GFP_KERNEL);
	struct file *file;

	if (!dentry)
		return ERR_PTR(-ENOMEM);
	file = anon_inode_getfile(name, fops, NULL, flags);
	if (IS_ERR(file)) {
		kfree(dentry);
		return file;
	}
	dentry->d_name.name = (const unsigned char *)name;
	dentry->d_op = mnt->mnt_sb->s_d_op;
	file->f_path = (struct path){ .mnt = mnt, .dentry = dentry };
	file->f_inode = inode;
	file->f_end = pseudo_file_end;
	return file;
}

char *dynamic_dname(char *buffer, int size, const char *fmt, ...)
{
	char text[64];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(text, sizeof(text), fmt, args) + 1;
	va_end(args);
	if (len > size || len > (int)sizeof(text))
		return ERR_PTR(-ENAMETOOLONG);
	return memcpy(buffer + size - len, text, len);
}
