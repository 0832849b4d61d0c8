/* SPDX-License-Identifier: MIT */
/*
 * kconfig.h - which options this host is "configured" with, and IS_ENABLED() to ask
 *
 * IS_ENABLED(CONFIG_X) is 1 where CONFIG_X is defined as 1, else 0, also in #if.  An option can be
 * given on the compiler's command line; there are no modules, so =m does not exist here.
 */
#ifndef _LINUX_KCONFIG_H
#define _LINUX_KCONFIG_H

#define CONFIG_MMU 1
#define CONFIG_SMP 1
#define CONFIG_DMA_SHARED_BUFFER 1
#define CONFIG_HAS_DMA 1
#if __SIZEOF_POINTER__ == 8
#define CONFIG_64BIT 1
#endif
#ifdef __x86_64__
#define CONFIG_X86 1
#define CONFIG_X86_64 1
#endif
#ifdef __aarch64__
#define CONFIG_ARM64 1
#endif

/* The order of locks is looked at (host/lockdep.h); where schedules are explored they find deadlocks. */
#if defined(LIBDMABUF_CHECKS) && !defined(LIBDMABUF_SCHEDULES)
#define HOST_LOCKDEP 1
#endif

/* A placeholder that expands to "0," moves the 1 into the second place; anything else leaves the 0.
 */
#define HOST_KCONFIG_1 0,
#define HOST_SECOND_(ignored, val, ...) val
#define HOST_SECOND(...) HOST_SECOND_(__VA_ARGS__)
#define HOST_IS_SET_(placeholder) HOST_SECOND(placeholder 1, 0, 0)
#define HOST_IS_SET(val) HOST_IS_SET__(val)
#define HOST_IS_SET__(val) HOST_IS_SET_(HOST_KCONFIG_##val)

#define IS_BUILTIN(option) HOST_IS_SET(option)
#define IS_MODULE(option) 0
#define IS_ENABLED(option) HOST_IS_SET(option)
#define IS_REACHABLE(option) HOST_IS_SET(option)

#endif
