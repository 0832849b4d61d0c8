/* SPDX-License-Identifier: MIT */
/*
 * string.h - the C library's, and copies that always end with a NUL
 *
 * Duplicates (kstrdup() and its family) allocate and are freed with kfree(): they are implemented
 * beside the allocator.
 */
#ifndef _LINUX_STRING_H
#define _LINUX_STRING_H

#include <linux/compiler.h>
#include <linux/errno.h>
#include <string.h>

/* sized_strscpy - copy at most @size - 1 bytes and a NUL; bytes copied, or -E2BIG when it was cut
 */
ssize_t sized_strscpy(char *dst, const char *src, size_t size);

/* strscpy(dst, src[, size]) - without @size, dst is an array */
#define HOST_STRSCPY2(dst, src) sized_strscpy(dst, src, sizeof(dst))
#define HOST_STRSCPY3(dst, src, size) sized_strscpy(dst, src, size)
#define HOST_STRSCPY_PICK(a, b, c, pick, ...) pick
#define strscpy(...) HOST_STRSCPY_PICK(__VA_ARGS__, HOST_STRSCPY3, HOST_STRSCPY2)(__VA_ARGS__)

/* memchr_inv - the first byte that is not @c, or NULL */
void *memchr_inv(const void *start, int c, size_t bytes);

/* strstarts - does @str begin with @prefix? */
static inline bool strstarts(const char *str, const char *prefix)
{
	return strncmp(str, prefix, strlen(prefix)) == 0;
}

char *kstrdup(const char *s, gfp_t gfp);
char *kstrndup(const char *s, size_t len, gfp_t gfp);
void *kmemdup(const void *src, size_t len, gfp_t gfp);

#endif
