/* SPDX-License-Identifier: MIT */
/*
 * preload.c - the part of a run that is loaded into dynamic programs
 *
 * It makes cheap what the filter alone makes right: a call that has nothing to do with our devices
 * carries a cookie, and the supervisor is not asked; a SYNC that waits for nothing is answered here.
 * And it makes right what the system gets wrong: poll() and select() of a buffer, which is a memfd
 * and so always ready to it, wait for the fences, by sync_files of them.
 *
 * Plain C on libc: nothing of the library's is in a program.  What libc does within itself comes to
 * the supervisor as from a static program.
 *
 * Invariants
 *   PL1  A wrapper leaves errno as the call that it stands for does.
 *   PL2  Without the run's shared file only paths are looked at; all is as right as without this.
 *
 * DIFFERS: a pointer to nowhere, in a path or a SYNC, is a fault, not EFAULT; open() of what is not
 * ours, and close(), are no points of cancellation.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "userdev/filter.h"
#include "userdev/shared.h"

#define WRAPS __attribute__((visibility("default")))
#define COOKIE ((long)FILTER_COOKIE)

/* As <linux/dma-buf.h> has them since 6.0. */
struct export_sync_file {
	uint32_t flags;
	int32_t fd;
};
#define EXPORT_SYNC_FILE _IOWR(DMA_BUF_BASE, 2, struct export_sync_file)

/* Of a type that the filter hands on, and nobody's. */
#define ASK_NOTHING _IO('W', 0xff)

static const struct run_shared *shared;

/* The next definition of a name, looked up once. */
#define NEXT(type, name, ...)                                                 \
	({                                                                    \
		static type (*next_)(__VA_ARGS__);                            \
		if (!next_)                                                   \
			next_ = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name); \
		next_;                                                        \
	})

/*
 * A call that the filter lets through if it has the @cookie.  That is left nowhere: a call after it
 * that has fewer arguments takes the others from where they lie, be it a register or, by libc's
 * syscall(), the stack, and would be let through, too.
 */
static long call(bool cookie, long nr, long a, long b, long c, long d, long e)
{
#ifdef __x86_64__
	register long r10 __asm__("r10") = d, r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = cookie ? COOKIE : 0;
	long ret;

	__asm__ volatile("syscall\n\txorl %%r9d, %%r9d"
			 : "=a"(ret), "+r"(r9)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
			 : "rcx", "r11", "memory", "cc");
	if ((unsigned long)ret <= -4096ul)
		return ret;
	errno = -ret;
	return -1;
#else
	return syscall(nr, a, b, c, d, e, cookie ? COOKIE : 0);
#endif
}

__attribute__((constructor)) static void see_shared(void)
{
	const char *folder = getenv(SHARED_VARIABLE);
	char path[256];
	void *at;
	int fd, before = errno;

	if (!folder ||
	    (size_t)snprintf(path, sizeof(path), "%s/" SHARED_FILE, folder) >= sizeof(path))
		return;
	fd = call(true, SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC, 0, 0);
	if (fd >= 0) {
		at = (void *)syscall(SYS_mmap, NULL, sizeof(*shared), PROT_READ,
				     MAP_SHARED | FILTER_MAP_COOKIE, fd, 0);
		if (at != MAP_FAILED)
			shared = at;
		close(fd);
	}
	errno = before;
}

/* --- paths ------------------------------------------------------------------------------------ */

static bool ours(const char *path)
{
	return path && (strstr(path, "dma_heap") || strstr(path, "udmabuf") ||
			strstr(path, "sw_sync") || strstr(path, "fdinfo/"));
}

static int open_path(int folder, const char *path, int flags, unsigned int mode)
{
	return call(!ours(path), SYS_openat, folder, (long)path, flags, mode, 0);
}

static unsigned int mode_of(int flags, va_list *more)
{
	return flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(*more, unsigned int)
								   : 0;
}

