/* SPDX-License-Identifier: MIT */
/*
 * filter.c - see filter.h
 *
 * Each rule is a run of instructions of its own that begins with the call's number in the
 * accumulator and either ends the program or jumps behind itself.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <fcntl.h>
#include <unistd.h>

#include "userdev/filter.h"

#define ARRAY_LENGTH(a) (sizeof(a) / sizeof((a)[0]))
#define ARGUMENT(n) (offsetof(struct seccomp_data, args) + 8 * (n))
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define ASK BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF)
#define LOAD(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset)
#define LOAD_NR LOAD(offsetof(struct seccomp_data, nr))
#define IF(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no)
#define IF_ANY(bits, yes, no) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, yes, no)

#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#define X32_BIT 0x40000000
#elif defined(__aarch64__)
#define NATIVE AUDIT_ARCH_AARCH64
#endif

/* A path, and no flags that make it superfluous. */
#define PATH_RULE(nr) LOAD_NR, IF(nr, 0, 4), LOAD(ARGUMENT(5)), IF(FILTER_COOKIE, 0, 1), ALLOW, ASK
#define PATH_OR_FD_RULE(nr, flags)                                                                \
	LOAD_NR, IF(nr, 0, 6), LOAD(ARGUMENT(5)), IF(FILTER_COOKIE, 2, 0), LOAD(ARGUMENT(flags)), \
		IF_ANY(AT_EMPTY_PATH, 0, 1), ALLOW, ASK

static const struct sock_filter program[] = {
	LOAD(offsetof(struct seccomp_data, arch)),
#ifdef __x86_64__
	/* i386: ioctl, open, openat; x32: the same with its bit */
	IF(NATIVE, 6, 0),
	LOAD_NR,
	IF(54, 3, 0),
	IF(5, 2, 0),
	IF(295, 1, 0),
	ALLOW,
	ASK,
	LOAD_NR,
	IF_ANY(X32_BIT, 0, 5),
	IF(X32_BIT | 514, 3, 0),
	IF(X32_BIT | 2, 2, 0),
	IF(X32_BIT | 257, 1, 0),
	ALLOW,
	ASK,
#else
	/* arm: ioctl, open, openat */
	IF(NATIVE, 6, 0),
	LOAD_NR,
	IF(54, 3, 0),
	IF(5, 2, 0),
	IF(322, 1, 0),
	ALLOW,
	ASK,
#endif
	/* The type is the second byte of a request. */
	LOAD_NR,
	IF(SYS_ioctl, 0, 9),
	LOAD(ARGUMENT(1)),
	BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xff00),
	IF('b' << 8, 5, 0),
	IF('H' << 8, 4, 0),
	IF('u' << 8, 3, 0),
	IF('>' << 8, 2, 0),
	IF('W' << 8, 1, 0),
	ALLOW,
	ASK,
	/* Shared mappings of a file. */
	LOAD_NR,
	IF(SYS_mmap, 0, 9),
	LOAD(ARGUMENT(3)),
	IF_ANY(MAP_ANONYMOUS | FILTER_MAP_COOKIE, 5, 0),
	BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xf),
	IF(MAP_SHARED, 1, 0),
	IF(MAP_SHARED_VALIDATE, 0, 2),
	LOAD(ARGUMENT(4)),
	IF_ANY(0x80000000, 0, 1),
	ALLOW,
	ASK,
	PATH_RULE(SYS_epoll_ctl),
	PATH_RULE(SYS_openat),
	PATH_RULE(SYS_getxattr),
	PATH_RULE(SYS_lgetxattr),
	PATH_RULE(SYS_listxattr),
	PATH_RULE(SYS_llistxattr),
	PATH_RULE(SYS_openat2),
	PATH_RULE(SYS_faccessat),
	PATH_OR_FD_RULE(SYS_faccessat2, 3),
	PATH_OR_FD_RULE(SYS_newfstatat, 3),
	PATH_OR_FD_RULE(SYS_statx, 2),
#ifdef __x86_64__
	PATH_RULE(SYS_open),
	PATH_RULE(SYS_creat),
	PATH_RULE(SYS_access),
	PATH_RULE(SYS_stat),
	PATH_RULE(SYS_lstat),
#endif
	/* Left out unless it is asked for. */
	LOAD_NR,
	IF(SYS_exit_group, 0, 1),
	ASK,
	ALLOW,
};

#define ENDS_RULE 3 /* instructions before the last */

int filter_install(bool ends)
{
	struct sock_filter with[ARRAY_LENGTH(program)];
	struct sock_fprog all = { ARRAY_LENGTH(program), with };
	int fd;

	memcpy(with, program, sizeof(with));
	if (!ends) {
		all.len -= ENDS_RULE;
		with[all.len - 1] = (struct sock_filter)ALLOW;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &all);
	return fd < 0 ? -errno : fd;
}

bool filter_native(uint32_t arch, int nr)
{
#ifdef X32_BIT
	if (nr & X32_BIT)
		return false;
#endif
	return arch == NATIVE;
}
