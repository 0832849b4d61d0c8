/* SPDX-License-Identifier: MIT */
/* Files read record by record: in any pieces, from anywhere, whatever does not fit or fails. */
#include <linux/anon_inodes.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "host/file.h"
#include "host/port.h"
#include "tests/ktap.h"

/* Records 0..count-1; number n is n % 7 dots and a newline, number `big` is big_size of them. */
static struct {
	int count, big, big_size, skip, fail;
	int starts, stops;
} want;

static void *dots_start(struct seq_file *m, loff_t *pos)
{
	want.starts++;
	return *pos < want.count ? (void *)(uintptr_t)(*pos + 1) : NULL;
}

static void *dots_next(struct seq_file *m, void *v, loff_t *pos)
{
	++*pos;
	return *pos < want.count ? (void *)(uintptr_t)(*pos + 1) : NULL;
}

static void dots_stop(struct seq_file *m, void *v)
{
	want.stops++;
}

static int dots_show(struct seq_file *m, void *v)
{
	int n = (int)(uintptr_t)v - 1;
	int dots = n == want.big ? want.big_size : n % 7;

	while (dots--)
		seq_putc(m, '.');
	seq_putc(m, '\n');
	return n == want.fail ? -EIO : n == want.skip ? SEQ_SKIP : 0;
}

static const struct seq_operations dots = { dots_start, dots_stop, dots_next, dots_show };

static int dots_open(struct inode *inode, struct file *file)
{
	return seq_open(file, &dots);
}

static const struct file_operations dots_fops = {
	.open = dots_open, .read = seq_read, .llseek = seq_lseek, .release = seq_release
};

static int open_fops(const struct file_operations *fops, void *data)
{
	struct file *file = anon_inode_getfile("seq", fops, NULL, O_RDONLY);
	int fd = get_unused_fd_flags(0);

	if (IS_ERR(file) || fd < 0)
		return -ENFILE;
	file->f_inode->i_private = data;
	if (fops->open(file->f_inode, file))
		return -EIO;
	fd_install(fd, file);
	return fd;
}

/* The whole text in reads of @piece bytes; the caller frees it. */
static char *read_all(int fd, size_t piece, ssize_t *len)
{
	char *text = kmalloc(64 * 1024, GFP_KERNEL);
	ssize_t n;

	for (*len = 0; (n = host_read(fd, text + *len, piece)) > 0; *len += n)
		;
	text[*len] = '\0';
	if (n < 0)
		*len = n;
	return text;
}

/* What dots_show() says of all records, in @text; its length. */
static size_t expected(char *text)
{
	char *at = text;

	for (int n = 0; n < want.count; n++) {
		int dots = n == want.big ? want.big_size : n % 7;

		if (n == want.skip)
			continue;
		memset(at, '.', dots);
		at += dots;
		*at++ = '\n';
	}
	*at = '\0';
	return at - text;
}

static char model[64 * 1024];

static void pieces_make_the_whole(struct ktap *t)
{
	static const size_t pieces[] = { 1, 3, 100, 4096, 60000 };
	ssize_t len;

	memset(&want, -1, sizeof(want));
	want.count = 3000;
	want.starts = want.stops = 0;
	for (int i = 0; i < ARRAY_SIZE(pieces); i++) {
		int fd = open_fops(&dots_fops, NULL);
		char *text = read_all(fd, pieces[i], &len);

		KT_EQ(t, len, expected(model));
		KT_CHECK(t, !strcmp(text, model));
		kfree(text);
		host_close(fd);
	}
	KT_EQ(t, want.starts, want.stops);
	KT_CHECK(t, want.starts < 100);
}

static void a_record_may_be_larger_than_the_buffer(struct ktap *t)
{
	ssize_t len;
	char *text;
	int fd;

	memset(&want, -1, sizeof(want));
	want.count = 5;
	want.big = 3;
	want.big_size = 20000;
	want.skip = 2;
	fd = open_fops(&dots_fops, NULL);
	text = read_all(fd, 1000, &len);
	KT_EQ(t, len, expected(model));
	KT_CHECK(t, !strcmp(text, model));
	kfree(text);
	host_close(fd);
}

static void seeking_finds_the_same_text(struct ktap *t)
{
	static const loff_t places[] = { 5000, 17, 0, 4096, 9000, 3 };
	char piece[64];
	size_t len;
	int fd;

	memset(&want, -1, sizeof(want));
	want.count = 3000;
	len = expected(model);
	fd = open_fops(&dots_fops, NULL);
	for (int i = 0; i < ARRAY_SIZE(places); i++) {
		KT_EQ(t, host_lseek(fd, places[i], SEEK_SET), places[i]);
		KT_EQ(t, host_read(fd, piece, sizeof(piece)), sizeof(piece));
		KT_CHECK(t, !memcmp(piece, model + places[i], sizeof(piece)));
	}
	KT_EQ(t, host_lseek(fd, 2, SEEK_CUR), 3 + sizeof(piece) + 2);
	KT_EQ(t, host_lseek(fd, -1, SEEK_SET), -EINVAL);
	KT_EQ(t, host_lseek(fd, 0, SEEK_END), -EINVAL);
	KT_EQ(t, host_lseek(fd, len + 100, SEEK_SET), len + 100);
	KT_EQ(t, host_read(fd, piece, sizeof(piece)), 0);
	host_close(fd);
}

