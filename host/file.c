/* SPDX-License-Identifier: MIT */
/*
 * file.c - files, their numbers, and their end
 *
 * Invariants
 *   FI1  An entry of the table is reserved or open only for the placeholder whose device and inode
 *        it notes.  Whoever looks at an entry and finds another descriptor there clears it and
 *        drops its reference.
 *   FI2  An open entry owns one reference of its file.
 *   FI3  Nothing of a file is touched under table_lock but its reference count.
 *   FI4  A placeholder is empty and sealed: what is written to it by the system's write() is
 *        refused, not lost.  DIFFERS: with EPERM, and read() finds the end; Linux says EINVAL.
 *   FI5  Releases run one after the other when put off, without any order among those that were
 *        not.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <linux/anon_inodes.h>
#include <linux/atomic.h>
#include <linux/bug.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kdev_t.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <asm/page.h>
#include "host/file.h"
#include "host/memfd.h"
#include "host/port.h"
#include "host/seq.h"

struct anon_file {
	struct file file;
	struct inode inode;
};

/* --- the end of a file ------------------------------------------------------------------------ */

/* Files whose last reference went where ->release() may not run; a stack. */
static struct file *delayed;

/* Held while delayed files are released, so that a flush waits for those already taken off. */
static DEFINE_MUTEX(delayed_lock);

static void file_end(struct file *file)
{
	struct anon_file *anon = container_of(file, struct anon_file, file);

	if (file->f_op->release)
		file->f_op->release(file->f_inode, file);
	if (file->f_end)
		file->f_end(file);
	kfree(anon);
}

void flush_delayed_fput(void)
{
	struct file *file, *next;

	might_sleep();
	mutex_lock(&delayed_lock);
	for (file = xchg(&delayed, NULL); file; file = next) {
		next = file->f_next_delayed;
		file_end(file);
	}
	mutex_unlock(&delayed_lock);
}

static void delayed_run(struct work_struct *work)
{
	flush_delayed_fput();
}

static DECLARE_WORK(delayed_work, delayed_run);

static void file_end_later(struct file *file)
{
	struct file *head = READ_ONCE(delayed);

	do {
		file->f_next_delayed = head;
	} while (!try_cmpxchg(&delayed, &head, file));
	schedule_work(&delayed_work);
}

void fput(struct file *file)
{
	if (!refcount_dec_and_test(&file->f_ref))
		return;
	if (in_atomic() || irqs_disabled() || rcu_read_lock_held())
		file_end_later(file);
	else
		file_end(file);
}

struct file *anon_inode_getfile(const char *name, const struct file_operations *fops, void *priv,
				int flags)
{
	static atomic64_t last_ino;
	struct anon_file *anon;

	if (WARN(!fops, "anon_inode_getfile: %s: no operations", name))
		return ERR_PTR(-EINVAL);
	anon = kzalloc(sizeof(*anon), GFP_KERNEL);
	if (!anon)
		return ERR_PTR(-ENOMEM);
	anon->inode.i_ino = atomic64_inc_return(&last_ino);
	anon->file.f_op = fops;
	anon->file.f_inode = &anon->inode;
	anon->file.f_name = name;
	anon->file.private_data = priv;
	anon->file.f_flags = flags & (O_ACCMODE | O_NONBLOCK);
	anon->file.f_mode = OPEN_FMODE(flags);
	refcount_set(&anon->file.f_ref, 1);
	return &anon->file;
}

/* --- numbers ---------------------------------------------------------------------------------- */

/* Which descriptor a number stands for. */
struct descriptor {
	dev_t dev;
	ino_t ino;
};

enum entry_state { ENTRY_CLOSED, ENTRY_RESERVED, ENTRY_OPEN };

struct entry {
	enum entry_state state;
	struct descriptor descriptor;
	struct file *file; /* open entries only */
};

static DEFINE_SPINLOCK(table_lock);

