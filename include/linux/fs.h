/* SPDX-License-Identifier: MIT */
/*
 * fs.h - open files
 *
 * A struct file is an object of ours with a reference count; linux/file.h gives it a number that is
 * a real descriptor of this process.  There are no paths, directories or superblocks.
 *
 * Invariants
 *   FS1  ->release() runs exactly once, after the last reference, in a context that may sleep and
 *        holds no lock of the caller's: at once where the last fput() may sleep, else from a work
 *        item.
 *   FS2  Each file has its own inode (DIFFERS: Linux's anonymous files share one).
 */
#ifndef _LINUX_FS_H
#define _LINUX_FS_H

#include <fcntl.h>
#include <linux/compiler.h>
#include <linux/err.h>
#include <linux/kdev_t.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/types.h>
#include <linux/refcount.h>

struct address_space;
struct cdev;
struct dentry;
struct file;
struct inode;
struct module;
struct poll_table_struct;
struct seq_file;
struct vfsmount;
struct vm_area_struct;

#define FMODE_READ ((fmode_t)0x1)
#define FMODE_WRITE ((fmode_t)0x2)

/* The access mode of open flags: O_RDONLY gives FMODE_READ, O_RDWR both. */
#define OPEN_FMODE(flags) ((fmode_t)(((flags) + 1) & O_ACCMODE))

/* What a file can do; a NULL operation is refused.  Same meaning as in Linux 6.12. */
struct file_operations {
	struct module *owner;
	loff_t (*llseek)(struct file *file, loff_t offset, int whence);
	ssize_t (*read)(struct file *file, char __user *buf, size_t len, loff_t *pos);
	ssize_t (*write)(struct file *file, const char __user *buf, size_t len, loff_t *pos);
	__poll_t (*poll)(struct file *file, struct poll_table_struct *table);
	long (*unlocked_ioctl)(struct file *file, unsigned int cmd, unsigned long arg);
	long (*compat_ioctl)(struct file *file, unsigned int cmd, unsigned long arg);
	int (*mmap)(struct file *file, struct vm_area_struct *vma);
	int (*open)(struct inode *inode, struct file *file);
	int (*release)(struct inode *inode, struct file *file);
	void (*show_fdinfo)(struct seq_file *m, struct file *file);
};

struct inode {
	unsigned long i_ino; /* differs between files */
	loff_t i_size;
	dev_t i_rdev;        /* a character device's number, else 0 */
	struct cdev *i_cdev; /* and who served it when it was opened */
	void *i_private;
	struct address_space *i_mapping; /* a driver's, see f_mapping */
};

/* Where a file is that a pseudo filesystem made; empty for all others. */
struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct file {
	/* Constant after it was made. */
	const struct file_operations *f_op;
	fmode_t f_mode;
	struct inode *f_inode;
	const char *f_name; /* DIFFERS: ours, the class name, as in "anon_inode:f_name" */
	struct path f_path;
	void (*f_end)(struct file *file); /* DIFFERS: ours, after ->release(); NULL: nothing */

	/* The owner's; he may change it at any time. */
	void *private_data;
	unsigned int f_flags;
	loff_t f_pos;
	struct address_space *f_mapping; /* DIFFERS: NULL unless a driver sets it; not looked at */

	/* Atomic. */
	refcount_t f_ref;

	/* Used by fput() once the last reference is gone. */
	struct file *f_next_delayed;
};

/** get_file - one more reference; the caller holds one. Context: any. Returns @file */
static inline struct file *get_file(struct file *file)
{
	refcount_inc(&file->f_ref);
	return file;
}

/**
 * get_file_active - a reference through a pointer that others may be dropping; NULL if the last one
 * has gone
 *
 * Context: the caller keeps *@file from being freed, by the lock that its release must take.
 * DIFFERS: Linux also reads *@file again, for pointers that are changed.
 */
static inline struct file *get_file_active(struct file **file)
{
	return refcount_inc_not_zero(&(*file)->f_ref) ? *file : NULL;
}

/** file_count - references now, a hint */
static inline long file_count(const struct file *file)
{
	return refcount_read(&file->f_ref);
}

static inline struct inode *file_inode(const struct file *file)
{
	return file->f_inode;
}

