/* SPDX-License-Identifier: MIT */
/*
 * sysfs.c - devices' attributes as files, on the tree of host/debugfs.c
 *
 * Invariants
 *   SF1  dev->attributes is there from the first attribute to device_del().
 *   SF2  Its list and the tree agree but for moments inside a call; lock is not held while the tree
 *        waits for a ->show() or ->store().
 */
#include <stdarg.h>
#include <linux/debugfs.h>
#include <linux/device.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "host/debugfs.h"
#include "host/sysfs.h"

struct host_attributes {
	struct dentry *dir;
	struct list_head files; /* struct attribute_file, under lock */
};

struct attribute_file {
	struct list_head link;
	struct device *dev;
	struct device_attribute *attr; /* NULL: the directory of @group */
	const struct attribute_group *group;
	u64 call; /* which call added it, for its undo */
	umode_t mode;
	struct dentry *entry;
};

static DEFINE_MUTEX(lock);
static u64 calls; /* under lock */

/* --- text ------------------------------------------------------------------------------------- */

static int emit(char *buf, int at, const char *fmt, va_list args)
{
	if (WARN(offset_in_page(buf), "sysfs_emit: this is not the beginning of a page") ||
	    WARN(at < 0 || at >= PAGE_SIZE, "sysfs_emit_at: %d is not in a page", at))
		return 0;
	return vscnprintf(buf + at, PAGE_SIZE - at, fmt, args);
}

int sysfs_emit(char *buf, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = emit(buf, 0, fmt, args);
	va_end(args);
	return len;
}

int sysfs_emit_at(char *buf, int at, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = emit(buf, at, fmt, args);
	va_end(args);
	return len;
}

static size_t line_length(const char *s)
{
	size_t len = strlen(s);

	return len && s[len - 1] == '\n' ? len - 1 : len;
}

bool sysfs_streq(const char *a, const char *b)
{
	return line_length(a) == line_length(b) && !memcmp(a, b, line_length(a));
}

/* --- open files ------------------------------------------------------------------------------- */

static int file_show(struct seq_file *m, void *v)
{
	struct attribute_file *file = m->private;
	char *page = kzalloc_aligned(PAGE_SIZE, PAGE_SIZE, GFP_KERNEL);
	ssize_t len;

	if (!page)
		return -ENOMEM;
	len = file->attr->show(file->dev, file->attr, page);
	if (WARN(len >= (ssize_t)PAGE_SIZE, "%s: show() of %s returned too much",
		 dev_name(file->dev), file->attr->attr.name))
		len = -EIO;
	if (len > 0)
		seq_write(m, page, len);
	kfree(page);
	return min_t(ssize_t, len, 0);
}

static int file_open(struct inode *inode, struct file *file)
{
	struct attribute_file *attr = inode->i_private;

	if (file->f_mode & FMODE_READ && (!(attr->mode & 0444) || !attr->attr->show))
		return -EACCES;
	if (file->f_mode & FMODE_WRITE && (!(attr->mode & 0222) || !attr->attr->store))
		return -EACCES;
	return single_open(file, file_show, attr);
}

static ssize_t file_write(struct file *file, const char __user *buf, size_t len, loff_t *pos)
{
	struct attribute_file *attr = ((struct seq_file *)file->private_data)->private;
	ssize_t ret = -EFAULT;
	char *text;

	len = min_t(size_t, len, PAGE_SIZE);
	text = kmalloc(len + 1, GFP_KERNEL);
	if (!text)
		return -ENOMEM;
	if (!copy_from_user(text, buf, len)) {
		text[len] = '\0';
		ret = attr->attr->store(attr->dev, attr->attr, text, len);
	}
	kfree(text);
	return ret;
}

static const struct file_operations file_fops = {
	.open = file_open,
	.read = seq_read,
	.write = file_write,
	.llseek = seq_lseek,
	.release = single_release,
};

/* --- adding and removing ---------------------------------------------------------------------- */

