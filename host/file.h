/* SPDX-License-Identifier: MIT */
/*
 * file.h - what a program does to the library's descriptors
 *
 * close() and ioctl() of the system reach only the placeholder (linux/file.h); these reach the
 * file.
 */
#ifndef HOST_FILE_H
#define HOST_FILE_H

/**
 * host_close - close @fd
 *
 * Context: may sleep.
 * Returns 0; -EBADF when @fd is not a descriptor of ours: it is then left alone.
 */
int host_close(int fd);

/**
 * host_ioctl - ->unlocked_ioctl() of the file
 * Returns what it returns; -EBADF when @fd is not a descriptor of ours, -ENOTTY without the
 * operation.
 */
long host_ioctl(int fd, unsigned int cmd, unsigned long arg);

#endif
