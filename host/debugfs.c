/* SPDX-License-Identifier: MIT */
/*
 * debugfs.c - the tree, and operations that know whether their file still is in it
 *
 * Invariants
 *   DB1  An entry has a reference of the tree, until it is removed, and one of each open file.
 *   DB2  active counts the operations that run on an entry, its ->open() included; it does not grow
 *        once the entry is gone.
 */
#include <linux/anon_inodes.h>
#include <linux/debugfs.h>
#include <linux/file.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/wait.h>
#include "host/debugfs.h"

struct dentry {
	struct kref ref;

	/* Constant. */
	char *name;
	bool counted; /* DF1 holds for it */
	umode_t mode;
	void *data;
	const struct file_operations *real; /* NULL: a directory */
	struct file_operations proxy;       /* what its open files have */

	/* Under lock. */
	struct list_head sibling, children;
	bool gone;
	int active; /* waited for without the lock */
};

static DEFINE_MUTEX(lock);
static DECLARE_WAIT_QUEUE_HEAD(idle);
static struct dentry top = { .children = LIST_HEAD_INIT(top.children) };
static struct dentry devices = { .children = LIST_HEAD_INIT(devices.children) };
struct dentry *const host_devices_top = &devices;

static void entry_free(struct kref *ref)
{
	struct dentry *entry = container_of(ref, struct dentry, ref);

	kfree(entry->name);
	kfree(entry);
}

void dput(struct dentry *dentry)
{
	if (dentry)
		kref_put(&dentry->ref, entry_free);
}

/* --- operations of open files ----------------------------------------------------------------- */

static struct dentry *entry_of(const struct file *file)
{
	return container_of(file->f_op, struct dentry, proxy);
}

static bool begin(struct dentry *entry)
{
	bool there;

	if (!entry->counted)
		return true;
	mutex_lock(&lock);
	there = !entry->gone;
	if (there)
		WRITE_ONCE(entry->active, entry->active + 1);
	mutex_unlock(&lock);
	return there;
}

static void end(struct dentry *entry)
{
	if (!entry->counted)
		return;
	mutex_lock(&lock);
	WRITE_ONCE(entry->active, entry->active - 1);
	wake_up_all(&idle);
	mutex_unlock(&lock);
}

#define PROXY(op, type, gone_value, args, values)      \
	static type proxy_##op args                    \
	{                                              \
		struct dentry *entry = entry_of(file); \
		type ret;                              \
                                                       \
		if (!begin(entry))                     \
			return gone_value;             \
		ret = entry->real->op values;          \
		end(entry);                            \
		return ret;                            \
	}

PROXY(llseek, loff_t, -EIO, (struct file * file, loff_t offset, int whence), (file, offset, whence))
PROXY(read, ssize_t, -EIO, (struct file * file, char __user *buf, size_t len, loff_t *pos),
      (file, buf, len, pos))
PROXY(write, ssize_t, -EIO, (struct file * file, const char __user *buf, size_t len, loff_t *pos),
      (file, buf, len, pos))
PROXY(poll, __poll_t, EPOLLHUP, (struct file * file, struct poll_table_struct *table),
      (file, table))
PROXY(unlocked_ioctl, long, -EIO, (struct file * file, unsigned int cmd, unsigned long arg),
      (file, cmd, arg))

static int proxy_release(struct inode *inode, struct file *file)
{
	struct dentry *entry = entry_of(file);
	int ret = entry->real->release ? entry->real->release(inode, file) : 0;

	dput(entry);
	return ret;
}

static struct file_operations proxy_of(const struct file_operations *real, bool counted)
{
	return (struct file_operations){
		.llseek = real->llseek ? proxy_llseek : NULL,
		.read = real->read ? proxy_read : NULL,
		.write = real->write ? proxy_write : NULL,
		.poll = real->poll ? proxy_poll : NULL,
		.unlocked_ioctl = real->unlocked_ioctl ? proxy_unlocked_ioctl : NULL,
		.mmap = counted ? NULL : real->mmap,
		.release = proxy_release,
	};
}

/* --- the tree --------------------------------------------------------------------------------- */

/* Caller holds lock.  The entry of this name, of @len bytes, in @parent. */
static struct dentry *find(struct dentry *parent, const char *name, size_t len)
{
	struct dentry *entry;

	list_for_each_entry(entry, &parent->children, sibling)
		if (!strncmp(entry->name, name, len) && !entry->name[len])
			return entry;
	return NULL;
}

static struct dentry *entry_new(const char *name, umode_t mode, void *data,
				const struct file_operations *real, bool counted)
{
	struct dentry *entry = kzalloc(sizeof(*entry), GFP_KERNEL);

	if (!entry)
		return NULL;
	kref_init(&entry->ref);
	INIT_LIST_HEAD(&entry->children);
	entry->mode = mode;
	entry->data = data;
	entry->counted = counted;
	entry->real = real;
	if (real)
		entry->proxy = proxy_of(real, counted);
	entry->name = kstrdup(name, GFP_KERNEL);
	if (!entry->name) {
		kfree(entry);
		return NULL;
	}
	return entry;
}

