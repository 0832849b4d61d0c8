/* SPDX-License-Identifier: MIT */
/*
 * seq_file.h - text written piece by piece into a buffer that another provides, and files made
 * of such text
 *
 * For ->show_fdinfo(), listings, debugfs and sysfs.  What does not fit is counted and not stored,
 * so whoever provides the buffer can come again with a larger one: host/seq.c for one text,
 * seq_read() for the records of a file.
 *
 * Invariants
 *   SQ1  count <= size; count == size says that something may be missing.
 *   SQ2  Under ->lock of a file: buf[from..from+count) is the text at read_pos, and index is that of
 *        the first record behind it.
 *   SQ3  ->show() may be called more than once for a record; only one of its texts is read.
 *   SQ4  ->stop() follows each ->start(), also one that failed, with what the last call returned.
 *
 * Semantics: Linux 6.12.  DIFFERS: a read may buffer more records than it returns, up to a page of
 * them.
 */
#ifndef _LINUX_SEQ_FILE_H
#define _LINUX_SEQ_FILE_H

#include <linux/bug.h>
#include <linux/compiler.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/string.h>
#include <linux/types.h>
#include <stdarg.h>

struct seq_operations;

struct seq_file {
	char *buf;
	size_t size;  /* of buf */
	size_t count; /* bytes in it */
	void *private;
	struct file *file;

	/* Of a file: under lock. */
	struct mutex lock;
	const struct seq_operations *op; /* set once */
	size_t from;                     /* the first byte not read yet */
	loff_t index;
	loff_t read_pos;
};

/*
 * The records of a file.  ->start() returns the record at *@pos, or NULL behind the last; ->next()
 * the one after @v and adds to *@pos in any case; both may return ERR_PTR.  ->show() returns 0, an
 * error, or SEQ_SKIP: leave this one out.  ->stop() gives back what ->start() took.
 */
struct seq_operations {
	void *(*start)(struct seq_file *m, loff_t *pos);
	void (*stop)(struct seq_file *m, void *v);
	void *(*next)(struct seq_file *m, void *v, loff_t *pos);
	int (*show)(struct seq_file *m, void *v);
};

#define SEQ_SKIP 1
/* What ->start() may return for a record that is no object, as a heading. */
#define SEQ_START_TOKEN ((void *)1)

/** seq_has_overflowed - did something not fit? */
static inline bool seq_has_overflowed(const struct seq_file *m)
{
	return m->count == m->size;
}

/**
 * seq_printf, seq_vprintf, seq_puts, seq_putc, seq_write - append
 *
 * Context: any.  A piece that does not fit whole is left out, and everything after it.
 * seq_write() returns 0, or -1 when it did not fit.
 */
void seq_printf(struct seq_file *m, const char *fmt, ...) __printf(2, 3);
void seq_vprintf(struct seq_file *m, const char *fmt, va_list args) __printf(2, 0);
void seq_puts(struct seq_file *m, const char *s);
void seq_putc(struct seq_file *m, char c);
int seq_write(struct seq_file *m, const void *data, size_t len);

/** seq_put_decimal_ull, seq_put_decimal_ll - @delimiter, if not NULL, and the number */
static inline void seq_put_decimal_ull(struct seq_file *m, const char *delimiter,
				       unsigned long long n)
{
	seq_printf(m, "%s%llu", delimiter ?: "", n);
}

static inline void seq_put_decimal_ll(struct seq_file *m, const char *delimiter, long long n)
{
	seq_printf(m, "%s%lld", delimiter ?: "", n);
}

/* --- files ------------------------------------------------------------------------------------ */

/**
 * seq_open - in ->open(): @file shows the records of @op
 *
 * Context: may sleep.  Makes file->private_data a seq_file, which seq_release() frees; WARN if it
 * was something already.
 * Returns 0 or -ENOMEM.
 */
int seq_open(struct file *file, const struct seq_operations *op);
/** seq_release, seq_read, seq_lseek - the operations of such a file */
int seq_release(struct inode *inode, struct file *file);
ssize_t seq_read(struct file *file, char __user *buf, size_t len, loff_t *pos);
loff_t seq_lseek(struct file *file, loff_t offset, int whence);

/** __seq_open_private - as seq_open(), with @size zeroed bytes as ->private: those, or NULL */
void *__seq_open_private(struct file *file, const struct seq_operations *op, int size);
int seq_open_private(struct file *file, const struct seq_operations *op, int size);
int seq_release_private(struct inode *inode, struct file *file);

/**
 * single_open - in ->open(): @file shows one record, @show's; @data becomes ->private
 *
 * As seq_open(); ends with single_release().  single_open_size(): begins with room for @size bytes.
 */
int single_open(struct file *file, int (*show)(struct seq_file *m, void *v), void *data);
int single_open_size(struct file *file, int (*show)(struct seq_file *m, void *v), void *data,
		     size_t size);
int single_release(struct inode *inode, struct file *file);

/** seq_list_start, seq_list_next - the records are a list's entries; start_head: first the head */
struct list_head *seq_list_start(struct list_head *head, loff_t pos);
struct list_head *seq_list_start_head(struct list_head *head, loff_t pos);
struct list_head *seq_list_next(void *v, struct list_head *head, loff_t *pos);

/* DEFINE_SHOW_ATTRIBUTE - NAME_fops: a file whose text NAME_show() writes; inode->i_private is its private */
#define DEFINE_SHOW_ATTRIBUTE(__name)                                      \
	static int __name##_open(struct inode *inode, struct file *file)   \
	{                                                                  \
		return single_open(file, __name##_show, inode->i_private); \
	}                                                                  \
	static const struct file_operations __name##_fops = {              \
		.open = __name##_open,                                     \
		.read = seq_read,                                          \
		.llseek = seq_lseek,                                       \
		.release = single_release,                                 \
	}

/* DEFINE_SEQ_ATTRIBUTE - the same with the operations NAME_sops */
#define DEFINE_SEQ_ATTRIBUTE(__name)                                                         \
	static int __name##_open(struct inode *inode, struct file *file)                     \
	{                                                                                    \
		int ret = seq_open(file, &__name##_sops);                                    \
		if (!ret && inode->i_private)                                                \
			((struct seq_file *)file->private_data)->private = inode->i_private; \
		return ret;                                                                  \
	}                                                                                    \
	static const struct file_operations __name##_fops = {                                \
		.open = __name##_open,                                                       \
		.read = seq_read,                                                            \
		.llseek = seq_lseek,                                                         \
		.release = seq_release,                                                      \
	}

#endif
