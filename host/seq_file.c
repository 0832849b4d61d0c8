/* SPDX-License-Identifier: MIT */
/*
 * seq_file.c - files whose text is made record by record while they are read
 *
 * A buffer is filled with as many whole records as fit, at least one, between a ->start() and its
 * ->stop(); reads take from it until it is empty.
 */
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

/* --- filling ---------------------------------------------------------------------------------- */

/* One record behind what the buffer has: > 0 it does not fit, 0, or an error; without it then. */
static int show_one(struct seq_file *m, void *v)
{
	size_t before = m->count;
	int ret = m->op->show(m, v);

	if (ret >= 0 && seq_has_overflowed(m)) {
		m->count = before;
		return 1;
	}
	if (ret)
		m->count = before;
	return min(ret, 0);
}

/*
 * What fits from record m->index on, into the empty buffer. 0, also at the end; 1: the first record
 * needs a larger buffer; an error only when there is nothing before it.
 */
static int fill_once(struct seq_file *m)
{
	loff_t index = m->index;
	void *v;
	int ret = 0;

	m->from = 0;
	m->count = 0;
	for (v = m->op->start(m, &index); v && !IS_ERR(v); v = m->op->next(m, v, &index)) {
		/* Those that are left out are behind us, too. */
		m->index = index;
		ret = show_one(m, v);
		if (ret)
			break;
	}
	if (IS_ERR(v))
		ret = PTR_ERR(v);
	if (!ret)
		m->index = index;
	m->op->stop(m, v);
	return m->count ? 0 : ret;
}

static int fill(struct seq_file *m)
{
	int ret;

	while ((ret = fill_once(m)) > 0) {
		kvfree(m->buf);
		m->size *= 2;
		m->buf = kvmalloc(m->size, GFP_KERNEL);
		if (!m->buf)
			return -ENOMEM; /* the next read begins with a small one again */
	}
	return ret;
}

static int buffer_ready(struct seq_file *m)
{
	if (m->buf)
		return 0;
	m->buf = kvmalloc(PAGE_SIZE, GFP_KERNEL);
	if (!m->buf)
		return -ENOMEM;
	m->size = PAGE_SIZE;
	return 0;
}

/* --- reading ---------------------------------------------------------------------------------- */

/* Text at read_pos in the buffer: its length, 0 at the end, or an error. */
static ssize_t text_ready(struct seq_file *m)
{
	int ret = 0;

	if (!m->count) {
		ret = buffer_ready(m);
		if (!ret)
			ret = fill(m);
	}
	return ret ?: (ssize_t)m->count;
}

static void text_taken(struct seq_file *m, size_t n)
{
	m->from += n;
	m->count -= n;
	m->read_pos += n;
}

/* Let read_pos be @pos, or the end if that is before; from the beginning if @pos has passed. */
static int go_to(struct seq_file *m, loff_t pos)
{
	ssize_t n;

	if (pos < m->read_pos) {
		m->index = m->read_pos = 0;
		m->count = 0;
	}
	while (m->read_pos < pos) {
		n = text_ready(m);
		if (n <= 0)
			return (int)n;
		text_taken(m, min_t(loff_t, n, pos - m->read_pos));
	}
	return 0;
}

ssize_t seq_read(struct file *file, char __user *buf, size_t len, loff_t *pos)
{
	struct seq_file *m = file->private_data;
	ssize_t n, done = 0;
	int ret;

	mutex_lock(&m->lock);
	ret = go_to(m, *pos);
	while (!ret && (size_t)done < len) {
		n = text_ready(m);
		if (n <= 0) {
			ret = (int)n;
			break;
		}
		n = min_t(size_t, n, len - done);
		if (copy_to_user(buf + done, m->buf + m->from, n)) {
			ret = -EFAULT;
			break;
		}
		text_taken(m, n);
		done += n;
	}
	if (done)
		*pos += done;
	mutex_unlock(&m->lock);
	return done ?: ret;
}

