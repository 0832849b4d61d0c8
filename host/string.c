/* SPDX-License-Identifier: MIT */
/* string.c - strings that are always ended, and searches the C library lacks */
#include <linux/bug.h>
#include <linux/limits.h>
#include <linux/string.h>

ssize_t sized_strscpy(char *dst, const char *src, size_t size)
{
	size_t len;

	if (!size || WARN_ON_ONCE(size > INT_MAX))
		return -E2BIG;
	len = strnlen(src, size);
	if (len < size) {
		memcpy(dst, src, len + 1);
		return (ssize_t)len;
	}
	memcpy(dst, src, size - 1);
	dst[size - 1] = '\0';
	return -E2BIG;
}

void *memchr_inv(const void *start, int c, size_t bytes)
{
	const u8 *pos = start;

	for (; bytes; pos++, bytes--)
		if (*pos != (u8)c)
			return (void *)pos;
	return NULL;
}