/* Under table_lock. */
static struct entry *table;
static unsigned int table_size;

static bool descriptor_of(unsigned int fd, struct descriptor *d)
{
	struct stat st;

	d->dev = 0;
	d->ino = 0;
	if (fstat(fd, &st))
		return false;
	d->dev = st.st_dev;
	d->ino = st.st_ino;
	return true;
}

/* Caller holds table_lock and drops the file's reference afterwards. */
static struct file *entry_clear(struct entry *entry)
{
	struct file *file = entry->file;

	*entry = (struct entry){ .state = ENTRY_CLOSED };
	return file;
}

/*
 * The entry of @fd, or NULL if it is closed.  @stale is the file that the program closed without
 * our knowing, or NULL; its reference is dropped after table_lock.
 *
 * Caller holds table_lock.  The system is asked under it: an answer from before may be older than
 * the entry.
 */
static struct entry *entry_find(unsigned int fd, struct file **stale)
{
	struct descriptor now;
	struct entry *entry;

	*stale = NULL;
	if (fd >= table_size || table[fd].state == ENTRY_CLOSED)
		return NULL;
	entry = &table[fd];
	if (descriptor_of(fd, &now) && now.dev == entry->descriptor.dev &&
	    now.ino == entry->descriptor.ino)
		return entry;
	*stale = entry_clear(entry);
	return NULL;
}

static int table_reserve(unsigned int fd, const struct descriptor *d)
{
	struct entry *bigger = NULL, *old = NULL;
	struct file *stale;
	unsigned int size;

	spin_lock(&table_lock);
	size = table_size;
	spin_unlock(&table_lock);
	if (fd >= size) {
		size = max_t(unsigned int, roundup_pow_of_two(fd + 1), 64);
		bigger = kcalloc(size, sizeof(*bigger), GFP_KERNEL);
		if (!bigger)
			return -ENOMEM;
	}

	spin_lock(&table_lock);
	if (bigger && table_size < size) {
		if (table_size)
			memcpy(bigger, table, table_size * sizeof(*table));
		old = table;
		table = bigger;
		/* what a child sees that is forked right now */
		smp_store_release(&table_size, size);
	} else {
		old = bigger;
	}
	stale = entry_clear(&table[fd]); /* the system would not have given us an open one */
	table[fd] = (struct entry){ .state = ENTRY_RESERVED, .descriptor = *d };
	spin_unlock(&table_lock);

	kfree(old);
	if (stale)
		fput(stale);
	return 0;
}

int get_unused_fd_flags(unsigned int flags)
{
	struct descriptor d;
	int fd, ret;

	might_sleep();
	fd = port_memfd_create("libdmabuf",
			       MFD_ALLOW_SEALING | (flags & O_CLOEXEC ? MFD_CLOEXEC : 0));
	if (fd < 0)
		return -errno;
	fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
	ret = descriptor_of(fd, &d) ? table_reserve(fd, &d) : -EMFILE;
	if (ret) {
		close(fd);
		return ret;
	}
	return fd;
}

/*
 * The entry whose placeholder @fd is a copy of, or NULL.  Only for numbers that have no entry of
 * their own: it looks at all.  Caller holds table_lock.
 */
static struct entry *entry_of_copy(unsigned int fd)
{
	struct descriptor now;

	if (!table_size || !descriptor_of(fd, &now))
		return NULL;
	for (unsigned int i = 0; i < table_size; i++) {
		struct entry *entry = &table[i];

		if (entry->state == ENTRY_OPEN && entry->descriptor.dev == now.dev &&
		    entry->descriptor.ino == now.ino)
			return entry;
	}
	return NULL;
}

