/* SPDX-License-Identifier: MIT */
/* Files: references, numbers, and where they end. */
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/anon_inodes.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/minmax.h>
#include <linux/poll.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include "host/file.h"
#include "host/port.h"
#include "tests/ktap.h"

struct probe {
	int released;
	bool in_atomic;
};

static int probe_release(struct inode *inode, struct file *file)
{
	struct probe *p = file->private_data;

	p->in_atomic = in_atomic() || irqs_disabled() || rcu_read_lock_held();
	__atomic_add_fetch(&p->released, 1, __ATOMIC_RELEASE);
	return 0;
}

static int released(struct probe *p)
{
	return __atomic_load_n(&p->released, __ATOMIC_ACQUIRE);
}

static long probe_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return cmd + arg;
}

static const struct file_operations probe_fops = {
	.release = probe_release,
	.unlocked_ioctl = probe_ioctl,
};
static const struct file_operations bare_fops;

static struct file *make(struct probe *p, int flags)
{
	*p = (struct probe){};
	return anon_inode_getfile("probe", &probe_fops, p, flags);
}

static void last_reference_releases(struct ktap *t)
{
	struct probe p;
	struct file *file = make(&p, O_RDWR | O_CLOEXEC);

	KT_ASSERT(t, !IS_ERR(file));
	KT_EQ(t, file->f_mode, FMODE_READ | FMODE_WRITE);
	KT_EQ(t, file->f_flags, O_RDWR);
	KT_EQ(t, file_count(file), 1);
	i_size_write(file_inode(file), 8192);
	KT_EQ(t, i_size_read(file_inode(file)), 8192);
	get_file(file);
	fput(file);
	KT_EQ(t, released(&p), 0);
	fput(file);
	KT_EQ(t, released(&p), 1);
}

static int ended_after;

static void note_end(struct file *file)
{
	ended_after = released(file->private_data);
}

static void what_a_file_brought_goes_after_its_release(struct ktap *t)
{
	struct probe p;
	struct file *file = make(&p, O_RDWR);

	KT_ASSERT(t, !IS_ERR(file));
	ended_after = -1;
	file->f_end = note_end;
	get_file(file);
	fput(file);
	KT_EQ(t, ended_after, -1);
	fput(file);
	KT_EQ(t, ended_after, 1);
}

static void access_modes(struct ktap *t)
{
	struct probe a, b;
	struct file *r = make(&a, O_RDONLY), *w = make(&b, O_WRONLY | O_NONBLOCK);

	KT_ASSERT(t, !IS_ERR(r) && !IS_ERR(w));
	KT_EQ(t, r->f_mode, FMODE_READ);
	KT_EQ(t, w->f_mode, FMODE_WRITE);
	KT_EQ(t, w->f_flags, O_WRONLY | O_NONBLOCK);
	KT_CHECK(t, file_inode(r)->i_ino != file_inode(w)->i_ino);
	fput(r);
	fput(w);
}

static void release_never_runs_in_atomic_context(struct ktap *t)
{
	static DEFINE_SPINLOCK(lock);
	struct probe p, q, r;
	struct file *file = make(&p, O_RDWR), *other = make(&q, O_RDWR), *third = make(&r, O_RDWR);
	unsigned long flags;

	KT_ASSERT(t, !IS_ERR(file) && !IS_ERR(other) && !IS_ERR(third));
	spin_lock(&lock);
	fput(file);
	spin_unlock(&lock);
	local_irq_save(flags);
	fput(other);
	local_irq_restore(flags);
	rcu_read_lock();
	fput(third);
	rcu_read_unlock();
	flush_delayed_fput();
	KT_EQ(t, released(&p), 1);
	KT_EQ(t, released(&q), 1);
	KT_EQ(t, released(&r), 1);
	KT_CHECK(t, !p.in_atomic && !q.in_atomic && !r.in_atomic);
}

static void put_off_releases_need_no_flush(struct ktap *t)
{
	static DEFINE_SPINLOCK(lock);
	struct probe p;
	struct file *file = make(&p, O_RDWR);

	KT_ASSERT(t, !IS_ERR(file));
	spin_lock(&lock);
	fput(file);
	spin_unlock(&lock);
	while (!released(&p))
		port_yield();
	KT_EQ(t, released(&p), 1);
	flush_delayed_fput();
}

