/* SPDX-License-Identifier: MIT */
/*
 * init.h - what runs before the program does
 *
 * An initcall runs before main(), level by level as in Linux, if its object file is part of the
 * program (a static library's is when something else in it is used).  One that fails is reported by
 * name; the program goes on.  As with drivers built into Linux, exit calls never run.
 *
 * With -DMODULE, as Linux compiles modules, nothing runs by itself: the one initcall of the source is
 * named init_module() and its exit call cleanup_module(), for who loads the shared object.
 */
#ifndef _LINUX_INIT_H
#define _LINUX_INIT_H

#include <linux/compiler.h>
#include <linux/stringify.h>

#define __init
#define __exit __maybe_unused
#define __initdata
#define __initconst
#define __exitdata
#define __ref

typedef int (*initcall_t)(void);
typedef void (*exitcall_t)(void);

/* host_run_initcall - run @fn and report when it fails */
void host_run_initcall(initcall_t fn, const char *name);

#ifdef MODULE
#define HOST_INITCALL(fn, priority) \
	int init_module(void) __attribute__((__alias__(#fn), __visibility__("default")));
#define __exitcall(fn) \
	void cleanup_module(void) __attribute__((__alias__(#fn), __visibility__("default")));
#else
/*
 * The compiler's constructors run by priority; up to 100 are its own.  As in Linux a semicolon behind
 * any of these may be there or not.
 */
#define HOST_INITCALL(fn, priority)                                                          \
	static __attribute__((__constructor__(priority), __used__)) void fn##_initcall(void) \
	{                                                                                    \
		host_run_initcall(fn, #fn);                                                  \
	}
#define __exitcall(fn) static __maybe_unused exitcall_t const fn##_exitcall = (fn);
#endif

#define pure_initcall(fn) HOST_INITCALL(fn, 200)
#define core_initcall(fn) HOST_INITCALL(fn, 210)
#define postcore_initcall(fn) HOST_INITCALL(fn, 220)
#define arch_initcall(fn) HOST_INITCALL(fn, 230)
#define subsys_initcall(fn) HOST_INITCALL(fn, 240)
#define fs_initcall(fn) HOST_INITCALL(fn, 250)
#define rootfs_initcall(fn) HOST_INITCALL(fn, 260)
#define device_initcall(fn) HOST_INITCALL(fn, 270)
#define late_initcall(fn) HOST_INITCALL(fn, 280)
#define __initcall(fn) device_initcall(fn)

#endif