/* Caller holds lock. */
static int attributes_make(struct device *dev)
{
	struct host_attributes *all;

	if (dev->attributes)
		return 0;
	if (!READ_ONCE(dev->added))
		return -EINVAL;
	all = kzalloc(sizeof(*all), GFP_KERNEL);
	if (!all)
		return -ENOMEM;
	INIT_LIST_HEAD(&all->files);
	all->dir = debugfs_create_dir(dev_name(dev), host_devices_top);
	if (IS_ERR(all->dir)) {
		int ret = PTR_ERR(all->dir);

		kfree(all);
		return ret;
	}
	dev->attributes = all;
	return 0;
}

/* Caller holds lock.  An attribute in @dir, or the directory of @group; its entry or ERR_PTR. */
static struct dentry *entry_add(struct device *dev, struct dentry *dir,
				const struct device_attribute *attr,
				const struct attribute_group *group, umode_t mode)
{
	struct attribute_file *file = kzalloc(sizeof(*file), GFP_KERNEL);
	struct dentry *entry;

	if (!file)
		return ERR_PTR(-ENOMEM);
	file->dev = dev;
	file->attr = (struct device_attribute *)attr;
	file->group = group;
	file->call = calls;
	file->mode = mode;
	entry = attr ? debugfs_create_file(attr->attr.name, mode, dir, file, &file_fops)
		     : debugfs_create_dir(group->name, dir);
	if (IS_ERR(entry)) {
		kfree(file);
		return entry;
	}
	file->entry = entry;
	list_add_tail(&file->link, &dev->attributes->files);
	return entry;
}

/* Whatever of @dev has each of these that is not 0. */
static void entries_remove(struct device *dev, const struct device_attribute *attr,
			   const struct attribute_group *group, u64 call)
{
	struct attribute_file *file, *next;
	LIST_HEAD(gone);

	mutex_lock(&lock);
	if (dev->attributes)
		list_for_each_entry_safe(file, next, &dev->attributes->files, link)
			if ((!attr || file->attr == attr) && (!group || file->group == group) &&
			    (!call || file->call == call))
				list_move(&file->link, &gone);
	mutex_unlock(&lock);
	/* The last added goes first: a directory after what is in it. */
	list_for_each_entry_safe(file, next, &gone, link) {
		debugfs_remove(file->entry);
		kfree(file);
	}
}

int device_create_file(struct device *dev, const struct device_attribute *attr)
{
	int ret;

	mutex_lock(&lock);
	calls++;
	ret = attributes_make(dev);
	if (!ret)
		ret = PTR_ERR_OR_ZERO(
			entry_add(dev, dev->attributes->dir, attr, NULL, attr->attr.mode));
	mutex_unlock(&lock);
	return ret;
}

void device_remove_file(struct device *dev, const struct device_attribute *attr)
{
	entries_remove(dev, attr, NULL, 0);
}

/* Caller holds lock. */
static int group_add(struct device *dev, const struct attribute_group *group)
{
	struct dentry *dir = dev->attributes->dir, *entry = NULL;

	if (group->name)
		entry = dir = entry_add(dev, dir, NULL, group, 0);
	for (int n = 0; !IS_ERR(entry) && group->attrs[n]; n++) {
		struct attribute *attr = group->attrs[n];
		umode_t mode = attr->mode;

		if (group->is_visible)
			mode = group->is_visible(&dev->kobj, attr, n);
		if (mode)
			entry = entry_add(dev, dir,
					  container_of(attr, struct device_attribute, attr), group,
					  mode);
	}
	return PTR_ERR_OR_ZERO(entry);
}

int device_add_groups(struct device *dev, const struct attribute_group **groups)
{
	u64 call;
	int ret;

	mutex_lock(&lock);
	call = ++calls;
	ret = attributes_make(dev);
	for (; !ret && groups && *groups; groups++)
		ret = group_add(dev, *groups);
	mutex_unlock(&lock);
	if (ret)
		entries_remove(dev, NULL, NULL, call);
	return ret;
}

void device_remove_groups(struct device *dev, const struct attribute_group **groups)
{
	for (; groups && *groups; groups++)
		entries_remove(dev, NULL, *groups, 0);
}

void host_sysfs_remove_all(struct device *dev)
{
	struct host_attributes *all = dev->attributes;

	if (!all)
		return;
	entries_remove(dev, NULL, NULL, 0);
	debugfs_remove(all->dir);
	dev->attributes = NULL;
	kfree(all);
}
