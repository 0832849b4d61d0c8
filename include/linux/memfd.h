/* SPDX-License-Identifier: MIT */
/*
 * memfd.h - memory that a program made with memfd_create() and passes to a driver
 *
 * fget() of its number (linux/file.h) gives a file that shmem_file() knows.  memfd_pin_folios() makes
 * its memory pages of ours: mapped for a device, with vmap() or into a program they are the same
 * bytes that the program sees through its own mmap() of the memfd, at once and both ways.
 *
 * Invariants
 *   MP1  A page that is pinned keeps its struct page, whoever pins it again, and its memory, when the
 *        program closes and unmaps all that it has.
 *
 * DIFFERS: what takes the memory itself away takes it from drivers, too: a file that shrinks leaves
 * addresses that give SIGBUS, a hole that is punched leaves zeroes; in Linux a pinned page stays as
 * it was.  So a driver asks for F_SEAL_SHRINK, as udmabuf does.
 */
#ifndef _LINUX_MEMFD_H
#define _LINUX_MEMFD_H

#include <linux/types.h>

struct file;

/**
 * memfd_fcntl - F_GET_SEALS and F_ADD_SEALS of @file
 *
 * Context: may sleep.  Returns the seals, or 0; -EINVAL for another @cmd, or a file that has no seals;
 * as fcntl() fails.
 */
long memfd_fcntl(struct file *file, unsigned int cmd, unsigned int arg);

#endif