/* --- numbers ---------------------------------------------------------------------------------- */

static void numbers_are_real(struct ktap *t)
{
	struct probe p;
	struct file *file = make(&p, O_RDWR);
	int fd = get_unused_fd_flags(O_CLOEXEC);

	KT_ASSERT(t, !IS_ERR(file));
	KT_ASSERT(t, fd >= 0);
	KT_EQ(t, fcntl(fd, F_GETFD), FD_CLOEXEC);
	KT_CHECK(t, !fget(fd));
	fd_install(fd, file);
	KT_CHECK(t, fget(fd) == file);
	KT_EQ(t, file_count(file), 2);
	fput(file);
	KT_EQ(t, host_ioctl(fd, 40, 2), 42);
	KT_EQ(t, host_close(fd), 0);
	KT_EQ(t, released(&p), 1);
	KT_EQ(t, fcntl(fd, F_GETFD), -1);
	KT_CHECK(t, !fget(fd));
	KT_EQ(t, host_close(fd), -EBADF);
	KT_EQ(t, host_ioctl(fd, 40, 2), -EBADF);
}

static void without_cloexec(struct ktap *t)
{
	int fd = get_unused_fd_flags(0);

	KT_ASSERT(t, fd >= 0);
	KT_EQ(t, fcntl(fd, F_GETFD), 0);
	put_unused_fd(fd);
	KT_EQ(t, fcntl(fd, F_GETFD), -1);

	fd = get_unused_fd_flags(O_RDWR | O_CLOEXEC);
	KT_ASSERT(t, fd >= 0);
	KT_EQ(t, fcntl(fd, F_GETFD), FD_CLOEXEC);
	put_unused_fd(fd);
}

static void a_file_without_operations(struct ktap *t)
{
	int fd = anon_inode_getfd("bare", &bare_fops, NULL, O_RDWR | O_CLOEXEC);

	KT_ASSERT(t, fd >= 0);
	KT_EQ(t, host_ioctl(fd, 1, 2), -ENOTTY);
	KT_EQ(t, host_close(fd), 0);
	ktap_expect_warn(t, "no operations");
	KT_EQ(t, PTR_ERR(anon_inode_getfile("none", NULL, NULL, 0)), -EINVAL);
}

static void foreign_descriptors_are_not_ours(struct ktap *t)
{
	int fd = eventfd(0, 0);

	KT_ASSERT(t, fd >= 0);
	KT_CHECK(t, !fget(fd));
	KT_CHECK(t, !fget(-1));
	KT_CHECK(t, !fget(1 << 30));
	KT_EQ(t, host_close(fd), -EBADF);
	KT_EQ(t, host_close(-1), -EBADF);
	KT_CHECK(t, fcntl(fd, F_GETFD) >= 0);
	close(fd);
}

static bool is_file_of(int fd, struct probe *p)
{
	struct file *file = fget(fd);
	bool is = file && file->private_data == p;

	if (file)
		fput(file);
	return is;
}

/* The program closes a number behind our back and the system gives it to something else. */
static void reused_numbers(struct ktap *t)
{
	struct probe p, q;
	int fd, other;

	/* By another kind of descriptor, and by one of the placeholders' own kind. */
	for (int same_kind = 0; same_kind < 2; same_kind++) {
		p = (struct probe){};
		fd = anon_inode_getfd("probe", &probe_fops, &p, O_RDWR);
		KT_ASSERT(t, fd >= 0);
		close(fd);
		other = same_kind ? memfd_create("other", 0) : eventfd(0, 0);
		KT_EQ(t, other, fd);
		KT_CHECK(t, !is_file_of(fd, &p));
		KT_EQ(t, released(&p), 1);
		KT_EQ(t, host_close(fd), -EBADF);
		KT_CHECK(t, fcntl(fd, F_GETFD) >= 0);
		close(other);
	}

	/* The number comes back to ourselves. */
	p = (struct probe){};
	q = (struct probe){};
	fd = anon_inode_getfd("probe", &probe_fops, &p, O_RDWR);
	KT_ASSERT(t, fd >= 0);
	close(fd);
	other = anon_inode_getfd("probe", &probe_fops, &q, O_RDWR);
	KT_EQ(t, other, fd);
	KT_EQ(t, released(&p), 1);
	KT_EQ(t, released(&q), 0);
	KT_EQ(t, host_close(other), 0);
	KT_EQ(t, released(&q), 1);
}

