/* SPDX-License-Identifier: MIT */
/*
 * seq_file.h - text written piece by piece into a buffer that another provides
 *
 * For ->show_fdinfo() and listings.  What does not fit is counted and not stored, so whoever
 * provides the buffer can come again with a larger one (host/seq.c does that).
 *
 * Invariant SQ1: count <= size; count == size says that something may be missing.
 *
 * Not here: iterators over many records (seq_open() and struct seq_operations).
 */
#ifndef _LINUX_SEQ_FILE_H
#define _LINUX_SEQ_FILE_H

#include <linux/compiler.h>
#include <linux/types.h>
#include <stdarg.h>

struct file;

struct seq_file {
	char *buf;
	size_t size;  /* of buf */
	size_t count; /* bytes in it */
	void *private;
	struct file *file;
};

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

#endif