WRAPS int open(const char *path, int flags, ...)
{
	unsigned int mode;
	va_list more;

	va_start(more, flags);
	mode = mode_of(flags, &more);
	va_end(more);
	return open_path(AT_FDCWD, path, flags, mode);
}

WRAPS int openat(int folder, const char *path, int flags, ...)
{
	unsigned int mode;
	va_list more;

	va_start(more, flags);
	mode = mode_of(flags, &more);
	va_end(more);
	return open_path(folder, path, flags, mode);
}

int __open_2(const char *path, int flags);
int __openat_2(int folder, const char *path, int flags);

WRAPS int __open_2(const char *path, int flags)
{
	return open_path(AT_FDCWD, path, flags, 0);
}

WRAPS int __openat_2(int folder, const char *path, int flags)
{
	return open_path(folder, path, flags, 0);
}

WRAPS int creat(const char *path, mode_t mode)
{
	return open_path(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

WRAPS DIR *opendir(const char *path)
{
	int fd = open_path(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC, 0);
	DIR *dir;

	if (fd < 0)
		return NULL;
	dir = fdopendir(fd);
	if (!dir)
		close(fd);
	return dir;
}

/* Modes that fdopen() takes as they are; others are libc's own business. */
WRAPS FILE *fopen(const char *path, const char *mode)
{
	int flags, fd;
	FILE *file;

	if (strspn(mode, "rwab+e") != strlen(mode) || !*mode)
		return NEXT(FILE *, "fopen", const char *, const char *)(path, mode);
	flags = strchr(mode, '+') ? O_RDWR : *mode == 'r' ? O_RDONLY : O_WRONLY;
	flags |= *mode == 'w' ? O_CREAT | O_TRUNC : *mode == 'a' ? O_CREAT | O_APPEND : 0;
	fd = open_path(AT_FDCWD, path, flags | (strchr(mode, 'e') ? O_CLOEXEC : 0), 0666);
	if (fd < 0)
		return NULL;
	file = fdopen(fd, mode);
	if (!file)
		close(fd);
	return file;
}

static int stat_path(int folder, const char *path, struct stat *st, int flags)
{
	return call(!ours(path), SYS_newfstatat, folder, (long)path, (long)st, flags, 0);
}

WRAPS int stat(const char *restrict path, struct stat *restrict st)
{
	return stat_path(AT_FDCWD, path, st, 0);
}

WRAPS int lstat(const char *restrict path, struct stat *restrict st)
{
	return stat_path(AT_FDCWD, path, st, AT_SYMLINK_NOFOLLOW);
}

WRAPS int fstatat(int folder, const char *restrict path, struct stat *restrict st, int flags)
{
	return stat_path(folder, path, st, flags);
}

WRAPS int statx(int folder, const char *restrict path, int flags, unsigned int mask,
		struct statx *restrict st)
{
	return call(!ours(path), SYS_statx, folder, (long)path, flags, mask, (long)st);
}

WRAPS int access(const char *path, int mode)
{
	return call(!ours(path), SYS_faccessat, AT_FDCWD, (long)path, mode, 0, 0);
}

WRAPS int faccessat(int folder, const char *path, int mode, int flags)
{
	if (flags)
		return NEXT(int, "faccessat", int, const char *, int, int)(folder, path, mode,
									   flags);
	return call(!ours(path), SYS_faccessat, folder, (long)path, mode, 0, 0);
}

/* Large files' names, which are the same here. */
WRAPS int open64(const char *, int, ...) __attribute__((alias("open")));
WRAPS int openat64(int, const char *, int, ...) __attribute__((alias("openat")));
int __open64_2(const char *path, int flags);
int __openat64_2(int folder, const char *path, int flags);
WRAPS int __open64_2(const char *, int) __attribute__((alias("__open_2")));
WRAPS int __openat64_2(int, const char *, int) __attribute__((alias("__openat_2")));
WRAPS int creat64(const char *, mode_t) __attribute__((alias("creat")));
WRAPS FILE *fopen64(const char *, const char *) __attribute__((alias("fopen")));

WRAPS int stat64(const char *restrict path, struct stat64 *restrict st)
{
	return stat_path(AT_FDCWD, path, (struct stat *)st, 0);
}

WRAPS int lstat64(const char *restrict path, struct stat64 *restrict st)
{
	return stat_path(AT_FDCWD, path, (struct stat *)st, AT_SYMLINK_NOFOLLOW);
}

WRAPS int fstatat64(int folder, const char *restrict path, struct stat64 *restrict st, int flags)
{
	return stat_path(folder, path, (struct stat *)st, flags);
}

/* --- buffers ---------------------------------------------------------------------------------- */

/* Its entry in the table, 0 if @fd is none or nobody knows. */
static uint64_t buffer_at(int fd)
{
	struct stat st;

	if (fd < 0 || syscall(SYS_fstat, fd, &st) || st.st_dev != shared->memfds)
		return 0;
	return shared_find(shared, st.st_ino);
}

static bool sync_is_nothing(int fd, const struct dma_buf_sync *sync)
{
	uint64_t entry;

	if (!shared || !sync || !__atomic_load_n(&shared->quick, __ATOMIC_RELAXED) ||
	    !(sync->flags & DMA_BUF_SYNC_RW) || sync->flags & ~DMA_BUF_SYNC_VALID_FLAGS_MASK)
		return false;
	entry = buffer_at(fd);
	return entry && (!(entry & SHARED_PENDING) || sync->flags & DMA_BUF_SYNC_END);
}

WRAPS int ioctl(int fd, unsigned long request, ...)
{
	int before = errno;
	void *argument;
	va_list more;

	va_start(more, request);
	argument = va_arg(more, void *);
	va_end(more);
	if (request == DMA_BUF_IOCTL_SYNC && sync_is_nothing(fd, argument)) {
		errno = before;
		return 0;
	}
	errno = before;
	return syscall(SYS_ioctl, fd, request, argument);
}

/* The seals are asked for first: of a file that is no memfd that costs least. */
static bool may_be_buffer(int fd)
{
	return __atomic_load_n(&shared->buffers, __ATOMIC_RELAXED) &&
	       syscall(SYS_fcntl, fd, F_GET_SEALS) >= F_SEAL_SEAL &&
	       (shared->unlisted || buffer_at(fd));
}

WRAPS void *mmap(void *addr, size_t length, int prot, int flags, int fd, off_t offset)
{
	int before = errno;

	if (shared && fd >= 0 && (flags & MAP_TYPE) == MAP_SHARED && !(flags & MAP_ANONYMOUS) &&
	    !may_be_buffer(fd))
		flags |= FILTER_MAP_COOKIE;
	errno = before;
	return (void *)syscall(SYS_mmap, addr, length, prot, flags, fd, offset);
}

WRAPS void *mmap64(void *, size_t, int, int, int, off64_t) __attribute__((alias("mmap")));

/* Only what the system refuses can be a buffer, which is no file that it polls. */
WRAPS int epoll_ctl(int set, int op, int fd, struct epoll_event *event)
{
	int before = errno;
	int ret = call(true, SYS_epoll_ctl, set, op, fd, (long)event, 0);

	if (!ret || (errno != EPERM && errno != ENOENT))
		return ret;
	errno = before;
	return call(false, SYS_epoll_ctl, set, op, fd, (long)event, 0);
}

/* --- timelines -------------------------------------------------------------------------------- */

static bool is_timeline(int fd)
{
	struct stat st;

	return shared && __atomic_load_n(&shared->timelines, __ATOMIC_RELAXED) &&
	       !syscall(SYS_fstat, fd, &st) && st.st_mode == (S_IFIFO | SHARED_TIMELINE);
}

/* Fences signal at their timeline's end, and have when its last close returns. */
WRAPS int close(int fd)
{
	int before = errno, ret;
	bool tell = is_timeline(fd);

	errno = before;
	ret = syscall(SYS_close, fd);
	if (tell) {
		before = errno;
		syscall(SYS_ioctl, -1, ASK_NOTHING, 0);
		errno = before;
	}
	return ret;
}

/* --- poll and select -------------------------------------------------------------------------- */

#define SIDE_IN (POLLIN | POLLRDNORM)
#define SIDE_OUT (POLLOUT | POLLWRNORM)

static bool somebody_pends(void)
{
	return shared && __atomic_load_n(&shared->pending, __ATOMIC_RELAXED);
}

/* A sync_file of the fences that @fd, a buffer, is waited for; -1 if that cannot be had. */
static int fences_of(int fd, uint32_t flags)
{
	struct export_sync_file data = { .flags = flags, .fd = -1 };

	return syscall(SYS_ioctl, fd, EXPORT_SYNC_FILE, &data) ? -1 : data.fd;
}

/* What is polled in the place of a buffer. */
struct substitute {
	nfds_t of;
	short side;
};

/* Some buffer in the run has a fence pending: @fds may hold such. */
static int poll_fences(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
		       const sigset_t *mask)
{
	static const short sides[] = { SIDE_IN, SIDE_OUT };
	struct pollfd *all = calloc(count * 3 + 1, sizeof(*all));
	struct substitute *others = calloc(count * 3 + 1, sizeof(*others));
	nfds_t total = count;
	int ret = -1, error = ENOMEM;

	if (!all || !others)
		goto free_all;
	memcpy(all, fds, count * sizeof(*fds));
	for (nfds_t i = 0; i < count; i++) {
		if (!(buffer_at(fds[i].fd) & SHARED_PENDING))
			continue;
		for (int side = 0; side < 2; side++) {
			int fd = -1;

			if (fds[i].events & sides[side])
				fd = fences_of(fds[i].fd,
					       side ? DMA_BUF_SYNC_WRITE : DMA_BUF_SYNC_READ);
			if (fd < 0)
				continue;
			all[i].events &= ~sides[side];
			all[total] = (struct pollfd){ .fd = fd, .events = POLLIN };
			others[total++] = (struct substitute){ .of = i, .side = sides[side] };
		}
	}
	ret = NEXT(int, "ppoll", struct pollfd *, nfds_t, const struct timespec *,
		   const sigset_t *)(all, total, timeout, mask);
	error = errno;
	for (nfds_t i = count; i < total; i++)
		close(all[i].fd);
	if (ret < 0)
		goto free_all;
	for (nfds_t i = 0; i < count; i++)
		fds[i].revents = all[i].revents;
	for (nfds_t i = count; i < total; i++)
		if (all[i].revents & POLLIN)
			fds[others[i].of].revents |= fds[others[i].of].events & others[i].side;
	ret = 0;
	for (nfds_t i = 0; i < count; i++)
		ret += !!fds[i].revents;

free_all:
	free(all);
	free(others);
	errno = error;
	return ret;
}

WRAPS int poll(struct pollfd *fds, nfds_t count, int timeout)
{
	const struct timespec time = { timeout / 1000, timeout % 1000 * 1000000L };

	if (!somebody_pends())
		return NEXT(int, "poll", struct pollfd *, nfds_t, int)(fds, count, timeout);
	return poll_fences(fds, count, timeout < 0 ? NULL : &time, NULL);
}

WRAPS int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
		const sigset_t *mask)
{
	if (!somebody_pends())
		return NEXT(int, "ppoll", struct pollfd *, nfds_t, const struct timespec *,
			    const sigset_t *)(fds, count, timeout, mask);
	return poll_fences(fds, count, timeout, mask);
}

int __poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t bytes);
int __ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
		const sigset_t *mask, size_t bytes);

