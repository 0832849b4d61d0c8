/* SPDX-License-Identifier: MIT */
/*
 * sync-prelude.h - the system's calls that Linux's test of sync files makes reach the library
 *
 * Included by force, so that its source stays as it is.
 */
#ifndef TESTS_UPSTREAM_SYNC_PRELUDE_H
#define TESTS_UPSTREAM_SYNC_PRELUDE_H

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

int sync_calls_open(const char *path, int flags);
int sync_calls_stat(const char *path);
int sync_calls_close(int fd);
int sync_calls_ioctl(int fd, unsigned long request, void *argument);
int sync_calls_poll(struct pollfd *fd, int timeout);

#define open(path, flags) sync_calls_open(path, flags)
#define stat(path, buf) sync_calls_stat(((void)(buf), path))
#define close(fd) sync_calls_close(fd)
#define ioctl(fd, request, argument) sync_calls_ioctl(fd, request, argument)
#define poll(fds, count, timeout) sync_calls_poll(((void)(count), fds), timeout)

#endif
