/* SPDX-License-Identifier: MIT */
/*
 * test-path.h - what a file of the host's says and takes, by its path; for host's tests
 */
#ifndef HOST_TEST_PATH_H
#define HOST_TEST_PATH_H

#include <fcntl.h>
#include <linux/string.h>
#include <linux/types.h>

#include "host/file.h"

/** read_path - one read of what @path says, in @text, ended by a zero. As host_open(), host_read() */
static inline ssize_t read_path(const char *path, char *text, size_t size)
{
	int fd = host_open(path, O_RDONLY);
	ssize_t ret;

	if (fd < 0)
		return fd;
	memset(text, 0, size);
	ret = host_read(fd, text, size - 1);
	host_close(fd);
	return ret;
}

/** write_path - one write of @text. As host_open(), host_write() */
static inline ssize_t write_path(const char *path, const char *text)
{
	int fd = host_open(path, O_WRONLY);
	ssize_t ret;

	if (fd < 0)
		return fd;
	ret = host_write(fd, text, strlen(text));
	host_close(fd);
	return ret;
}

#endif
