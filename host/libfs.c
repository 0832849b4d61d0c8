/* SPDX-License-Identifier: MIT */
/* libfs.c - operations that simple files share: a buffer, and one number as text */
#include <linux/fs.h>
#include <linux/kstrtox.h>
#include <linux/minmax.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/sprintf.h>
#include <linux/string.h>
#include <linux/uaccess.h>

int simple_open(struct inode *inode, struct file *file)
{
	if (inode->i_private)
		file->private_data = inode->i_private;
	return 0;
}

int nonseekable_open(struct inode *inode, struct file *file)
{
	return 0;
}

ssize_t simple_read_from_buffer(void __user *to, size_t len, loff_t *pos, const void *from,
				size_t available)
{
	unsigned long left;

	if (*pos < 0)
		return -EINVAL;
	if (*pos >= available || !len)
		return 0;
	len = min_t(size_t, len, available - *pos);
	left = copy_to_user(to, from + *pos, len);
	if (left == len)
		return -EFAULT;
	*pos += len - left;
	return len - left;
}

ssize_t simple_write_to_buffer(void *to, size_t available, loff_t *pos, const void __user *from,
			       size_t len)
{
	unsigned long left;

	if (*pos < 0)
		return -EINVAL;
	if (*pos >= available || !len)
		return 0;
	len = min_t(size_t, len, available - *pos);
	left = copy_from_user(to + *pos, from, len);
	if (left == len)
		return -EFAULT;
	*pos += len - left;
	return len - left;
}

/* --- one number ------------------------------------------------------------------------------- */

struct simple_attr {
	int (*get)(void *data, u64 *value);
	int (*set)(void *data, u64 value);
	void *data;
	const char *fmt;

	struct mutex lock;
	char text[24]; /* under lock: what is being read */
};

int simple_attr_open(struct inode *inode, struct file *file, int (*get)(void *data, u64 *value),
		     int (*set)(void *data, u64 value), const char *fmt)
{
	struct simple_attr *attr = kzalloc(sizeof(*attr), GFP_KERNEL);

	if (!attr)
		return -ENOMEM;
	attr->get = get;
	attr->set = set;
	attr->data = inode->i_private;
	attr->fmt = fmt;
	mutex_init(&attr->lock);
	file->private_data = attr;
	return 0;
}

int simple_attr_release(struct inode *inode, struct file *file)
{
	kfree(file->private_data);
	return 0;
}

ssize_t simple_attr_read(struct file *file, char __user *buf, size_t len, loff_t *pos)
{
	struct simple_attr *attr = file->private_data;
	ssize_t ret = 0;
	u64 value;

	if (!attr->get)
		return -EACCES;
	mutex_lock(&attr->lock);
	/* The rest of a text that was read in part is of the same value. */
	if (!*pos || !attr->text[0]) {
		ret = attr->get(attr->data, &value);
		if (!ret)
			scnprintf(attr->text, sizeof(attr->text), attr->fmt,
				  (unsigned long long)value);
	}
	if (!ret)
		ret = simple_read_from_buffer(buf, len, pos, attr->text, strlen(attr->text));
	mutex_unlock(&attr->lock);
	return ret;
}

ssize_t simple_attr_write(struct file *file, const char __user *buf, size_t len, loff_t *pos)
{
	struct simple_attr *attr = file->private_data;
	unsigned long long value;
	long long number;
	ssize_t ret;

	if (!attr->set)
		return -EACCES;
	ret = kstrtoull_from_user(buf, len, 0, &value);
	if (ret == -EINVAL) {
		ret = kstrtoll_from_user(buf, len, 0, &number);
		value = (unsigned long long)number;
	}
	if (ret)
		return ret;
	mutex_lock(&attr->lock);
	ret = attr->set(attr->data, value);
	mutex_unlock(&attr->lock);
	return ret ?: (ssize_t)len;
}
