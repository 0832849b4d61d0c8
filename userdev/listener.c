/* SPDX-License-Identifier: MIT */
/*
 * listener.c - see listener.h
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/seccomp.h>
#include <linux/string.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "userdev/listener.h"

int listener_hear(int listener, struct call *call)
{
	struct seccomp_notif heard = {};

	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &heard))
		return -errno;
	call->listener = listener;
	call->id = heard.id;
	call->tid = heard.pid;
	call->arch = heard.data.arch;
	call->nr = heard.data.nr;
	for (size_t i = 0; i < ARRAY_SIZE(call->args); i++)
		call->args[i] = heard.data.args[i];
	return 0;
}

void listener_prefer_here(int listener)
{
#ifdef SECCOMP_IOCTL_NOTIF_SET_FLAGS
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
#else
	ioctl(listener, SECCOMP_IOW(4, __u64), 1UL);
#endif
}

bool call_waits(const struct call *call)
{
	u64 id = call->id;

	return !ioctl(call->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id);
}

static void answer(const struct call *call, struct seccomp_notif_resp response)
{
	response.id = call->id;
	ioctl(call->listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
}

void call_return(const struct call *call, long ret)
{
	answer(call,
	       (struct seccomp_notif_resp){ .val = ret < 0 ? 0 : ret, .error = ret < 0 ? ret : 0 });
}

void call_proceed(const struct call *call)
{
	answer(call, (struct seccomp_notif_resp){ .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE });
}

ssize_t call_read_string(const struct call *call, u64 from, char *to, size_t len)
{
	struct iovec here = { .iov_base = to, .iov_len = len };
	struct iovec there = { .iov_base = (void *)from, .iov_len = len };
	ssize_t done = process_vm_readv(call->tid, &here, 1, &there, 1, 0);

	if (!call_waits(call))
		return -ENOENT;
	return done > 0 || !len ? done : -EFAULT;
}

int call_read(const struct call *call, u64 from, void *to, size_t len)
{
	ssize_t done;

	if (!len)
		return 0;
	done = call_read_string(call, from, to, len);
	if (done < 0)
		return done;
	return done == (ssize_t)len ? 0 : -EFAULT;
}

int call_write(const struct call *call, u64 to, const void *from, size_t len)
{
	struct iovec here = { .iov_base = (void *)from, .iov_len = len };
	struct iovec there = { .iov_base = (void *)to, .iov_len = len };

	if (!len)
		return 0;
	if (!call_waits(call))
		return -ENOENT;
	return process_vm_writev(call->tid, &here, 1, &there, 1, 0) == (ssize_t)len ? 0 : -EFAULT;
}

static int give(const struct call *call, int fd, int flags, u32 how)
{
	struct seccomp_notif_addfd add = {
		.id = call->id, .srcfd = fd, .newfd_flags = flags & O_CLOEXEC, .flags = how
	};
	int ret = ioctl(call->listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add);

	return ret < 0 ? -errno : ret;
}

int call_give(const struct call *call, int fd, int flags)
{
	return give(call, fd, flags, 0);
}

int call_return_fd(const struct call *call, int fd, int flags)
{
	return give(call, fd, flags, SECCOMP_ADDFD_FLAG_SEND);
}

/*
 * What leads to a thread's descriptors. It stays that thread's: when that has ended nothing is found
 * by it, even if its number is used anew.
 */
struct way {
	pid_t tid;
	int folder;  /* /proc/TID/fd */
	int process; /* of the process that it is a thread of; -1: not opened yet */
};

static void way_close(struct way *way)
{
	if (way->folder >= 0)
		close(way->folder);
	if (way->process >= 0)
		close(way->process);
}

/* The way to those of @tid, opened anew if it was @stale; it may be there no more. */
static struct way *way_to(pid_t tid, bool stale)
{
	static struct way ways[16];
	struct way *way = &ways[tid % ARRAY_SIZE(ways)];
	char path[64];

	if (way->tid == tid && !stale)
		return way;
	if (way->tid)
		way_close(way);
	snprintf(path, sizeof(path), "/proc/%d/fd", tid);
	*way = (struct way){ .tid = tid,
			     .folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC),
			     .process = -1 };
	return way;
}

int call_stat(const struct call *call, int fd, struct stat *st)
{
	char name[16];

	if (fd < 0)
		return -EBADF;
	snprintf(name, sizeof(name), "%d", fd);
	if (!fstatat(way_to(call->tid, false)->folder, name, st, 0))
		return 0;
	return fstatat(way_to(call->tid, true)->folder, name, st, 0) ? -EBADF : 0;
}

/* A descriptor for the process that @tid is a thread of. */
static int process_of(pid_t tid)
{
	char path[64], text[512], *line;
	ssize_t len;
	int fd = syscall(SYS_pidfd_open, tid, 0);

	if (fd >= 0)
		return fd;
	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -ESRCH;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[max_t(ssize_t, len, 0)] = '\0';
	line = strstr(text, "\nTgid:");
	fd = line ? syscall(SYS_pidfd_open, atoi(line + 6), 0) : -1;
	return fd < 0 ? -ESRCH : fd;
}

static int take(const struct call *call, int fd, bool stale)
{
	struct way *way = way_to(call->tid, stale);
	int ret;

	if (way->process < 0)
		way->process = process_of(call->tid);
	if (way->process < 0)
		return way->process;
	ret = syscall(SYS_pidfd_getfd, way->process, fd, 0);
	return ret < 0 ? -errno : ret;
}

int call_take(const struct call *call, int fd)
{
	int ret = take(call, fd, false);

	if (ret == -ESRCH)
		ret = take(call, fd, true);
	if (call_waits(call))
		return ret;
	if (ret >= 0)
		close(ret);
	return -ENOENT;
}