WRAPS int __poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t bytes)
{
	if (bytes / sizeof(*fds) < count)
		abort();
	return poll(fds, count, timeout);
}

WRAPS int __ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
		      const sigset_t *mask, size_t bytes)
{
	if (bytes / sizeof(*fds) < count)
		abort();
	return ppoll(fds, count, timeout, mask);
}

/* Sets of more than FD_SETSIZE are as long as @count says: words, as in libc. */
static bool is_in(const fd_set *set, int fd)
{
	return set && ((const unsigned long *)set)[fd / 64] >> fd % 64 & 1;
}

static void put_out(fd_set *set, int fd)
{
	if (set)
		((unsigned long *)set)[fd / 64] &= ~(1UL << fd % 64);
}

static int select_fences(int count, fd_set *in, fd_set *out, fd_set *other,
			 const struct timespec *timeout, const sigset_t *mask)
{
	struct pollfd *all = calloc(count + 1, sizeof(*all));
	int used = 0, ret;

	if (!all)
		return -1;
	for (int fd = 0; fd < count; fd++) {
		short events = (is_in(in, fd) ? POLLIN : 0) | (is_in(out, fd) ? POLLOUT : 0) |
			       (is_in(other, fd) ? POLLPRI : 0);

		if (events)
			all[used++] = (struct pollfd){ .fd = fd, .events = events };
	}
	ret = poll_fences(all, used, timeout, mask);
	for (int i = 0; ret >= 0 && i < used; i++)
		if (all[i].revents & POLLNVAL) {
			errno = EBADF;
			ret = -1;
		}
	if (ret < 0)
		goto free_all;
	ret = 0;
	for (int i = 0; i < used; i++) {
		const short got = all[i].revents;

		if (!(got & (POLLIN | POLLHUP | POLLERR)))
			put_out(in, all[i].fd);
		if (!(got & (POLLOUT | POLLERR)))
			put_out(out, all[i].fd);
		if (!(got & POLLPRI))
			put_out(other, all[i].fd);
		ret += is_in(in, all[i].fd) + is_in(out, all[i].fd) + is_in(other, all[i].fd);
	}

free_all:
	free(all);
	return ret;
}

