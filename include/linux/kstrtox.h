/* SPDX-License-Identifier: MIT */
/*
 * kstrtox.h - a whole string as a number
 *
 * The string is an optional + (for signed types or -), digits, and at most one newline: nothing
 * else, no spaces.  @base 0: 0x says 16, a leading 0 says 8, else 10.  With 16 a 0x may stand.
 * Returns 0; -EINVAL: it is no number; -ERANGE: it does not fit.  *@res changes on success only.
 * Context: any; _from_user may sleep and adds -EFAULT.  Semantics: Linux 6.12.
 */
#ifndef _LINUX_KSTRTOX_H
#define _LINUX_KSTRTOX_H

#include <linux/compiler.h>
#include <linux/types.h>

int __must_check kstrtoull(const char *s, unsigned int base, unsigned long long *res);
int __must_check kstrtoll(const char *s, unsigned int base, long long *res);
int __must_check kstrtoul(const char *s, unsigned int base, unsigned long *res);
int __must_check kstrtol(const char *s, unsigned int base, long *res);
int __must_check kstrtouint(const char *s, unsigned int base, unsigned int *res);
int __must_check kstrtoint(const char *s, unsigned int base, int *res);
int __must_check kstrtou16(const char *s, unsigned int base, u16 *res);
int __must_check kstrtou8(const char *s, unsigned int base, u8 *res);

static inline int __must_check kstrtou64(const char *s, unsigned int base, u64 *res)
{
	return kstrtoull(s, base, (unsigned long long *)res);
}

static inline int __must_check kstrtos64(const char *s, unsigned int base, s64 *res)
{
	return kstrtoll(s, base, (long long *)res);
}

static inline int __must_check kstrtou32(const char *s, unsigned int base, u32 *res)
{
	return kstrtouint(s, base, res);
}

static inline int __must_check kstrtos32(const char *s, unsigned int base, s32 *res)
{
	return kstrtoint(s, base, res);
}

/** kstrtobool - by the first letter y, t, 1 or n, f, 0 of either case, or the words on and off */
int __must_check kstrtobool(const char *s, bool *res);

int __must_check kstrtoull_from_user(const char __user *s, size_t len, unsigned int base,
				     unsigned long long *res);
int __must_check kstrtoll_from_user(const char __user *s, size_t len, unsigned int base,
				    long long *res);
int __must_check kstrtouint_from_user(const char __user *s, size_t len, unsigned int base,
				      unsigned int *res);
int __must_check kstrtobool_from_user(const char __user *s, size_t len, bool *res);

#endif
