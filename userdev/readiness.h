/* SPDX-License-Identifier: MIT */
/*
 * readiness.h - a buffer in a program's epoll set
 *
 * The system refuses a memfd there.  So in its place the supervisor adds eventfds of its own, with
 * the program's data, and moves them as the buffer's fences come and signal: one for EPOLLIN, one for
 * EPOLLOUT.
 *
 * Invariants
 *   RD1  The eventfd for EPOLLIN is readable while no writer's fence is pending, that for EPOLLOUT
 *        writable while no fence is: before the call that changed it is answered.
 *   RD2  They go with the buffer, or when the program takes the buffer out of the set.
 *
 * DIFFERS: a buffer waited for with EPOLLIN and EPOLLOUT at once is told in two events.
 */
#ifndef USERDEV_READINESS_H
#define USERDEV_READINESS_H

#include <linux/list.h>

struct call;
struct object;
struct supervisor;

/**
 * serve_epoll - answer an epoll_ctl()
 * Fails as Linux's does: -EEXIST, -ENOENT, -EFAULT, -EBADF, -ENOMEM.
 */
void serve_epoll(struct supervisor *s, const struct call *call);

/** readiness_fence - @object, a buffer, may have got a fence */
void readiness_fence(struct supervisor *s, struct object *object);

/** readiness_update - the fences of some buffers have changed */
void readiness_update(struct supervisor *s);

/** readiness_end - @object goes; NULL: all do */
void readiness_end(struct supervisor *s, struct object *object);

#endif
