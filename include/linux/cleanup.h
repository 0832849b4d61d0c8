/* SPDX-License-Identifier: MIT */
/*
 * cleanup.h - what a variable holds is given back when its scope ends
 *
 *	struct thing *p __free(kfree) = kmalloc(...);	kfree(p) at the end of the scope, however left
 *	return_ptr(p);					... but not then: the caller has it now
 *	guard(mutex)(&lock);				held to the end of the scope
 *	scoped_guard(mutex, &lock) { ... }		held for these statements
 *	CLASS(get_unused_fd, fd)(O_CLOEXEC);		any other pair of constructor and destructor
 *
 * Invariants
 *   CL1  Destructors run in the reverse order of the declarations, once each.
 *   CL2  A conditional guard (mutex_try, mutex_intr ...) that did not get its lock holds NULL, and
 *        its destructor does nothing.
 *
 * Which classes and guards there are stands beside what they guard: <linux/mutex.h>,
 * <linux/spinlock.h>, <linux/rwsem.h>, <linux/rcupdate.h>, <linux/slab.h>, <linux/file.h>,
 * <linux/device.h>.  Semantics: Linux 6.12.
 */
#ifndef _LINUX_CLEANUP_H
#define _LINUX_CLEANUP_H

#include <linux/compiler.h>

/* --- __free ----------------------------------------------------------------------------------- */

/* DEFINE_FREE - __free(@name) does @expr, in which the variable's value is called _T */
#define DEFINE_FREE(name, type, expr)                  \
	static inline void __free_##name(void *host_p) \
	{                                              \
		type _T = *(type *)host_p;             \
		expr;                                  \
	}
#define __free(name) __cleanup(__free_##name)

/* no_free_ptr - the value of @p, which is NULL from now on; it must be used */
static inline __must_check const volatile void *host_must_use(const volatile void *p)
{
	return p;
}

#define __get_and_null(p, nullvalue)     \
	({                               \
		typeof(p) host_p_ = (p); \
		(p) = (nullvalue);       \
		host_p_;                 \
	})
#define no_free_ptr(p) ((typeof(p))host_must_use((const volatile void *)__get_and_null(p, NULL)))

#define return_ptr(p) return no_free_ptr(p)

/* --- classes ---------------------------------------------------------------------------------- */

/* DEFINE_CLASS - _T is the value in @exit; @init makes it of the arguments, @init_args... */
#define DEFINE_CLASS(name, type, exit, init, init_args...)         \
	typedef type class_##name##_t;                             \
	static inline void class_##name##_destructor(type *host_p) \
	{                                                          \
		type _T = *host_p;                                 \
		exit;                                              \
	}                                                          \
	static inline type class_##name##_constructor(init_args)   \
	{                                                          \
		type t = init;                                     \
		return t;                                          \
	}

/* EXTEND_CLASS - the same type and end with another beginning, as class @name@ext */
#define EXTEND_CLASS(name, ext, init, init_args...)                                 \
	typedef class_##name##_t class_##name##ext##_t;                             \
	static inline void class_##name##ext##_destructor(class_##name##_t *host_p) \
	{                                                                           \
		class_##name##_destructor(host_p);                                  \
	}                                                                           \
	static inline class_##name##_t class_##name##ext##_constructor(init_args)   \
	{                                                                           \
		class_##name##_t t = init;                                          \
		return t;                                                           \
	}

#define CLASS(name, var)                                                           \
	class_##name##_t var __cleanup(class_##name##_destructor) __maybe_unused = \
		class_##name##_constructor

/* --- guards ----------------------------------------------------------------------------------- */

/* A guard's variable, as a pointer: NULL when it holds nothing. */
#define __guard_ptr(name) class_##name##_lock_ptr

/* DEFINE_GUARD - of one argument of @type, a pointer; it is called _T in @lock and @unlock */
#define DEFINE_GUARD(name, type, lock, unlock)                           \
	DEFINE_CLASS(                                                    \
		name, type, if (_T) { unlock; }, ({                      \
			lock;                                            \
			_T;                                              \
		}),                                                      \
		type _T)                                                 \
	static inline void *class_##name##_lock_ptr(class_##name##_t *t) \
	{                                                                \
		return (void *)*t;                                       \
	}

/* DEFINE_GUARD_COND - guard @name@ext holds if @condlock is true */
#define DEFINE_GUARD_COND(name, ext, condlock)                                \
	EXTEND_CLASS(name, ext, (condlock) ? _T : NULL, class_##name##_t _T)  \
	static inline void *class_##name##ext##_lock_ptr(class_##name##_t *t) \
	{                                                                     \
		return class_##name##_lock_ptr(t);                            \
	}

/* What a lock guard holds: .lock, NULL for nothing, and fields of its own, as flags. */
#define HOST_LOCK_GUARD(name, type, unlock, fields...)                     \
	typedef struct {                                                   \
		type *lock;                                                \
		fields;                                                    \
	} class_##name##_t;                                                \
	static inline void class_##name##_destructor(class_##name##_t *_T) \
	{                                                                  \
		if (_T->lock) {                                            \
			unlock;                                            \
		}                                                          \
	}                                                                  \
	static inline void *class_##name##_lock_ptr(class_##name##_t *_T)  \
	{                                                                  \
		return (void *)_T->lock;                                   \
	}

/* DEFINE_LOCK_GUARD_1 - of one argument, _T->lock in @lock and @unlock; DEFINE_LOCK_GUARD_0 - of none */
#define DEFINE_LOCK_GUARD_1(name, type, lock_it, unlock, fields...)        \
	HOST_LOCK_GUARD(name, type, unlock, fields)                        \
	static inline class_##name##_t class_##name##_constructor(type *l) \
	{                                                                  \
		class_##name##_t host_t = { .lock = l }, *_T = &host_t;    \
		lock_it;                                                   \
		return host_t;                                             \
	}

#define DEFINE_LOCK_GUARD_0(name, lock_it, unlock, fields...)                   \
	HOST_LOCK_GUARD(name, void, unlock, fields)                             \
	static inline class_##name##_t class_##name##_constructor(void)         \
	{                                                                       \
		class_##name##_t host_t = { .lock = (void *)1 }, *_T = &host_t; \
		(void)_T;                                                       \
		lock_it;                                                        \
		return host_t;                                                  \
	}

#define DEFINE_LOCK_GUARD_1_COND(name, ext, condlock)                                \
	EXTEND_CLASS(name, ext, ({                                                   \
			     class_##name##_t host_t = { .lock = l }, *_T = &host_t; \
			     if (!(condlock))                                        \
				     _T->lock = NULL;                                \
			     host_t;                                                 \
		     }),                                                             \
		     typeof(((class_##name##_t *)0)->lock) l)                        \
	static inline void *class_##name##ext##_lock_ptr(class_##name##_t *t)        \
	{                                                                            \
		return class_##name##_lock_ptr(t);                                   \
	}

#define guard(name) CLASS(name, __UNIQUE_ID(guard))

/* The body runs once, or not at all when the guard holds nothing. */
#define scoped_guard(name, args...)                                                                \
	for (CLASS(name, scope)(args), *host_done = NULL; __guard_ptr(name)(&scope) && !host_done; \
	     host_done = (void *)1)

/* scoped_cond_guard - and @fail, a statement, is done when the guard holds nothing */
#define scoped_cond_guard(name, fail, args...)                                               \
	for (CLASS(name, scope)(args), *host_done = NULL; !host_done; host_done = (void *)1) \
		if (!__guard_ptr(name)(&scope))                                              \
			fail;                                                                \
		else

#endif
