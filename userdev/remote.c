/* SPDX-License-Identifier: MIT */
/*
 * remote.c - see remote.h
 *
 * The caller is interrupted while it waits in the filter: its call ends, to be made again.  Before
 * it can be, registers say otherwise: the processor's instruction for a system call is the one
 * before, and is run with the arguments of each call in turn.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "userdev/filter.h"
#include "userdev/listener.h"
#include "userdev/memfd-buffer.h"
#include "userdev/remote.h"

#ifdef __x86_64__

#define SYSCALL_BYTES 2
#define SIGSET_BYTES 8
#ifndef PTRACE_SETSIGMASK
#define PTRACE_SETSIGMASK 0x420b
#endif

/* A caller that is stopped. */
struct remote {
	pid_t tid;
	struct user_regs_struct regs; /* as it was found */
	u64 mask;
	int *ended;
	bool gone;
};

/* Pages of one memfd, in the order in which they are mapped. */
struct stretch {
	int memfd;
	int number; /* in the caller */
	u64 offset, bytes;
};

/* --- a caller that is stopped ----------------------------------------------------------------- */

/* Wait for the next stop. */
static bool remote_wait(struct remote *remote)
{
	int status;

	if (waitpid(remote->tid, &status, __WALL) == remote->tid && WIFSTOPPED(status))
		return true;
	if (!WIFSTOPPED(status))
		*remote->ended = status;
	remote->gone = true;
	return false;
}

static int remote_begin(struct remote *remote)
{
	const u64 all = ~0ULL;
	long ret = ptrace(PTRACE_SEIZE, remote->tid, NULL, PTRACE_O_TRACESYSGOOD);

	if (ret)
		return -EPERM;
	if (ptrace(PTRACE_INTERRUPT, remote->tid, NULL, NULL) || !remote_wait(remote) ||
	    ptrace(PTRACE_GETREGS, remote->tid, NULL, &remote->regs) ||
	    ptrace(PTRACE_GETSIGMASK, remote->tid, SIGSET_BYTES, &remote->mask) ||
	    ptrace(PTRACE_SETSIGMASK, remote->tid, SIGSET_BYTES, &all))
		remote->gone = true;
	return 0;
}

static void remote_end(struct remote *remote, long result)
{
	struct user_regs_struct regs = remote->regs;

	if (remote->gone)
		return;
	regs.rax = result;
	regs.orig_rax = -1;
	ptrace(PTRACE_SETREGS, remote->tid, NULL, &regs);
	ptrace(PTRACE_SETSIGMASK, remote->tid, SIGSET_BYTES, &remote->mask);
	ptrace(PTRACE_DETACH, remote->tid, NULL, NULL);
}

static long remote_call(struct remote *remote, long nr, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)
{
	struct user_regs_struct regs = remote->regs;

	if (remote->gone)
		return -ESRCH;
	regs.rip -= SYSCALL_BYTES;
	regs.rax = nr;
	regs.orig_rax = -1;
	regs.rdi = a;
	regs.rsi = b;
	regs.rdx = c;
	regs.r10 = d;
	regs.r8 = e;
	regs.r9 = f;
	if (ptrace(PTRACE_SETREGS, remote->tid, NULL, &regs))
		remote->gone = true;
	/* To its beginning, and to its end. */
	for (int i = 0; i < 2 && !remote->gone; i++)
		if (ptrace(PTRACE_SYSCALL, remote->tid, NULL, NULL) || !remote_wait(remote))
			remote->gone = true;
	if (!remote->gone && ptrace(PTRACE_GETREGS, remote->tid, NULL, &regs))
		remote->gone = true;
	return remote->gone ? -ESRCH : (long)regs.rax;
}

/* --- what is mapped --------------------------------------------------------------------------- */

/* The stretches of [@from, @from + @len); the caller frees them. */
static struct stretch *stretches_of(const struct memfd_piece *pieces, unsigned int count, u64 from,
				    u64 len, unsigned int *found)
{
	struct stretch *all = kvcalloc(count, sizeof(*all), GFP_KERNEL);

	*found = 0;
	for (unsigned int i = 0; all && len && i < count; i++) {
		struct stretch *last = *found ? &all[*found - 1] : NULL;
		u64 skip = min(from, pieces[i].bytes), bytes = min(pieces[i].bytes - skip, len);

		from -= skip;
		len -= bytes;
		if (!bytes)
			continue;
		if (last && last->memfd == pieces[i].memfd &&
		    last->offset + last->bytes == pieces[i].offset + skip)
			last->bytes += bytes;
		else
			all[(*found)++] = (struct stretch){ .memfd = pieces[i].memfd,
							    .number = -1,
							    .offset = pieces[i].offset + skip,
							    .bytes = bytes };
	}
	return all;
}

/* Each memfd gets one number; those of the same inode but another descriptor get another. */
static int give_memfds(const struct call *call, struct stretch *all, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		if (i && all[i].memfd == all[i - 1].memfd)
			all[i].number = all[i - 1].number;
		else
			all[i].number = call_give(call, all[i].memfd, O_CLOEXEC);
		if (all[i].number < 0)
			return all[i].number;
	}
	return 0;
}

static void close_memfds(struct remote *remote, const struct stretch *all, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		if (all[i].number >= 0 && (!i || all[i].number != all[i - 1].number))
			remote_call(remote, SYS_close, all[i].number, 0, 0, 0, 0, 0);
}

static bool is_error(long ret)
{
	return ret < 0 && ret > -4096;
}

static long map_all(struct remote *remote, const struct call *call, const struct stretch *all,
		    unsigned int count)
{
	const u64 len = PAGE_ALIGN(call->args[1]), prot = call->args[2];
	const u64 placed = call->args[3] & (MAP_FIXED | MAP_FIXED_NOREPLACE);
	long base, ret = 0;
	u64 at = 0;

	base = remote_call(remote, SYS_mmap, call->args[0], len, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | placed, -1, 0);
	for (unsigned int i = 0; !is_error(base) && i < count; i++) {
		ret = remote_call(remote, SYS_mmap, base + at, all[i].bytes, prot,
				  MAP_SHARED | MAP_FIXED | FILTER_MAP_COOKIE, all[i].number,
				  all[i].offset);
		if (is_error(ret)) {
			remote_call(remote, SYS_munmap, base, len, 0, 0, 0, 0);
			return ret;
		}
		at += all[i].bytes;
	}
	return base;
}

int remote_mmap(const struct call *call, const struct memfd_piece *pieces, unsigned int count,
		u64 size, int *ended)
{
	struct remote remote = { .tid = call->tid, .ended = ended };
	u64 len = PAGE_ALIGN(call->args[1]), from = call->args[5];
	struct stretch *all;
	unsigned int found;
	int given, ret;

	if (!call->args[1] || from % PAGE_SIZE || from > size || !len || len > size - from)
		return -EINVAL;
	all = stretches_of(pieces, count, from, len, &found);
	if (!all)
		return -ENOMEM;
	given = give_memfds(call, all, found);
	ret = remote_begin(&remote);
	if (!ret) {
		long result = given ?: map_all(&remote, call, all, found);

		close_memfds(&remote, all, found);
		remote_end(&remote, result);
	}
	kvfree(all);
	return ret;
}

#else

int remote_mmap(const struct call *call, const struct memfd_piece *pieces, unsigned int count,
		u64 size, int *ended)
{
	return -ENODEV;
}

#endif