/* Closes @fd if its state is @want; @file is the file it had, NULL for none. */
static bool entry_close(unsigned int fd, enum entry_state want, struct file **file)
{
	struct entry *entry;
	struct file *stale;
	bool closed;

	*file = NULL;
	spin_lock(&table_lock);
	entry = entry_find(fd, &stale);
	closed = entry && entry->state == want;
	if (closed)
		*file = entry_clear(entry);
	spin_unlock(&table_lock);
	if (stale)
		fput(stale);
	if (closed)
		close(fd);
	return closed;
}

void put_unused_fd(unsigned int fd)
{
	struct file *none;
	bool closed;

	might_sleep();
	closed = entry_close(fd, ENTRY_RESERVED, &none);
	WARN(!closed, "put_unused_fd: %u is not reserved", fd);
}

void fd_install(unsigned int fd, struct file *file)
{
	bool reserved;

	might_sleep();
	spin_lock(&table_lock);
	reserved = fd < table_size && table[fd].state == ENTRY_RESERVED;
	if (reserved) {
		table[fd].state = ENTRY_OPEN;
		table[fd].file = file;
	}
	spin_unlock(&table_lock);
	if (WARN(!reserved, "fd_install: %u is not reserved", fd))
		fput(file);
}

struct file *host_fget(unsigned int fd)
{
	struct file *file = NULL, *stale;
	struct entry *entry;

	might_sleep();
	spin_lock(&table_lock);
	entry = entry_find(fd, &stale) ?: entry_of_copy(fd);
	if (entry && entry->state == ENTRY_OPEN)
		file = get_file(entry->file);
	spin_unlock(&table_lock);
	if (stale)
		fput(stale);
	return file;
}

struct file *fget(unsigned int fd)
{
	return host_fget(fd) ?: host_memfd_file(fd);
}

int anon_inode_getfd(const char *name, const struct file_operations *fops, void *priv, int flags)
{
	struct file *file;
	int fd;

	fd = get_unused_fd_flags(flags & O_CLOEXEC);
	if (fd < 0)
		return fd;
	file = anon_inode_getfile(name, fops, priv, flags);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	fd_install(fd, file);
	return fd;
}

/* --- what programs do ------------------------------------------------------------------------- */

static bool is_copy(unsigned int fd)
{
	bool copy;

	spin_lock(&table_lock);
	copy = entry_of_copy(fd);
	spin_unlock(&table_lock);
	return copy;
}

int host_close(int fd)
{
	struct file *file;

	might_sleep();
	if (entry_close(fd, ENTRY_OPEN, &file)) {
		fput(file);
		return 0;
	}
	return is_copy(fd) && !close(fd) ? 0 : -EBADF;
}

static bool is_noted(const struct descriptor *d)
{
	for (unsigned int i = 0; i < table_size; i++)
		if (table[i].descriptor.dev == d->dev && table[i].descriptor.ino == d->ino)
			return true;
	return false;
}

/*
 * In a child: another thread of its parent's may just have made a descriptor and not noted it, or
 * have been about to close one.  A copy of a noted one is the program's.
 */
static void close_unnoted(void)
{
	static const char ours[] = "/memfd:libdmabuf";
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char target[sizeof(ours)] = "";
		struct descriptor d;
		int fd = atoi(entry->d_name);

		if (readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1) > 0 &&
		    !strcmp(target, ours) && descriptor_of(fd, &d) && !is_noted(&d))
			close(fd);
	}
	if (dir)
		closedir(dir);
}

void host_close_all(bool leave)
{
	if (leave)
		spin_lock_init(&table_lock);
	for (unsigned int fd = 0; fd < table_size; fd++) {
		struct file *stale;

		if (!leave)
			host_close(fd);
		else if (entry_find(fd, &stale))
			close(fd);
	}
	if (leave) {
		close_unnoted();
		return;
	}
	spin_lock(&table_lock);
	kfree(table);
	table = NULL;
	table_size = 0;
	spin_unlock(&table_lock);
}

