/* SPDX-License-Identifier: MIT */
/*
 * compiler.h - attributes, and single accesses to shared memory
 *
 * READ_ONCE() and WRITE_ONCE() are relaxed atomic accesses of one scalar: never torn, never
 * repeated, never invented, ordered with nothing.  They are what the thread sanitizer takes for
 * intended.
 *
 * DIFFERS: Linux also takes structures up to a word; here the operand is an integer, bool or
 * pointer.
 */
#ifndef _LINUX_COMPILER_H
#define _LINUX_COMPILER_H

#include <linux/types.h>
#include "host/port.h"

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* Attributes that describe, for a checker of the kernel's, what C cannot say: nothing here. */
#define __user
#define __kernel
#define __iomem
#define __percpu
#define __rcu
#define __force
#define __nocast
#define __safe
#define __private
#define ACCESS_PRIVATE(p, member) ((p)->member)
#define __must_hold(x)
#define __acquires(x)
#define __releases(x)
#define __cond_acquires(x)
#define __acquire(x) ((void)0)
#define __release(x) ((void)0)

#undef __always_inline
#ifdef LIBDMABUF_NO_INLINE /* tests/coverage: an inlined function's branches look like its caller's */
#define __always_inline inline
#else
#define __always_inline inline __attribute__((__always_inline__))
#endif
#define noinline __attribute__((__noinline__))
#undef __must_check
#define __must_check __attribute__((__warn_unused_result__))
#define __maybe_unused __attribute__((__unused__))
#define __always_unused __attribute__((__unused__))
#define __used __attribute__((__used__))
#define __weak __attribute__((__weak__))
#define __packed __attribute__((__packed__))
#define __aligned(x) __attribute__((__aligned__(x)))
#define __printf(a, b) __attribute__((__format__(printf, a, b)))
#define __cold __attribute__((__cold__))
#define __noreturn __attribute__((__noreturn__))
#define __pure __attribute__((__pure__))
#undef __attribute_const__
#define __attribute_const__ __attribute__((__const__))
#define __malloc __attribute__((__malloc__))
#define __deprecated
#define __section(name) __attribute__((__section__(name)))
#define __counted_by(member)
#define fallthrough __attribute__((__fallthrough__))
#define __cleanup(func) __attribute__((__cleanup__(func)))

#define HOST_PASTE(a, b) a##b
#define __PASTE(a, b) HOST_PASTE(a, b)
#define __UNIQUE_ID(prefix) __PASTE(__PASTE(__UNIQUE_ID_, prefix), __COUNTER__)

#define __same_type(a, b) __builtin_types_compatible_p(typeof(a), typeof(b))
#define static_assert(expr, ...) HOST_STATIC_ASSERT(expr, ##__VA_ARGS__, #expr)
#define HOST_STATIC_ASSERT(expr, msg, ...) _Static_assert(expr, msg)

#define _RET_IP_ ((unsigned long)__builtin_return_address(0))
#define _THIS_IP_                       \
	({                              \
		__label__ here_;        \
here_:                                  \
		(unsigned long)&&here_; \
	})

/* barrier - the compiler moves no access across it; costs the machine nothing */
#define barrier() __asm__ __volatile__("" : : : "memory")
#define OPTIMIZER_HIDE_VAR(var) __asm__("" : "=r"(var) : "0"(var))
#define data_race(expr) (expr)

/* Arguments of these, and of all that orders an access, are evaluated once. */
#define READ_ONCE(x)                                            \
	({                                                      \
		typeof(&(x)) read_p_ = &(x);                    \
		port_point(PORT_ATOMIC, (const void *)read_p_); \
		__atomic_load_n(read_p_, __ATOMIC_RELAXED);     \
	})

#define WRITE_ONCE(x, val)                                           \
	do {                                                         \
		typeof(&(x)) write_p_ = &(x);                        \
		port_point(PORT_ATOMIC, (const void *)write_p_);     \
		__atomic_store_n(write_p_, (val), __ATOMIC_RELAXED); \
	} while (0)

#if defined(LIBDMABUF_SCHEDULES) /* its calls, but not its runtime: fences are known */
#elif defined(__SANITIZE_THREAD__)
#define HOST_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define HOST_TSAN 1
#endif
#endif

#endif
