/* SPDX-License-Identifier: MIT */
/*
 * file.h - from a descriptor's number to a file and back
 *
 * The numbers are real: a placeholder descriptor of this process holds each one and carries
 * O_CLOEXEC.  The placeholder is an empty memfd because each has an inode of its own, unlike an
 * eventfd: when the program closed a number behind our back and the system gave it to something
 * else, device and inode of what is there now differ from what was noted, and the entry counts as
 * closed.
 *
 * A program that uses libdmabuf closes with host_close() and copies with host_dup() (host/file.h).
 * After a plain close() the file's reference stays until its number is next looked at or given out
 * again.  A dup() of a placeholder is recognised by its inode as long as the original stays open.
 */
#ifndef _LINUX_FILE_H
#define _LINUX_FILE_H

#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/types.h>

struct file;

/**
 * fget - the file with this number
 *
 * Context: may sleep.
 * Returns the file with a reference that the caller gives to fput().  A memfd of the program's, or
 * another file on tmpfs, has none here: it gets one with each call (linux/memfd.h; its i_size is of
 * that moment).  NULL when @fd is closed, reserved without a file, or any other file of the system's.
 */
struct file *fget(unsigned int fd);

/**
 * fput - one reference less
 *
 * Context: any.  The last one runs ->release() before it returns if this context may sleep, else
 * soon, from a work item; flush_delayed_fput() waits for that.
 */
void fput(struct file *file);

/**
 * flush_delayed_fput - return when all releases put off before this call have run
 * Context: may sleep; not from a ->release().
 */
void flush_delayed_fput(void);

/**
 * get_unused_fd_flags - reserve a number
 * @flags: O_CLOEXEC or not; drivers pass the file's flags, the rest is not looked at
 *
 * Context: may sleep.
 * Returns the number, -EMFILE or -ENFILE when the system has none left
 * or a failure was asked for, -ENOMEM.
 * Ownership: the caller gives it to fd_install() or put_unused_fd().  Until then fget() finds
 * nothing there.
 */
int get_unused_fd_flags(unsigned int flags);

/** put_unused_fd - give a reserved number back. WARN if it is not reserved. Context: may sleep */
void put_unused_fd(unsigned int fd);

/**
 * fd_install - let a reserved number mean @file
 *
 * Cannot fail.  Takes over the caller's reference.  WARN, and the reference is dropped, if @fd is
 * not reserved.  Context: may sleep.
 * Ordering: who finds the file by its number sees everything done to it before.
 */
void fd_install(unsigned int fd, struct file *file);

/*
 * CLASS(get_unused_fd, fd)(flags) - a number that put_unused_fd() gets unless take_fd(fd) has taken
 * it
 */
DEFINE_CLASS(get_unused_fd, int, if (_T >= 0) put_unused_fd(_T), get_unused_fd_flags(flags),
	     unsigned int flags)
#define take_fd(fd) __get_and_null(fd, -EBADF)

DEFINE_FREE(fput, struct file *, if (!IS_ERR_OR_NULL(_T)) fput(_T))

#endif
