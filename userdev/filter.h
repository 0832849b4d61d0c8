/* SPDX-License-Identifier: MIT */
/*
 * filter.h - which system calls of a program the supervisor is asked about
 *
 * A seccomp filter sees a call's number and registers, nothing that a pointer leads to.  So it hands
 * on what may concern our devices: ioctl() by the request's type, calls that take a path, shared
 * mappings of files, changes of an epoll set.  All other calls run as ever: for most the system
 * remembers that they are always allowed, and does not run the filter.
 *
 * Invariants
 *   FL1  A call that carries a cookie is let through: what is preloaded has looked at it already, or
 *        the supervisor makes it in the program's name.
 *   FL2  The filter never refuses a call.  It is no sandbox: who sends a cookie sees the machine as
 *        it is, which is what he may anyway.
 *   FL3  Programs of another width (32-bit, x32) are asked about for opens and ioctls only, so that
 *        the supervisor can say that they are not served.
 */
#ifndef USERDEV_FILTER_H
#define USERDEV_FILTER_H

#include <stdbool.h>
#include <stdint.h>

/* In the sixth register, of calls that have at most five arguments. */
#define FILTER_COOKIE 0x646d6162u

/* In the flags of mmap(), which ignores what it does not know with MAP_SHARED. */
#define FILTER_MAP_COOKIE 0x02000000

/**
 * filter_install - from now on this process and all its children are filtered
 *
 * @ends: ask also before a process ends
 *
 * Sets no_new_privs: set-user-ID programs gain nothing below.
 * Context: the process has one thread; the filter stays until each of them has ended.
 * Returns a descriptor, close-on-exec, at which the calls are heard; -EBUSY: this process is
 * supervised already, by us or by another; -ENOSYS, -EINVAL: the system has no such filters (Linux
 * 5.14 and later do); -EACCES.
 */
int filter_install(bool ends);

/** filter_native - was a call made by a program of this machine's own width? @arch, @nr: as heard */
bool filter_native(uint32_t arch, int nr);

#endif
