/* SPDX-License-Identifier: MIT */
/*
 * remote.h - mappings made in a program's name
 *
 * One mmap() of a udmabuf is several of the system's: pieces of memfds side by side.  A caller that
 * waits for our answer is stopped as a debugger does, made to make those calls, and let go with the
 * result.
 *
 * Invariants
 *   RM1  The caller sees one mmap() that succeeded or failed; failed, it has no mapping of it.
 *   RM2  It has all its registers again but the result's, its signal mask, and no descriptor more.
 */
#ifndef USERDEV_REMOTE_H
#define USERDEV_REMOTE_H

#include <linux/types.h>

struct call;
struct memfd_piece;

/**
 * remote_mmap - answer an mmap() of a buffer that is @pieces
 * @size: of the buffer, bytes
 * @ended: set to the wait status of a caller that was killed meanwhile, else untouched
 *
 * Context: sleeps while the caller makes its calls.
 * Returns 0: it is answered, or the caller is gone; what mmap() is to fail with otherwise: -EINVAL
 * past the end; -EPERM: the caller has a debugger, or the system allows none; -ENODEV: not on this
 * processor.
 */
int remote_mmap(const struct call *call, const struct memfd_piece *pieces, unsigned int count,
		u64 size, int *ended);

#endif
