/* SPDX-License-Identifier: MIT */
/*
 * sync-calls.c - what sync-prelude.h puts in the place of the system's calls
 *
 * Each case of the test is a process of its own, forked from one that has only looked whether the
 * driver is there.
 */
#include <errno.h>
#include <poll.h>

#include "host/file.h"

int sync_calls_open(const char *path, int flags);
int sync_calls_stat(const char *path);
int sync_calls_close(int fd);
int sync_calls_ioctl(int fd, unsigned long request, void *argument);
int sync_calls_poll(struct pollfd *fd, int timeout);

static int answer(long ret)
{
	if (ret >= 0)
		return ret;
	errno = -ret;
	return -1;
}

int sync_calls_open(const char *path, int flags)
{
	return answer(host_open(path, flags));
}

int sync_calls_stat(const char *path)
{
	int fd = host_open(path, 0);

	return answer(fd < 0 ? fd : host_close(fd));
}

int sync_calls_close(int fd)
{
	return answer(host_close(fd));
}

int sync_calls_ioctl(int fd, unsigned long request, void *argument)
{
	return answer(host_ioctl(fd, request, (unsigned long)argument));
}

int sync_calls_poll(struct pollfd *fd, int timeout)
{
	int events = host_poll(fd->fd, fd->events, timeout);

	if (events < 0)
		return answer(events);
	fd->revents = events;
	return events != 0;
}