static void broken_uses_of_numbers(struct ktap *t)
{
	struct probe p;
	struct file *file = make(&p, O_RDWR);
	int fd = get_unused_fd_flags(0);

	KT_ASSERT(t, !IS_ERR(file) && fd >= 0);
	KT_EQ(t, host_close(fd), -EBADF);
	fd_install(fd, get_file(file));
	ktap_expect_warn(t, "is not reserved");
	fd_install(fd, get_file(file));
	ktap_expect_warn(t, "is not reserved");
	put_unused_fd(fd);
	KT_EQ(t, file_count(file), 2);
	KT_EQ(t, host_close(fd), 0);
	fput(file);
	KT_EQ(t, released(&p), 1);
}

static void many_numbers(struct ktap *t)
{
	enum { COUNT = 200 };
	static struct probe p[COUNT];
	int fd[COUNT];

	for (int i = 0; i < COUNT; i++) {
		p[i] = (struct probe){};
		fd[i] = anon_inode_getfd("probe", &probe_fops, &p[i], O_RDWR);
		KT_ASSERT(t, fd[i] >= 0);
	}
	for (int i = 0; i < COUNT; i++) {
		struct file *file = fget(fd[i]);

		KT_ASSERT(t, file);
		KT_CHECK(t, file->private_data == &p[i]);
		fput(file);
		KT_EQ(t, host_close(fd[i]), 0);
		KT_EQ(t, released(&p[i]), 1);
	}
}

static void failure_on_demand(struct ktap *t)
{
	struct probe p = {};
	int fd = -1, before = eventfd(0, 0), failures, after;

	close(before);
	for (failures = 0; fd < 0; failures++) {
		port_fail_nth(PORT_FAULT_ALLOC, failures + 1);
		fd = anon_inode_getfd("probe", &probe_fops, &p, O_RDWR);
		KT_CHECK(t, fd >= 0 || fd == -ENOMEM);
	}
	port_fail_nth(PORT_FAULT_ALLOC, 0);
	KT_CHECK(t, failures > 1);
	port_fail_nth(PORT_FAULT_FD, 1);
	KT_EQ(t, anon_inode_getfd("probe", &probe_fops, &p, O_RDWR), -EMFILE);
	port_fail_nth(PORT_FAULT_FD, 1);
	port_fail_errno(PORT_FAULT_FD, ENFILE);
	KT_EQ(t, anon_inode_getfd("probe", &probe_fops, &p, O_RDWR), -ENFILE);
	port_fail_errno(PORT_FAULT_FD, 0);
	port_fail_nth(PORT_FAULT_FD, 0);
	KT_EQ(t, released(&p), 0);
	KT_EQ(t, host_close(fd), 0);
	after = eventfd(0, 0);
	KT_EQ(t, after, before);
	close(after);
}

/* --- copies, positions, what a file says of itself ------------------------------------------- */

static void a_copy_lives_on_its_own(struct ktap *t)
{
	struct probe p = {};
	int fd = anon_inode_getfd("probe", &probe_fops, &p, O_RDWR), copy;

	copy = host_dup(fd, O_CLOEXEC);
	KT_ASSERT(t, copy >= 0);
	KT_EQ(t, fcntl(copy, F_GETFD), FD_CLOEXEC);
	KT_EQ(t, host_close(fd), 0);
	KT_EQ(t, host_ioctl(copy, 40, 2), 42);
	KT_EQ(t, host_close(copy), 0);
	KT_EQ(t, released(&p), 1);
	KT_EQ(t, host_dup(copy, 0), -EBADF);
}

