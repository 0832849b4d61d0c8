/* SPDX-License-Identifier: MIT */
/* Files for who debugs: found by path, read and written, and gone without a trace. */
#include <linux/completion.h>
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/kernel.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include "host/debugfs.h"
#include "host/file.h"
#include "host/test-path.h"
#include "host/port.h"
#include "tests/ktap.h"
#include "tests/threads.h"

#define ROOT HOST_DEBUGFS_ROOT

static int state_show(struct seq_file *m, void *v)
{
	seq_printf(m, "state %d\n", *(int *)m->private);
	return 0;
}

DEFINE_SHOW_ATTRIBUTE(state);

static void a_file_is_opened_by_its_path(struct ktap *t)
{
	struct dentry *dir = debugfs_create_dir("dev", NULL),
		      *deep = debugfs_create_dir("deep", dir);
	int state = 5;
	char text[32];

	KT_CHECK(t, !IS_ERR(debugfs_create_file("state", 0444, deep, &state, &state_fops)));
	KT_EQ(t, read_path(ROOT "dev/deep/state", text, sizeof(text)), 8);
	KT_CHECK(t, !strcmp(text, "state 5\n"));
	KT_EQ(t, host_open(ROOT "dev/deep", O_RDONLY), -EISDIR);
	KT_EQ(t, host_open(ROOT, O_RDONLY), -EISDIR);
	KT_EQ(t, host_open(ROOT "dev/dee", O_RDONLY), -ENOENT);
	KT_EQ(t, host_open(ROOT "dev/deep/state/x", O_RDONLY), -ENOENT);
	debugfs_remove_recursive(dir);
	KT_EQ(t, host_open(ROOT "dev/deep/state", O_RDONLY), -ENOENT);
}

static void names_and_parents(struct ktap *t)
{
	struct dentry *dir = debugfs_create_dir("dir", NULL), *file, *none;

	file = debugfs_create_file("file", 0444, dir, NULL, &state_fops);
	KT_EQ(t, PTR_ERR(debugfs_create_dir("dir", NULL)), -EEXIST);
	KT_EQ(t, PTR_ERR(debugfs_create_dir("a/b", NULL)), -EINVAL);
	KT_EQ(t, PTR_ERR(debugfs_create_dir("", NULL)), -EINVAL);
	none = debugfs_create_dir("below", file);
	KT_EQ(t, PTR_ERR(none), -EINVAL);
	KT_CHECK(t, debugfs_create_dir("further", none) == none);
	debugfs_remove(none);
	debugfs_remove(NULL);
	KT_CHECK(t, !debugfs_lookup("below", dir));
	debugfs_lookup_and_remove("file", dir);
	KT_CHECK(t, !debugfs_lookup("file", dir));
	debugfs_lookup_and_remove("file", dir);
	file = debugfs_lookup("dir", NULL);
	KT_CHECK(t, file == dir);
	debugfs_remove(dir);
	dput(file);
}

static void values(struct ktap *t)
{
	struct dentry *dir = debugfs_create_dir("values", NULL);
	u8 small = 200;
	u32 hex = 0xabc;
	atomic_t counter = ATOMIC_INIT(-3);
	bool on = false;
	char text[32];

	debugfs_create_u8("small", 0644, dir, &small);
	debugfs_create_u8("fixed", 0444, dir, &small);
	debugfs_create_x32("hex", 0644, dir, &hex);
	debugfs_create_atomic_t("counter", 0644, dir, &counter);
	debugfs_create_bool("on", 0644, dir, &on);

	KT_EQ(t, read_path(ROOT "values/small", text, sizeof(text)), 4);
	KT_CHECK(t, !strcmp(text, "200\n"));
	KT_EQ(t, write_path(ROOT "values/small", "0x11\n"), 5);
	KT_EQ(t, small, 17);
	KT_EQ(t, write_path(ROOT "values/small", "256"), -ERANGE);
	KT_EQ(t, write_path(ROOT "values/small", "one"), -EINVAL);
	KT_EQ(t, write_path(ROOT "values/fixed", "1"), -EACCES);
	KT_EQ(t, small, 17);
	KT_EQ(t, read_path(ROOT "values/hex", text, sizeof(text)), 11);
	KT_CHECK(t, !strcmp(text, "0x00000abc\n"));
	KT_EQ(t, read_path(ROOT "values/counter", text, sizeof(text)), 3);
	KT_CHECK(t, !strcmp(text, "-3\n"));
	KT_EQ(t, write_path(ROOT "values/counter", "-8"), 2);
	KT_EQ(t, atomic_read(&counter), -8);
	KT_EQ(t, read_path(ROOT "values/on", text, sizeof(text)), 2);
	KT_CHECK(t, !strcmp(text, "N\n"));
	KT_EQ(t, write_path(ROOT "values/on", "y"), 1);
	KT_EQ(t, on, true);
	debugfs_remove(dir);
}