int host_dup(int fd, int flags)
{
	struct file *file = host_fget(fd);
	int copy;

	if (!file)
		return -EBADF;
	copy = get_unused_fd_flags(flags);
	if (copy < 0)
		fput(file);
	else
		fd_install(copy, file);
	return copy;
}

long host_ioctl(int fd, unsigned int cmd, unsigned long arg)
{
	struct file *file = host_fget(fd);
	long ret = -ENOTTY;

	if (!file)
		return -EBADF;
	if (file->f_op->unlocked_ioctl)
		ret = file->f_op->unlocked_ioctl(file, cmd, arg);
	fput(file);
	return ret;
}

long compat_ptr_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	if (!file->f_op->unlocked_ioctl)
		return -ENOIOCTLCMD;
	return file->f_op->unlocked_ioctl(file, cmd, arg);
}

loff_t noop_llseek(struct file *file, loff_t offset, int whence)
{
	return file->f_pos;
}

/* What one call transfers at most, as in Linux. */
static size_t transfer_size(size_t len)
{
	return min_t(size_t, len, INT_MAX & PAGE_MASK);
}

ssize_t host_read(int fd, void *buf, size_t len)
{
	struct file *file = host_fget(fd);
	ssize_t ret = -EBADF;
	loff_t pos;

	if (!file)
		return -EBADF;
	if (file->f_mode & FMODE_READ)
		ret = file->f_op->read ? 0 : -EINVAL;
	if (!ret) {
		pos = file->f_pos;
		ret = file->f_op->read(file, buf, transfer_size(len), &pos);
		if (ret >= 0)
			file->f_pos = pos;
	}
	fput(file);
	return ret;
}

ssize_t host_write(int fd, const void *buf, size_t len)
{
	struct file *file = host_fget(fd);
	ssize_t ret = -EBADF;
	loff_t pos;

	if (!file)
		return -EBADF;
	if (file->f_mode & FMODE_WRITE)
		ret = file->f_op->write ? 0 : -EINVAL;
	if (!ret) {
		pos = file->f_pos;
		ret = file->f_op->write(file, buf, transfer_size(len), &pos);
		if (ret >= 0)
			file->f_pos = pos;
	}
	fput(file);
	return ret;
}

loff_t host_lseek(int fd, loff_t offset, int whence)
{
	struct file *file = host_fget(fd);
	loff_t ret = -ESPIPE;

	if (!file)
		return -EBADF;
	if (file->f_op->llseek)
		ret = file->f_op->llseek(file, offset, whence);
	fput(file);
	return ret;
}

int host_fstat(int fd, struct stat *st)
{
	struct file *file = host_fget(fd);
	dev_t rdev;

	*st = (struct stat){};
	if (!file)
		return -EBADF;
	st->st_size = i_size_read(file_inode(file));
	st->st_ino = file_inode(file)->i_ino;
	rdev = file_inode(file)->i_rdev;
	st->st_rdev = makedev(MAJOR(rdev), MINOR(rdev));
	st->st_mode = rdev ? S_IFCHR | 0600 : 0600;
	st->st_nlink = 1;
	fput(file);
	return 0;
}

static void show_fdinfo(struct seq_file *m, void *data)
{
	struct file *file = data;

	seq_printf(m, "pos:\t%lld\nflags:\t0%o\nino:\t%lu\n", (long long)file->f_pos, file->f_flags,
		   file_inode(file)->i_ino);
	if (file->f_op->show_fdinfo)
		file->f_op->show_fdinfo(m, file);
}

ssize_t host_fdinfo(int fd, char *buf, size_t size)
{
	struct file *file = host_fget(fd);
	size_t len;
	char *text;

	if (size)
		buf[0] = '\0';
	if (!file)
		return -EBADF;
	text = host_seq_text(show_fdinfo, file, &len);
	fput(file);
	if (IS_ERR(text))
		return PTR_ERR(text);
	if (size)
		strscpy(buf, text, size);
	kvfree(text);
	return len;
}