static struct dentry *create(const char *name, umode_t mode, struct dentry *parent, void *data,
			     const struct file_operations *real, bool counted)
{
	struct dentry *entry;
	int ret = 0;

	might_sleep();
	if (IS_ERR(parent))
		return parent;
	if (!parent)
		parent = &top;
	if (!name || !*name || strchr(name, '/') || parent->real)
		return ERR_PTR(-EINVAL);
	entry = entry_new(name, mode, data, real, counted);
	if (!entry)
		return ERR_PTR(-ENOMEM);
	mutex_lock(&lock);
	if (parent->gone)
		ret = -ENOENT;
	else if (find(parent, name, strlen(name)))
		ret = -EEXIST;
	else
		list_add_tail(&entry->sibling, &parent->children);
	mutex_unlock(&lock);
	if (!ret)
		return entry;
	dput(entry);
	return ERR_PTR(ret);
}

struct dentry *debugfs_create_dir(const char *name, struct dentry *parent)
{
	return create(name, 0755, parent, NULL, NULL, false);
}

struct dentry *debugfs_create_file(const char *name, umode_t mode, struct dentry *parent,
				   void *data, const struct file_operations *fops)
{
	static const struct file_operations none;

	return create(name, mode, parent, data, fops ?: &none, true);
}

struct dentry *debugfs_create_file_unsafe(const char *name, umode_t mode, struct dentry *parent,
					  void *data, const struct file_operations *fops)
{
	static const struct file_operations none;

	return create(name, mode, parent, data, fops ?: &none, false);
}

struct dentry *debugfs_lookup(const char *name, struct dentry *parent)
{
	struct dentry *entry;

	if (!name || IS_ERR(parent))
		return NULL;
	mutex_lock(&lock);
	entry = find(parent ?: &top, name, strlen(name));
	if (entry)
		kref_get(&entry->ref);
	mutex_unlock(&lock);
	return entry;
}

/* Caller holds lock. */
static void mark_gone(struct dentry *entry)
{
	struct dentry *child;

	entry->gone = true;
	list_for_each_entry(child, &entry->children, sibling)
		mark_gone(child);
}

/* All of @entry is gone, so nobody else looks at its children. */
static void drop(struct dentry *entry)
{
	struct dentry *child, *next;

	list_for_each_entry_safe(child, next, &entry->children, sibling)
		drop(child);
	wait_event(idle, !READ_ONCE(entry->active));
	dput(entry);
}

void debugfs_remove(struct dentry *dentry)
{
	bool there;

	might_sleep();
	if (IS_ERR_OR_NULL(dentry))
		return;
	mutex_lock(&lock);
	there = !dentry->gone;
	if (there) {
		list_del(&dentry->sibling);
		mark_gone(dentry);
	}
	mutex_unlock(&lock);
	if (there)
		drop(dentry);
}

void debugfs_lookup_and_remove(const char *name, struct dentry *parent)
{
	struct dentry *entry = debugfs_lookup(name, parent);

	debugfs_remove(entry);
	dput(entry);
}

/* --- opening ---------------------------------------------------------------------------------- */

/* The file at @path below @entry with a reference and begin() done, or ERR_PTR. */
static struct dentry *walk(struct dentry *entry, const char *path)
{
	size_t len;

	mutex_lock(&lock);
	for (; entry && *path; path += len + (path[len] == '/')) {
		len = strcspn(path, "/");
		entry = find(entry, path, len);
	}
	if (!entry)
		entry = ERR_PTR(-ENOENT);
	else if (!entry->real)
		entry = ERR_PTR(-EISDIR);
	else {
		kref_get(&entry->ref);
		WRITE_ONCE(entry->active, entry->active + entry->counted);
	}
	mutex_unlock(&lock);
	return entry;
}

struct file *host_debugfs_open(struct dentry *from, const char *path, int flags)
{
	/* What a file has whose ->open() failed: it is not released. */
	static const struct file_operations never_opened;
	struct dentry *entry = walk(from ?: &top, path);
	struct file *file;
	int ret = 0;

	if (IS_ERR(entry))
		return ERR_CAST(entry);
	file = anon_inode_getfile("debugfs", &entry->proxy, NULL, flags);
	if (IS_ERR(file))
		goto opened;
	file->f_inode->i_private = entry->data;
	if (entry->real->open)
		ret = entry->real->open(file->f_inode, file);
	if (ret) {
		replace_fops(file, &never_opened);
		fput(file);
		file = ERR_PTR(ret);
	}
opened:
	end(entry);
	if (IS_ERR(file))
		dput(entry);
	return file;
}
