/* SPDX-License-Identifier: MIT */
/*
 * atomic.h - integers and words that several threads change
 *
 * Ordering (Documentation/atomic_t.txt, Linux 6.12)
 *   1  Operations that return nothing are relaxed.
 *   2  Read-modify-writes that return a value are fully ordered (seq_cst); _acquire, _release and
 *      _relaxed weaken them.
 *   3  A conditional one that changed nothing orders nothing.
 *   4  atomic_read() and atomic_set() are relaxed; _acquire and _set_release order.
 * Counters wrap; no operation is undefined.  Each is a switch point (PORT_ATOMIC).
 *
 * One family per width, from one text: atomic_*() on atomic_t (int), atomic64_*() (s64),
 * atomic_long_*().
 */
#ifndef _LINUX_ATOMIC_H
#define _LINUX_ATOMIC_H

#include <linux/barrier.h>
#include <linux/compiler.h>

#define HOST_ATOMIC_VOID(prefix, type, val, op)                        \
	static __always_inline void prefix##_##op(val i, type *v)      \
	{                                                              \
		port_point(PORT_ATOMIC, v);                            \
		__atomic_fetch_##op(&v->counter, i, __ATOMIC_RELAXED); \
	}

#define HOST_ATOMIC_FETCH(prefix, type, val, op, suffix, order)                \
	static __always_inline val prefix##_fetch_##op##suffix(val i, type *v) \
	{                                                                      \
		port_point(PORT_ATOMIC, v);                                    \
		return __atomic_fetch_##op(&v->counter, i, order);             \
	}

#define HOST_ATOMIC_RETURN(prefix, type, val, op, suffix, order)                  \
	static __always_inline val prefix##_##op##_return##suffix(val i, type *v) \
	{                                                                         \
		port_point(PORT_ATOMIC, v);                                       \
		return __atomic_##op##_fetch(&v->counter, i, order);              \
	}

#define HOST_ATOMIC_ORDERED(prefix, type, val, suffix, order)                              \
	HOST_ATOMIC_FETCH(prefix, type, val, add, suffix, order)                           \
	HOST_ATOMIC_FETCH(prefix, type, val, sub, suffix, order)                           \
	HOST_ATOMIC_FETCH(prefix, type, val, or, suffix, order)                            \
	HOST_ATOMIC_FETCH(prefix, type, val, and, suffix, order)                           \
	HOST_ATOMIC_FETCH(prefix, type, val, xor, suffix, order)                           \
	HOST_ATOMIC_RETURN(prefix, type, val, add, suffix, order)                          \
	HOST_ATOMIC_RETURN(prefix, type, val, sub, suffix, order)                          \
	static __always_inline val prefix##_fetch_andnot##suffix(val i, type *v)           \
	{                                                                                  \
		return prefix##_fetch_and##suffix(~i, v);                                  \
	}                                                                                  \
	static __always_inline val prefix##_fetch_inc##suffix(type *v)                     \
	{                                                                                  \
		return prefix##_fetch_add##suffix(1, v);                                   \
	}                                                                                  \
	static __always_inline val prefix##_fetch_dec##suffix(type *v)                     \
	{                                                                                  \
		return prefix##_fetch_sub##suffix(1, v);                                   \
	}                                                                                  \
	static __always_inline val prefix##_inc_return##suffix(type *v)                    \
	{                                                                                  \
		return prefix##_add_return##suffix(1, v);                                  \
	}                                                                                  \
	static __always_inline val prefix##_dec_return##suffix(type *v)                    \
	{                                                                                  \
		return prefix##_sub_return##suffix(1, v);                                  \
	}                                                                                  \
	static __always_inline val prefix##_xchg##suffix(type *v, val i)                   \
	{                                                                                  \
		port_point(PORT_ATOMIC, v);                                                \
		return __atomic_exchange_n(&v->counter, i, order);                         \
	}                                                                                  \
	static __always_inline bool prefix##_try_cmpxchg##suffix(type *v, val *old, val i) \
	{                                                                                  \
		port_point(PORT_ATOMIC, v);                                                \
		return __atomic_compare_exchange_n(&v->counter, old, i, false, order,      \
						   __ATOMIC_RELAXED);                      \
	}                                                                                  \
	static __always_inline val prefix##_cmpxchg##suffix(type *v, val old, val i)       \
	{                                                                                  \
		prefix##_try_cmpxchg##suffix(v, &old, i);                                  \
		return old;                                                                \
	}

