/* SPDX-License-Identifier: MIT */
/*
 * heaps-prelude.h - the system's calls that Linux's test of heaps makes reach the library
 *
 * Included by force, so that its source stays as it is.  Macros with arguments, because it has
 * variables of these names.
 */
#ifndef TESTS_UPSTREAM_HEAPS_PRELUDE_H
#define TESTS_UPSTREAM_HEAPS_PRELUDE_H

#include <dirent.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

int heaps_open(const char *path, int flags);
int heaps_close(int fd);
int heaps_ioctl(int fd, unsigned long request, void *argument);
void *heaps_mmap(void *addr, size_t length, int prot, int flags, int fd, off_t offset);
int heaps_munmap(void *addr, size_t length);
DIR *heaps_opendir(const char *path);
struct dirent *heaps_readdir(DIR *dir);

#define open(path, flags) heaps_open(path, flags)
#define close(fd) heaps_close(fd)
#define ioctl(fd, request, argument) heaps_ioctl(fd, request, argument)
#define mmap(addr, length, prot, flags, fd, offset) \
	heaps_mmap(addr, length, prot, flags, fd, offset)
#define munmap(addr, length) heaps_munmap(addr, length)
#define opendir(path) heaps_opendir(path)
#define readdir(dir) heaps_readdir(dir)
#define closedir(dir) ((void)(dir))

#endif