/** i_size_read, i_size_write - the size in bytes, never torn. Context: any; one writer at a time */
static inline loff_t i_size_read(const struct inode *inode)
{
	return __atomic_load_n(&inode->i_size, __ATOMIC_RELAXED);
}

static inline void i_size_write(struct inode *inode, loff_t size)
{
	__atomic_store_n(&inode->i_size, size, __ATOMIC_RELAXED);
}

/**
 * inode_lock_shared, inode_unlock_shared - let nobody change the file or its seals
 * DIFFERS: only memfds of programs change here, and the system does that: nobody is kept out
 */
static inline void inode_lock_shared(struct inode *inode)
{
}

static inline void inode_unlock_shared(struct inode *inode)
{
}

/* iminor, imajor - of the character device that @inode stands for */
static inline unsigned int iminor(const struct inode *inode)
{
	return MINOR(inode->i_rdev);
}

static inline unsigned int imajor(const struct inode *inode)
{
	return MAJOR(inode->i_rdev);
}

/** replace_fops - @file, which ->open() is opening, has other operations from now on */
#define replace_fops(file, fops) ((file)->f_op = (fops))

/** compat_ptr_ioctl - ->compat_ioctl() of drivers whose arguments are pointers of one layout */
long compat_ptr_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

/** noop_llseek - stay where we are, and say where. */
loff_t noop_llseek(struct file *file, loff_t offset, int whence);

/** nonseekable_open - for ->open(): 0. A file without ->llseek() has no position to move anyway */
int nonseekable_open(struct inode *inode, struct file *file);

/** simple_open - for ->open(): the inode's i_private becomes private_data */
int simple_open(struct inode *inode, struct file *file);

/**
 * simple_read_from_buffer, simple_write_to_buffer - a file whose content is @available bytes
 *
 * Context: may sleep.  Returns bytes copied, and *@pos moves by them; 0 behind the end; -EINVAL for
 * a negative *@pos; -EFAULT when nothing could be copied.
 */
ssize_t simple_read_from_buffer(void __user *to, size_t len, loff_t *pos, const void *from,
				size_t available);
ssize_t simple_write_to_buffer(void *to, size_t available, loff_t *pos, const void __user *from,
			       size_t len);

/**
 * simple_attr_open - in ->open(): a file that is one number
 * @get, @set: called with the inode's i_private, one at a time per open file; NULL: -EACCES
 * @fmt: of an unsigned long long (or long long)
 *
 * DEFINE_SIMPLE_ATTRIBUTE() makes the operations.  A number is written as kstrtoull() with base 0
 * takes it, or as kstrtoll() if it is negative.  Context: may sleep.
 */
int simple_attr_open(struct inode *inode, struct file *file, int (*get)(void *data, u64 *value),
		     int (*set)(void *data, u64 value), const char *fmt);
int simple_attr_release(struct inode *inode, struct file *file);
ssize_t simple_attr_read(struct file *file, char __user *buf, size_t len, loff_t *pos);
ssize_t simple_attr_write(struct file *file, const char __user *buf, size_t len, loff_t *pos);

#define DEFINE_SIMPLE_ATTRIBUTE(__fops, __get, __set, __fmt)               \
	static int __fops##_open(struct inode *inode, struct file *file)   \
	{                                                                  \
		return simple_attr_open(inode, file, __get, __set, __fmt); \
	}                                                                  \
	static const struct file_operations __fops = {                     \
		.open = __fops##_open,                                     \
		.release = simple_attr_release,                            \
		.read = simple_attr_read,                                  \
		.write = simple_attr_write,                                \
		.llseek = noop_llseek,                                     \
	}

/**
 * register_chrdev_region - reserve @count numbers from @first on
 * alloc_chrdev_region - the same with a major number of its own choice, the first goes to *@dev
 *
 * @name is for listings and must outlive the reservation.
 * Context: may sleep.
 * Returns 0; -EBUSY when one is taken (alloc: no major is left); -EINVAL for a @count of 0 or one
 * that runs over the major's minors; -ENOMEM.  On failure *@dev is 0.
 */
int register_chrdev_region(dev_t first, unsigned int count, const char *name);
int alloc_chrdev_region(dev_t *dev, unsigned int baseminor, unsigned int count, const char *name);

/** unregister_chrdev_region - give back what either reserved. WARN if it is not a reservation */
void unregister_chrdev_region(dev_t first, unsigned int count);

#endif
