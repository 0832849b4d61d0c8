/* SPDX-License-Identifier: MIT */
/*
 * locking.h - what a public call asserts when it is entered: its row of core/locking.def
 *
 * Everything is known when it is compiled, so a row costs what the assertion it asks for costs.
 */
#ifndef CORE_LOCKING_H
#define CORE_LOCKING_H

#include <linux/dma-resv.h>

/* The words of the column `need`. */
enum lock_need {
	LOCK_NEED_HELD,
	LOCK_NEED_NOT_HELD,
	LOCK_NEED_AVOID,
	LOCK_NEED_EITHER,
	LOCK_NEED_TAKES,
	LOCK_NEED_TRIES,
	LOCK_NEED_DROPS,
};

enum {
#define LOCK_CALL(rule, whose, function, kind, lock, need, sleep) \
	lock_need_of_##function = LOCK_NEED_##need,
#include "locking.def"
};

/* lock_need_is - for an assertion with words of its own: the row of @function says @need */
#define lock_need_is(function, need)                                     \
	_Static_assert((int)lock_need_of_##function == LOCK_NEED_##need, \
		       #function "() is asserted otherwise than core/locking.def says")

/**
 * lock_rule - WARN unless the reservation @resv is held, or not held, as the row of @function says
 *
 * True when the caller has it and must not: going on, he would wait for himself.
 */
#define lock_rule(function, resv)                                                                \
	({                                                                                       \
		bool lock_waits_ = false;                                                        \
		if ((int)lock_need_of_##function == LOCK_NEED_HELD)                              \
			WARN(!dma_resv_held(resv),                                               \
			     "dma-resv: %s() must be called with the reservation locked",        \
			     #function);                                                         \
		if ((int)lock_need_of_##function == LOCK_NEED_NOT_HELD)                          \
			lock_waits_ = WARN(                                                      \
				dma_resv_held(resv),                                             \
				"dma-resv: %s() takes the reservation, so it is called without", \
				#function);                                                      \
		lock_waits_;                                                                     \
	})

#endif
