/* SPDX-License-Identifier: MIT */
/*
 * hooks.c - where the compiler's calls for each atomic access arrive, and the host's
 *
 * The names are those of the thread sanitizer, whose runtime this takes the place of.  An atomic
 * access of weak code is a switch point first; then it is made, on the model and on the memory, which
 * always holds the newest value.
 */
#include <string.h>

#include "checker/schedules/engine.h"
#include "checker/schedules/host-atomics.h"

/* This file makes the accesses themselves. */
#undef __atomic_load_n
#undef __atomic_store_n
#undef __atomic_exchange_n
#undef __atomic_fetch_add
#undef __atomic_fetch_sub
#undef __atomic_fetch_and
#undef __atomic_fetch_or
#undef __atomic_fetch_xor
#undef __atomic_compare_exchange_n

#define PC ((uintptr_t)__builtin_return_address(0))

static void shadow(const volatile void *p, unsigned int bytes, bool write, uintptr_t pc)
{
	plain_atomic((uintptr_t)p, bytes, write, pc);
}

static void told(const char *what, const volatile void *p, uint64_t value, uintptr_t pc)
{
	if (engine->tracing)
		report_step(what, (uintptr_t)p, value, false, pc);
}

void __tsan_init(void);
void __tsan_init(void)
{
}

void __tsan_func_entry(void *pc);
void __tsan_func_entry(void *pc)
{
}

void __tsan_func_exit(void);
void __tsan_func_exit(void)
{
}

/* --- atomic ----------------------------------------------------------------------------------- */

/* Every read-modify-write, with what is made of the old value. */
#define CHANGE(bits, name, next)                                                                  \
	uint##bits##_t __tsan_atomic##bits##_##name(volatile uint##bits##_t *p, uint##bits##_t v, \
						    int order);                                   \
	uint##bits##_t __tsan_atomic##bits##_##name(volatile uint##bits##_t *p, uint##bits##_t v, \
						    int order)                                    \
	{                                                                                         \
		uint##bits##_t old;                                                               \
                                                                                                  \
		thread_point(#name, (uintptr_t)p, PC);                                            \
		shadow(p, bits / 8, true, PC);                                                    \
		old = *p;                                                                         \
		model_rmw((uintptr_t)p, bits / 8, (uint##bits##_t)(next), order, true);           \
		*p = (next);                                                                      \
		told(#name, p, (uint##bits##_t)(next), PC);                                       \
		return old;                                                                       \
	}

#define ATOMIC(bits)                                                                               \
	uint##bits##_t __tsan_atomic##bits##_load(const volatile uint##bits##_t *p, int order);    \
	uint##bits##_t __tsan_atomic##bits##_load(const volatile uint##bits##_t *p, int order)     \
	{                                                                                          \
		thread_point("load", (uintptr_t)p, PC);                                            \
		shadow(p, bits / 8, false, PC);                                                    \
		return model_load((uintptr_t)p, bits / 8, order, PC);                              \
	}                                                                                          \
	void __tsan_atomic##bits##_store(volatile uint##bits##_t *p, uint##bits##_t v, int order); \
	void __tsan_atomic##bits##_store(volatile uint##bits##_t *p, uint##bits##_t v, int order)  \
	{                                                                                          \
		thread_point("store", (uintptr_t)p, PC);                                           \
		shadow(p, bits / 8, true, PC);                                                     \
		model_store((uintptr_t)p, bits / 8, v, order, true);                               \
		*p = v;                                                                            \
		told("store", p, v, PC);                                                           \
	}                                                                                          \
	CHANGE(bits, exchange, v)                                                                  \
	CHANGE(bits, fetch_add, old + v)                                                           \
	CHANGE(bits, fetch_sub, old - v)                                                           \
	CHANGE(bits, fetch_and, old &v)                                                            \
	CHANGE(bits, fetch_or, old | v)                                                            \
	CHANGE(bits, fetch_xor, old ^ v)                                                           \
	int __tsan_atomic##bits##_compare_exchange_strong(volatile uint##bits##_t *p,              \
							  uint##bits##_t *expected,                \
							  uint##bits##_t v, int good, int bad);    \
	int __tsan_atomic##bits##_compare_exchange_strong(volatile uint##bits##_t *p,              \
							  uint##bits##_t *expected,                \
							  uint##bits##_t v, int good, int bad)     \
	{                                                                                          \
		thread_point("cmpxchg", (uintptr_t)p, PC);                                         \
		shadow(p, bits / 8, true, PC);                                                     \
		if (*p == *expected) {                                                             \
			model_rmw((uintptr_t)p, bits / 8, v, good, true);                          \
			*p = v;                                                                    \
			told("cmpxchg", p, v, PC);                                                 \
			return 1;                                                                  \
		}                                                                                  \
		model_read_newest((uintptr_t)p, bits / 8, bad);                                    \
		*expected = *p;                                                                    \
		told("cmpxchg fails", p, *p, PC);                                                  \
		return 0;                                                                          \
	}                                                                                          \
	uint##bits##_t __tsan_atomic##bits##_compare_exchange_val(                                 \
		volatile uint##bits##_t *p, uint##bits##_t expected, uint##bits##_t v, int good,   \
		int bad);                                                                          \
	uint##bits##_t __tsan_atomic##bits##_compare_exchange_val(                                 \
		volatile uint##bits##_t *p, uint##bits##_t expected, uint##bits##_t v, int good,   \
		int bad)                                                                           \
	{                                                                                          \
		__tsan_atomic##bits##_compare_exchange_strong(p, &expected, v, good, bad);         \
		return expected;                                                                   \
	}

ATOMIC(8)
ATOMIC(16)
ATOMIC(32)
ATOMIC(64)

void __tsan_atomic_thread_fence(int order);
void __tsan_atomic_thread_fence(int order)
{
	thread_point("fence", 0, PC);
	model_fence(order);
	told("fence", NULL, order, PC);
}

void __tsan_atomic_signal_fence(int order);
void __tsan_atomic_signal_fence(int order)
{
}

/* --- the host's ------------------------------------------------------------------------------- */

static uint64_t value_at(const volatile void *p, unsigned int bytes)
{
	return bytes == 4   ? *(const volatile uint32_t *)p
	       : bytes == 8 ? *(const volatile uint64_t *)p
	       : bytes == 2 ? *(const volatile uint16_t *)p
			    : *(const volatile uint8_t *)p;
}

void host_loaded(const volatile void *p, unsigned int bytes, int order)
{
	plain_check_life((uintptr_t)p, bytes, PC);
	model_read_newest((uintptr_t)p, bytes, order);
}

void host_stored(const volatile void *p, unsigned int bytes, int order)
{
	plain_check_life((uintptr_t)p, bytes, PC);
	model_store((uintptr_t)p, bytes, value_at(p, bytes), order, false);
}

void host_changed(const volatile void *p, unsigned int bytes, int order)
{
	plain_check_life((uintptr_t)p, bytes, PC);
	model_rmw((uintptr_t)p, bytes, value_at(p, bytes), order, false);
}

void host_fenced(int order)
{
	model_fence(order);
}
