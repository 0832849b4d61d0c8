/* SPDX-License-Identifier: MIT */
/* kernel.h - the small things every driver uses */
#ifndef _LINUX_KERNEL_H
#define _LINUX_KERNEL_H

#include <linux/align.h>
#include <linux/bitops.h>
#include <linux/bug.h>
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/container_of.h>
#include <linux/err.h>
#include <linux/limits.h>
#include <linux/log2.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/sprintf.h>
#include <linux/stddef.h>
#include <linux/stringify.h>
#include <linux/types.h>

#define ARRAY_SIZE(arr) \
	(sizeof(arr) / sizeof((arr)[0]) + BUILD_BUG_ON_ZERO(__same_type((arr), &(arr)[0])))

#define upper_32_bits(n) ((u32)((u64)(n) >> 32))
#define lower_32_bits(n) ((u32)(n))

#define u64_to_user_ptr(x) ((void __user *)(uintptr_t)(x))

#define panic(fmt, ...)                                \
	do {                                           \
		printk(KERN_EMERG fmt, ##__VA_ARGS__); \
		BUG();                                 \
	} while (0)

#endif