WRAPS int pselect(int count, fd_set *restrict in, fd_set *restrict out, fd_set *restrict other,
		  const struct timespec *restrict timeout, const sigset_t *restrict mask)
{
	if (!somebody_pends() || count < 0)
		return NEXT(int, "pselect", int, fd_set *, fd_set *, fd_set *,
			    const struct timespec *,
			    const sigset_t *)(count, in, out, other, timeout, mask);
	return select_fences(count, in, out, other, timeout, mask);
}

WRAPS int select(int count, fd_set *restrict in, fd_set *restrict out, fd_set *restrict other,
		 struct timeval *restrict timeout)
{
	struct timespec begin, end, time;
	long left;
	int ret;

	if (!somebody_pends() || count < 0)
		return NEXT(int, "select", int, fd_set *, fd_set *, fd_set *,
			    struct timeval *)(count, in, out, other, timeout);
	if (!timeout)
		return select_fences(count, in, out, other, NULL, NULL);
	time = (struct timespec){ timeout->tv_sec, timeout->tv_usec * 1000 };
	clock_gettime(CLOCK_MONOTONIC, &begin);
	ret = select_fences(count, in, out, other, &time, NULL);
	clock_gettime(CLOCK_MONOTONIC, &end);
	/* Linux says how much was left. */
	left = timeout->tv_sec * 1000000L + timeout->tv_usec -
	       (end.tv_sec - begin.tv_sec) * 1000000L - (end.tv_nsec - begin.tv_nsec) / 1000;
	left = left < 0 ? 0 : left;
	*timeout = (struct timeval){ left / 1000000, left % 1000000 };
	return ret;
}
