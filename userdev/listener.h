/* SPDX-License-Identifier: MIT */
/*
 * listener.h - one call of a program that the filter stopped: hearing of it, looking at what it
 * means, answering
 *
 * Invariants
 *   LS1  A caller that was killed or interrupted is told by -ENOENT, never mistaken for another: its
 *        memory is read or written only while the system says that the call still waits.
 *   LS2  What a call points to is read once.  Whoever decides decides about that copy.
 *   LS3  Nothing here waits for a program.
 */
#ifndef USERDEV_LISTENER_H
#define USERDEV_LISTENER_H

#include <linux/types.h>
#include <sys/stat.h>
#include <sys/types.h>

/* A call that waits for its answer. */
struct call {
	int listener;
	u64 id;
	pid_t tid;
	u32 arch;
	int nr;
	u64 args[6];
};

/**
 * listener_hear - the next call that waits
 * Context: may sleep until there is one.  Returns 0; -ENOENT: its caller is gone; -errno.
 */
int listener_hear(int listener, struct call *call);

/**
 * listener_prefer_here - let who waits and who answers run on the same processor where they can
 * For the cost only: systems before Linux 6.6 refuse, which is no failure.
 */
void listener_prefer_here(int listener);

/** call_waits - does the caller still wait for this answer? */
bool call_waits(const struct call *call);

/** call_return - the call returns @ret, or fails with the errno -@ret. Nothing if nobody waits */
void call_return(const struct call *call, long ret);

/** call_proceed - the system makes the call as if nobody had listened */
void call_proceed(const struct call *call);

/**
 * call_read - @len bytes of the caller's memory
 * call_read_string - at most @len bytes of it, to where it can be read
 * call_write - to it
 *
 * Returns 0, bytes for a string; -EFAULT when not all of it is there, or nothing of the string;
 * -ENOENT (LS1).
 */
int call_read(const struct call *call, u64 from, void *to, size_t len);
ssize_t call_read_string(const struct call *call, u64 from, char *to, size_t len);
int call_write(const struct call *call, u64 to, const void *from, size_t len);

/**
 * call_give - a new descriptor in the caller's table for what @fd is here
 * @flags: O_CLOEXEC or 0
 * call_return_fd - the same as the call's result
 *
 * Ownership: @fd stays the caller's of this function.
 * Returns the number; -EMFILE; -ENOENT.
 */
int call_give(const struct call *call, int fd, int flags);
int call_return_fd(const struct call *call, int fd, int flags);

/** call_stat - of what the caller has at number @fd. Returns 0 or -EBADF */
int call_stat(const struct call *call, int fd, struct stat *st);

/**
 * call_take - a descriptor of ours, close-on-exec, for what the caller has at @fd
 *
 * Context: after call_stat() of the same call, which sees it when a thread's number is another's now.
 * Returns it or -errno.
 */
int call_take(const struct call *call, int fd);

#endif
