/* SPDX-License-Identifier: MIT */
/* sprintf.h - the C library's, and those that return what was written rather than what would have
 * been */
#ifndef _LINUX_SPRINTF_H
#define _LINUX_SPRINTF_H

#include <linux/compiler.h>
#include <stdarg.h>
#include <stdio.h>

/* scnprintf - bytes written into @buf without the NUL: less than @size, 0 when @size is 0 */
int scnprintf(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);
int vscnprintf(char *buf, size_t size, const char *fmt, va_list args) __printf(3, 0);

#endif