/* dup() of the system's, which only the inode tells. */
static void a_copy_by_the_system_is_recognised(struct ktap *t)
{
	struct probe p = {}, q = {};
	int fd = anon_inode_getfd("probe", &probe_fops, &p, O_RDWR);
	int other = anon_inode_getfd("probe", &probe_fops, &q, O_RDWR);
	int copy = dup(fd), foreign = memfd_create("foreign", 0);
	struct file *file;

	KT_ASSERT(t, fd >= 0 && other >= 0 && copy >= 0 && foreign >= 0);
	file = fget(copy);
	KT_ASSERT(t, file);
	KT_CHECK(t, file->private_data == &p);
	fput(file);
	KT_CHECK(t, !is_file_of(foreign, &p));
	close(foreign);
	/* Closing the copy closes nothing else. */
	KT_EQ(t, host_close(copy), 0);
	KT_EQ(t, fcntl(copy, F_GETFD), -1);
	KT_EQ(t, released(&p), 0);

	/* One of ours over another of ours. */
	KT_EQ(t, dup2(fd, other), other);
	file = fget(other);
	KT_ASSERT(t, file);
	KT_CHECK(t, file->private_data == &p);
	fput(file);
	KT_EQ(t, released(&q), 1);

	/* With the original goes the copy. */
	KT_EQ(t, host_close(fd), 0);
	KT_EQ(t, released(&p), 1);
	KT_CHECK(t, !fget(other));
	KT_EQ(t, host_close(other), -EBADF);
	close(other);
}

static char stored[16];

static ssize_t store_read(struct file *file, char __user *buf, size_t len, loff_t *pos)
{
	len = min_t(size_t, len, sizeof(stored) - *pos);
	memcpy(buf, stored + *pos, len);
	*pos += len;
	return len;
}

static ssize_t store_write(struct file *file, const char __user *buf, size_t len, loff_t *pos)
{
	if (len > sizeof(stored) - *pos)
		return -ENOSPC;
	memcpy(stored + *pos, buf, len);
	*pos += len;
	return len;
}

static loff_t store_llseek(struct file *file, loff_t offset, int whence)
{
	if (whence != SEEK_SET || offset < 0 || (size_t)offset > sizeof(stored))
		return -EINVAL;
	file->f_pos = offset;
	return offset;
}

static void store_fdinfo(struct seq_file *m, struct file *file)
{
	for (int i = 0; i < 400; i++)
		seq_printf(m, "line:\t%d\n", i);
	seq_putc(m, '!');
	seq_puts(m, "end\n");
}

static const struct file_operations store_fops = {
	.read = store_read,
	.write = store_write,
	.llseek = store_llseek,
	.show_fdinfo = store_fdinfo,
};

static void positions_move(struct ktap *t)
{
	int fd = anon_inode_getfd("store", &store_fops, NULL, O_RDWR);
	char buf[8] = {};

	KT_EQ(t, host_write(fd, "abcdef", 6), 6);
	KT_EQ(t, host_write(fd, "abcdefabcdef", 12), -ENOSPC);
	KT_EQ(t, host_write(fd, "gh", 2), 2);
	KT_EQ(t, host_lseek(fd, 4, SEEK_SET), 4);
	KT_EQ(t, host_read(fd, buf, 3), 3);
	KT_EQ(t, memcmp(buf, "efg", 3), 0);
	KT_EQ(t, host_read(fd, buf, 1), 1);
	KT_EQ(t, buf[0], 'h');
	KT_EQ(t, host_lseek(fd, 0, SEEK_END), -EINVAL);
	KT_EQ(t, host_close(fd), 0);
}

static void modes_and_missing_operations(struct ktap *t)
{
	int r = anon_inode_getfd("store", &store_fops, NULL, O_RDONLY);
	int w = anon_inode_getfd("store", &store_fops, NULL, O_WRONLY);
	int bare = anon_inode_getfd("bare", &bare_fops, NULL, O_RDWR);
	char byte;

	KT_EQ(t, host_write(r, "a", 1), -EBADF);
	KT_EQ(t, host_read(w, &byte, 1), -EBADF);
	KT_EQ(t, host_read(bare, &byte, 1), -EINVAL);
	KT_EQ(t, host_write(bare, "a", 1), -EINVAL);
	KT_EQ(t, host_lseek(bare, 0, SEEK_SET), -ESPIPE);
	KT_EQ(t, host_close(r), 0);
	KT_EQ(t, host_close(w), 0);
	KT_EQ(t, host_close(bare), 0);
	KT_EQ(t, host_read(bare, &byte, 1), -EBADF);
	KT_EQ(t, host_write(bare, "a", 1), -EBADF);
	KT_EQ(t, host_lseek(bare, 0, SEEK_SET), -EBADF);
}

