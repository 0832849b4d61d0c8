/* SPDX-License-Identifier: MIT */
/*
 * seq.c - text into a buffer, with a memory of not having fitted
 */
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "host/seq.h"

#include <stdio.h>

#define FIRST_SIZE 512

/* SQ1: full is how it is remembered. */
static void overflow(struct seq_file *m)
{
	m->count = m->size;
}

void seq_vprintf(struct seq_file *m, const char *fmt, va_list args)
{
	int len;

	if (seq_has_overflowed(m))
		return;
	len = vsnprintf(m->buf + m->count, m->size - m->count, fmt, args);
	if (len < 0 || (size_t)len >= m->size - m->count)
		overflow(m);
	else
		m->count += len;
}

void seq_printf(struct seq_file *m, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	seq_vprintf(m, fmt, args);
	va_end(args);
}

int seq_write(struct seq_file *m, const void *data, size_t len)
{
	if (len >= m->size - m->count) {
		overflow(m);
		return -1;
	}
	memcpy(m->buf + m->count, data, len);
	m->count += len;
	return 0;
}

void seq_puts(struct seq_file *m, const char *s)
{
	seq_write(m, s, strlen(s));
}

void seq_putc(struct seq_file *m, char c)
{
	seq_write(m, &c, 1);
}

char *host_seq_text(void (*show)(struct seq_file *m, void *data), void *data, size_t *len)
{
	*len = 0;
	for (size_t size = FIRST_SIZE;; size *= 2) {
		struct seq_file m = { .size = size, .private = data };

		m.buf = kvmalloc(size, GFP_KERNEL);
		if (!m.buf)
			return ERR_PTR(-ENOMEM);
		show(&m, data);
		if (!seq_has_overflowed(&m)) {
			m.buf[m.count] = '\0';
			*len = m.count;
			return m.buf;
		}
		kvfree(m.buf);
	}
}