#define HOST_ATOMIC_FAMILY(prefix, type, val)                                               \
	static __always_inline val prefix##_read(const type *v)                             \
	{                                                                                   \
		port_point(PORT_ATOMIC, v);                                                 \
		return __atomic_load_n(&v->counter, __ATOMIC_RELAXED);                      \
	}                                                                                   \
	static __always_inline val prefix##_read_acquire(const type *v)                     \
	{                                                                                   \
		port_point(PORT_ATOMIC, v);                                                 \
		return __atomic_load_n(&v->counter, __ATOMIC_ACQUIRE);                      \
	}                                                                                   \
	static __always_inline void prefix##_set(type *v, val i)                            \
	{                                                                                   \
		port_point(PORT_ATOMIC, v);                                                 \
		__atomic_store_n(&v->counter, i, __ATOMIC_RELAXED);                         \
	}                                                                                   \
	static __always_inline void prefix##_set_release(type *v, val i)                    \
	{                                                                                   \
		port_point(PORT_ATOMIC, v);                                                 \
		__atomic_store_n(&v->counter, i, __ATOMIC_RELEASE);                         \
	}                                                                                   \
	HOST_ATOMIC_VOID(prefix, type, val, add)                                            \
	HOST_ATOMIC_VOID(prefix, type, val, sub)                                            \
	HOST_ATOMIC_VOID(prefix, type, val, or)                                             \
	HOST_ATOMIC_VOID(prefix, type, val, and)                                            \
	HOST_ATOMIC_VOID(prefix, type, val, xor)                                            \
	HOST_ATOMIC_ORDERED(prefix, type, val, , __ATOMIC_SEQ_CST)                          \
	HOST_ATOMIC_ORDERED(prefix, type, val, _relaxed, __ATOMIC_RELAXED)                  \
	HOST_ATOMIC_ORDERED(prefix, type, val, _acquire, __ATOMIC_ACQUIRE)                  \
	HOST_ATOMIC_ORDERED(prefix, type, val, _release, __ATOMIC_RELEASE)                  \
	static __always_inline void prefix##_andnot(val i, type *v)                         \
	{                                                                                   \
		prefix##_and(~i, v);                                                        \
	}                                                                                   \
	static __always_inline void prefix##_inc(type *v)                                   \
	{                                                                                   \
		prefix##_add(1, v);                                                         \
	}                                                                                   \
	static __always_inline void prefix##_dec(type *v)                                   \
	{                                                                                   \
		prefix##_sub(1, v);                                                         \
	}                                                                                   \
	static __always_inline bool prefix##_inc_and_test(type *v)                          \
	{                                                                                   \
		return prefix##_inc_return(v) == 0;                                         \
	}                                                                                   \
	static __always_inline bool prefix##_dec_and_test(type *v)                          \
	{                                                                                   \
		return prefix##_dec_return(v) == 0;                                         \
	}                                                                                   \
	static __always_inline bool prefix##_sub_and_test(val i, type *v)                   \
	{                                                                                   \
		return prefix##_sub_return(i, v) == 0;                                      \
	}                                                                                   \
	static __always_inline bool prefix##_add_negative(val i, type *v)                   \
	{                                                                                   \
		return prefix##_add_return(i, v) < 0;                                       \
	}                                                                                   \
	/* adds unless the value is @unless; returns the value before */                    \
	static __always_inline val prefix##_fetch_add_unless(type *v, val i, val unless)    \
	{                                                                                   \
		val old = prefix##_read(v);                                                 \
                                                                                            \
		while (old != unless &&                                                     \
		       !prefix##_try_cmpxchg(v, &old, (val)((unsigned long)old + i)))       \
			;                                                                   \
		return old;                                                                 \
	}                                                                                   \
	static __always_inline bool prefix##_add_unless(type *v, val i, val unless)         \
	{                                                                                   \
		return prefix##_fetch_add_unless(v, i, unless) != unless;                   \
	}                                                                                   \
	static __always_inline bool prefix##_inc_not_zero(type *v)                          \
	{                                                                                   \
		return prefix##_add_unless(v, 1, 0);                                        \
	}                                                                                   \
	static __always_inline bool prefix##_inc_unless_negative(type *v)                   \
	{                                                                                   \
		val old = prefix##_read(v);                                                 \
                                                                                            \
		do {                                                                        \
			if (old < 0)                                                        \
				return false;                                               \
		} while (!prefix##_try_cmpxchg(v, &old, (val)((unsigned long)old + 1)));    \
		return true;                                                                \
	}                                                                                   \
	static __always_inline bool prefix##_dec_unless_positive(type *v)                   \
	{                                                                                   \
		val old = prefix##_read(v);                                                 \
                                                                                            \
		do {                                                                        \
			if (old > 0)                                                        \
				return false;                                               \
		} while (!prefix##_try_cmpxchg(v, &old, (val)((unsigned long)old - 1)));    \
		return true;                                                                \
	}                                                                                   \
	/* returns the value after, or would-be after: negative when nothing was changed */ \
	static __always_inline val prefix##_dec_if_positive(type *v)                        \
	{                                                                                   \
		val old = prefix##_read(v);                                                 \
                                                                                            \
		do {                                                                        \
			if (old <= 0)                                                       \
				return (val)((unsigned long)old - 1);                       \
		} while (!prefix##_try_cmpxchg(v, &old, old - 1));                          \
		return old - 1;                                                             \
	}

HOST_ATOMIC_FAMILY(atomic, atomic_t, int)
HOST_ATOMIC_FAMILY(atomic64, atomic64_t, s64)
HOST_ATOMIC_FAMILY(atomic_long, atomic_long_t, long)

/* The same on plain integers and pointers of up to 8 bytes. */
#define HOST_XCHG(ptr, val, order)                          \
	({                                                  \
		typeof(ptr) xchg_p_ = (ptr);                \
		port_point(PORT_ATOMIC, xchg_p_);           \
		__atomic_exchange_n(xchg_p_, (val), order); \
	})

#define HOST_TRY_CMPXCHG(ptr, oldp, val, order)                                  \
	({                                                                       \
		typeof(ptr) cas_p_ = (ptr);                                      \
		port_point(PORT_ATOMIC, cas_p_);                                 \
		__atomic_compare_exchange_n(cas_p_, (oldp), (val), false, order, \
					    __ATOMIC_RELAXED);                   \
	})

#define HOST_CMPXCHG(ptr, old, val, order)                                         \
	({                                                                         \
		typeof(__atomic_load_n((ptr), __ATOMIC_RELAXED)) cas_old_ = (old); \
		(void)HOST_TRY_CMPXCHG(ptr, &cas_old_, val, order);                \
		cas_old_;                                                          \
	})

#define xchg(ptr, val) HOST_XCHG(ptr, val, __ATOMIC_SEQ_CST)
#define xchg_relaxed(ptr, val) HOST_XCHG(ptr, val, __ATOMIC_RELAXED)
#define xchg_acquire(ptr, val) HOST_XCHG(ptr, val, __ATOMIC_ACQUIRE)
#define xchg_release(ptr, val) HOST_XCHG(ptr, val, __ATOMIC_RELEASE)
#define cmpxchg(ptr, old, val) HOST_CMPXCHG(ptr, old, val, __ATOMIC_SEQ_CST)
#define cmpxchg_relaxed(ptr, old, val) HOST_CMPXCHG(ptr, old, val, __ATOMIC_RELAXED)
#define cmpxchg_acquire(ptr, old, val) HOST_CMPXCHG(ptr, old, val, __ATOMIC_ACQUIRE)
#define cmpxchg_release(ptr, old, val) HOST_CMPXCHG(ptr, old, val, __ATOMIC_RELEASE)
#define cmpxchg64(ptr, old, val) cmpxchg(ptr, old, val)
#define try_cmpxchg(ptr, oldp, val) HOST_TRY_CMPXCHG(ptr, oldp, val, __ATOMIC_SEQ_CST)
#define try_cmpxchg_relaxed(ptr, oldp, val) HOST_TRY_CMPXCHG(ptr, oldp, val, __ATOMIC_RELAXED)
#define try_cmpxchg_acquire(ptr, oldp, val) HOST_TRY_CMPXCHG(ptr, oldp, val, __ATOMIC_ACQUIRE)
#define try_cmpxchg_release(ptr, oldp, val) HOST_TRY_CMPXCHG(ptr, oldp, val, __ATOMIC_RELEASE)

#endif