static void a_descriptor_outlives_its_file(struct ktap *t)
{
	int state = 1, fd;
	struct dentry *file = debugfs_create_file("gone", 0444, NULL, &state, &state_fops);
	char text[32];

	fd = host_open(ROOT "gone", O_RDONLY);
	KT_EQ(t, host_read(fd, text, 3), 3);
	debugfs_remove(file);
	KT_EQ(t, host_read(fd, text, 3), -EIO);
	KT_EQ(t, host_lseek(fd, 0, SEEK_SET), -EIO);
	/* The sanitizer tells if ->release() did not run. */
	KT_EQ(t, host_close(fd), 0);
}

static struct {
	struct completion begun, go;
	bool removed;
} slow;

static ssize_t slow_read(struct file *file, char __user *buf, size_t len, loff_t *pos)
{
	complete(&slow.begun);
	wait_for_completion(&slow.go);
	return READ_ONCE(slow.removed) ? -EIO : 7;
}

static const struct file_operations slow_fops = { .read = slow_read };

static int reader(void *fd)
{
	char text[8];

	return (int)host_read((int)(uintptr_t)fd, text, sizeof(text));
}

static int remover(void *file)
{
	debugfs_remove(file);
	WRITE_ONCE(slow.removed, true);
	return 0;
}

static void a_removal_waits_for_who_is_inside(struct ktap *t)
{
	struct dentry *file = debugfs_create_file("slow", 0444, NULL, NULL, &slow_fops);
	struct task_struct *read, *remove;
	int fd = host_open(ROOT "slow", O_RDONLY);

	init_completion(&slow.begun);
	init_completion(&slow.go);
	read = test_thread_start(reader, (void *)(uintptr_t)fd);
	wait_for_completion(&slow.begun);
	remove = test_thread_start(remover, file);
	/* Gone from here on for who looks; but the remover waits. */
	while (host_open(ROOT "slow", O_RDONLY) != -ENOENT)
		yield();
	test_thread_asleep(remove);
	complete(&slow.go);
	KT_EQ(t, test_thread_end(read), 7);
	KT_EQ(t, test_thread_end(remove), 0);
	KT_CHECK(t, slow.removed);
	host_close(fd);
}

static int refuse_open(struct inode *inode, struct file *file)
{
	return -EPERM;
}

static const struct file_operations refuse_fops = { .open = refuse_open };

static void every_failure_leaves_nothing(struct ktap *t)
{
	int state = 1, nth, fd;
	struct dentry *dir, *file;

	file = debugfs_create_file("refused", 0444, NULL, NULL, &refuse_fops);
	KT_EQ(t, host_open(ROOT "refused", O_RDONLY), -EPERM);
	debugfs_remove(file);
	for (nth = 1, fd = -1; fd < 0; nth++) {
		port_fail_nth(PORT_FAULT_ALLOC, nth);
		dir = debugfs_create_dir("fail", NULL);
		file = debugfs_create_file("file", 0444, dir, &state, &state_fops);
		if (!IS_ERR(file))
			fd = host_open(ROOT "fail/file", O_RDONLY);
		else
			KT_EQ(t, PTR_ERR(file), -ENOMEM);
		KT_CHECK(t, fd >= 0 || fd == -1 || fd == -ENOMEM || fd == -EMFILE);
		debugfs_remove(dir);
	}
	port_fail_nth(PORT_FAULT_ALLOC, 0);
	KT_CHECK(t, nth > 6);
	host_close(fd);
}

KTAP_MAIN(KTAP_CASE(a_file_is_opened_by_its_path), KTAP_CASE(names_and_parents), KTAP_CASE(values),
	  KTAP_CASE(a_descriptor_outlives_its_file), KTAP_CASE(a_removal_waits_for_who_is_inside),
	  KTAP_CASE(every_failure_leaves_nothing))