static void an_error_comes_after_what_was_before_it(struct ktap *t)
{
	char text[64];
	int fd;

	memset(&want, -1, sizeof(want));
	want.count = 10;
	want.fail = 3;
	want.starts = want.stops = 0;
	fd = open_fops(&dots_fops, NULL);
	KT_EQ(t, host_read(fd, text, sizeof(text)), 6);
	KT_CHECK(t, !memcmp(text, "\n.\n..\n", 6));
	KT_EQ(t, host_read(fd, text, sizeof(text)), -EIO);
	want.fail = -1;
	KT_EQ(t, host_read(fd, text, 4), 4);
	KT_CHECK(t, !memcmp(text, "...\n", 4));
	KT_EQ(t, want.starts, want.stops);
	host_close(fd);
}

static int answer_show(struct seq_file *m, void *v)
{
	seq_printf(m, "%d\n", *(int *)m->private);
	seq_put_decimal_ull(m, "more ", 7);
	seq_puts(m, "\n");
	return 0;
}

DEFINE_SHOW_ATTRIBUTE(answer);

static void one_record(struct ktap *t)
{
	int number = 42, fd = open_fops(&answer_fops, &number);
	char text[32];

	KT_EQ(t, host_read(fd, text, sizeof(text)), 10);
	KT_CHECK(t, !memcmp(text, "42\nmore 7\n", 10));
	KT_EQ(t, host_read(fd, text, sizeof(text)), 0);
	number = 7;
	KT_EQ(t, host_lseek(fd, 0, SEEK_SET), 0);
	KT_EQ(t, host_read(fd, text, sizeof(text)), 9);
	host_close(fd);
}

struct name {
	struct list_head link;
	const char *text;
};

static LIST_HEAD(names);

static void *names_start(struct seq_file *m, loff_t *pos)
{
	return seq_list_start_head(&names, *pos);
}

static void *names_next(struct seq_file *m, void *v, loff_t *pos)
{
	return seq_list_next(v, &names, pos);
}

static int names_show(struct seq_file *m, void *v)
{
	if (v == &names)
		seq_puts(m, "names:");
	else
		seq_printf(m, " %s", list_entry(v, struct name, link)->text);
	return 0;
}

static const struct seq_operations names_sops = { names_start, dots_stop, names_next, names_show };
DEFINE_SEQ_ATTRIBUTE(names);

static void a_list_with_a_heading(struct ktap *t)
{
	struct name a = { .text = "ada" }, b = { .text = "bo" };
	int fd = open_fops(&names_fops, NULL);
	char text[32] = "";

	KT_EQ(t, host_read(fd, text, sizeof(text)), 6);
	list_add_tail(&a.link, &names);
	list_add_tail(&b.link, &names);
	KT_EQ(t, host_lseek(fd, 0, SEEK_SET), 0);
	KT_EQ(t, host_read(fd, text, sizeof(text)), 13);
	KT_CHECK(t, !strcmp(text, "names: ada bo"));
	host_close(fd);
}

static void every_failure_is_no_memory(struct ktap *t)
{
	static const struct file_operations never_opened;
	struct file *file;
	char text[8];
	int number = 1, ret, nth;

	memset(&want, -1, sizeof(want));
	want.count = 5;
	for (nth = 1, ret = -ENOMEM; ret; nth++) {
		file = anon_inode_getfile("seq", &answer_fops, NULL, O_RDONLY);
		file->f_inode->i_private = &number;
		port_fail_nth(PORT_FAULT_ALLOC, nth);
		ret = answer_open(file->f_inode, file);
		if (!ret) {
			loff_t pos = 0;

			ret = seq_read(file, text, sizeof(text), &pos) < 0 ? -ENOMEM : 0;
			port_fail_nth(PORT_FAULT_ALLOC, 0);
			pos = 0;
			KT_EQ(t, seq_read(file, text, sizeof(text), &pos), 8);
		} else {
			port_fail_nth(PORT_FAULT_ALLOC, 0);
			replace_fops(file, &never_opened);
		}
		fput(file);
	}
	KT_EQ(t, nth, 5);
}

KTAP_MAIN(KTAP_CASE(pieces_make_the_whole), KTAP_CASE(a_record_may_be_larger_than_the_buffer),
	  KTAP_CASE(seeking_finds_the_same_text),
	  KTAP_CASE(an_error_comes_after_what_was_before_it), KTAP_CASE(one_record),
	  KTAP_CASE(a_list_with_a_heading), KTAP_CASE(every_failure_is_no_memory))