loff_t seq_lseek(struct file *file, loff_t offset, int whence)
{
	struct seq_file *m = file->private_data;
	int ret;

	mutex_lock(&m->lock);
	if (whence == SEEK_CUR && check_add_overflow(offset, file->f_pos, &offset))
		ret = -EINVAL;
	else if ((whence != SEEK_CUR && whence != SEEK_SET) || offset < 0)
		ret = -EINVAL;
	else
		ret = go_to(m, offset);
	if (!ret)
		file->f_pos = offset;
	mutex_unlock(&m->lock);
	return ret ?: offset;
}

/* --- opening ---------------------------------------------------------------------------------- */

int seq_open(struct file *file, const struct seq_operations *op)
{
	struct seq_file *m;

	WARN(file->private_data, "seq_open: private_data of the file is in use");
	m = kzalloc(sizeof(*m), GFP_KERNEL);
	if (!m)
		return -ENOMEM;
	mutex_init(&m->lock);
	m->op = op;
	m->file = file;
	file->private_data = m;
	return 0;
}

int seq_release(struct inode *inode, struct file *file)
{
	struct seq_file *m = file->private_data;

	mutex_destroy(&m->lock);
	kvfree(m->buf);
	kfree(m);
	return 0;
}

void *__seq_open_private(struct file *file, const struct seq_operations *op, int size)
{
	void *private = kzalloc(size, GFP_KERNEL);

	if (!private || seq_open(file, op)) {
		kfree(private);
		return NULL;
	}
	((struct seq_file *)file->private_data)->private = private;
	return private;
}

int seq_open_private(struct file *file, const struct seq_operations *op, int size)
{
	return __seq_open_private(file, op, size) ? 0 : -ENOMEM;
}

int seq_release_private(struct inode *inode, struct file *file)
{
	kfree(((struct seq_file *)file->private_data)->private);
	return seq_release(inode, file);
}

/* --- one record ------------------------------------------------------------------------------- */

static void *single_start(struct seq_file *m, loff_t *pos)
{
	return *pos ? NULL : SEQ_START_TOKEN;
}

static void *single_next(struct seq_file *m, void *v, loff_t *pos)
{
	++*pos;
	return NULL;
}

static void single_stop(struct seq_file *m, void *v)
{
}

int single_open_size(struct file *file, int (*show)(struct seq_file *m, void *v), void *data,
		     size_t size)
{
	struct seq_operations *op = kzalloc(sizeof(*op), GFP_KERNEL);
	struct seq_file *m;
	int ret = -ENOMEM;

	if (!op)
		return -ENOMEM;
	*op = (struct seq_operations){ single_start, single_stop, single_next, show };
	ret = seq_open(file, op);
	if (ret)
		goto free_op;
	m = file->private_data;
	m->private = data;
	if (!size)
		return 0;
	ret = -ENOMEM;
	m->buf = kvmalloc(size, GFP_KERNEL);
	if (!m->buf)
		goto release;
	m->size = size;
	return 0;

release:
	seq_release(NULL, file);
	file->private_data = NULL;
free_op:
	kfree(op);
	return ret;
}

int single_open(struct file *file, int (*show)(struct seq_file *m, void *v), void *data)
{
	return single_open_size(file, show, data, 0);
}

int single_release(struct inode *inode, struct file *file)
{
	const struct seq_operations *op = ((struct seq_file *)file->private_data)->op;

	seq_release(inode, file);
	kfree(op);
	return 0;
}

/* --- lists ------------------------------------------------------------------------------------ */

struct list_head *seq_list_start(struct list_head *head, loff_t pos)
{
	struct list_head *at;

	list_for_each(at, head)
		if (pos-- == 0)
			return at;
	return NULL;
}

struct list_head *seq_list_start_head(struct list_head *head, loff_t pos)
{
	return pos ? seq_list_start(head, pos - 1) : head;
}

struct list_head *seq_list_next(void *v, struct list_head *head, loff_t *pos)
{
	struct list_head *next = ((struct list_head *)v)->next;

	++*pos;
	return next == head ? NULL : next;
}
