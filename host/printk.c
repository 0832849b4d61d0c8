/* SPDX-License-Identifier: MIT */
/*
 * printk.c - messages to standard error, and formatted text
 *
 * Invariants
 *   1  One write() per message: lines of different threads never mix.
 */
#include <linux/init.h>
#include <linux/printk.h>
#include <linux/sprintf.h>

#include <stdlib.h>
#include <unistd.h>

#define LEVEL_WARNING 4
#define LEVEL_UNKNOWN (-1)

static int threshold = LEVEL_UNKNOWN;

static int printk_threshold(void)
{
	int level = READ_ONCE(threshold);

	if (unlikely(level == LEVEL_UNKNOWN)) {
		const char *asked = getenv("DMABUF_LOGLEVEL");

		level = asked && *asked >= '0' && *asked <= '7' ? *asked - '0' : LEVEL_WARNING;
		WRITE_ONCE(threshold, level);
	}
	return level;
}

int host_printk_level(int level)
{
	int before = printk_threshold();

	WRITE_ONCE(threshold, level);
	return before;
}

int vprintk(const char *fmt, va_list args)
{
	int level = LEVEL_WARNING;
	char line[1024];
	int len;

	if (fmt[0] == KERN_SOH[0] && fmt[1]) {
		if (fmt[1] >= '0' && fmt[1] <= '7')
			level = fmt[1] - '0';
		fmt += 2;
	}
	if (level > printk_threshold())
		return 0;
	len = vscnprintf(line, sizeof(line), fmt, args);
	/* Nobody is left to tell when standard error is gone. */
	return write(STDERR_FILENO, line, len) == len ? len : 0;
}

int _printk(const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vprintk(fmt, args);
	va_end(args);
	return len;
}

int vscnprintf(char *buf, size_t size, const char *fmt, va_list args)
{
	int len = vsnprintf(buf, size, fmt, args);

	if (len < 0 || size == 0)
		return 0;
	return (size_t)len < size ? len : (int)size - 1;
}

int scnprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vscnprintf(buf, size, fmt, args);
	va_end(args);
	return len;
}

void host_run_initcall(initcall_t fn, const char *name)
{
	int err = fn();

	if (err)
		pr_err("initcall %s failed: %d\n", name, err);
}