static void a_file_tells_of_itself(struct ktap *t)
{
	int fd = anon_inode_getfd("store", &store_fops, NULL, O_RDWR);
	struct file *file = fget(fd);
	static char text[8192];
	char small[8];
	struct stat st;
	ssize_t len;

	i_size_write(file_inode(file), 12345);
	KT_EQ(t, host_fstat(fd, &st), 0);
	KT_EQ(t, st.st_size, 12345);
	KT_EQ(t, st.st_ino, file_inode(file)->i_ino);
	KT_EQ(t, st.st_rdev, 0);
	fput(file);

	len = host_fdinfo(fd, text, sizeof(text));
	KT_EQ(t, len, strlen(text));
	KT_CHECK(t, strstr(text, "pos:\t0\nflags:\t02\nino:\t") == text);
	KT_CHECK(t, strstr(text, "line:\t0\n") && strstr(text, "line:\t399\n!end\n"));
	KT_EQ(t, host_fdinfo(fd, small, sizeof(small)), len);
	KT_EQ(t, strcmp(small, "pos:\t0\n"), 0);
	KT_EQ(t, host_fdinfo(fd, NULL, 0), len);
	for (int nth = 1; nth <= 3; nth++) {
		port_fail_nth(PORT_FAULT_ALLOC, nth);
		KT_EQ(t, host_fdinfo(fd, text, sizeof(text)), -ENOMEM);
		KT_EQ(t, text[0], 0);
	}
	port_fail_nth(PORT_FAULT_ALLOC, 0);
	KT_EQ(t, host_close(fd), 0);
	KT_EQ(t, host_fstat(fd, &st), -EBADF);
	KT_EQ(t, host_fdinfo(fd, text, sizeof(text)), -EBADF);
}

/* --- poll ------------------------------------------------------------------------------------- */

static int asked;

static void ask(struct file *file, wait_queue_head_t *queue, poll_table *table)
{
	asked++;
}

static void poll_tables(struct ktap *t)
{
	wait_queue_head_t queue;
	poll_table table;

	init_poll_funcptr(&table, ask);
	asked = 0;
	poll_wait(NULL, &queue, &table);
	KT_EQ(t, asked, 1);
	poll_wait(NULL, &queue, NULL);
	poll_wait(NULL, NULL, &table);
	KT_EQ(t, asked, 1);
	KT_CHECK(t, !poll_does_not_wait(&table) && poll_does_not_wait(NULL));
	KT_CHECK(t, poll_requested_events(&table) & EPOLLIN);
	KT_CHECK(t, poll_requested_events(NULL) & EPOLLOUT);
}

KTAP_MAIN(KTAP_CASE(last_reference_releases), KTAP_CASE(what_a_file_brought_goes_after_its_release),
	  KTAP_CASE(access_modes), KTAP_CASE(release_never_runs_in_atomic_context),
	  KTAP_CASE(put_off_releases_need_no_flush), KTAP_CASE(numbers_are_real),
	  KTAP_CASE(without_cloexec), KTAP_CASE(a_file_without_operations),
	  KTAP_CASE(foreign_descriptors_are_not_ours), KTAP_CASE(reused_numbers),
	  KTAP_CASE(broken_uses_of_numbers), KTAP_CASE(many_numbers), KTAP_CASE(failure_on_demand),
	  KTAP_CASE(a_copy_lives_on_its_own), KTAP_CASE(a_copy_by_the_system_is_recognised),
	  KTAP_CASE(positions_move), KTAP_CASE(modes_and_missing_operations),
	  KTAP_CASE(a_file_tells_of_itself), KTAP_CASE(poll_tables))
