/* SPDX-License-Identifier: MIT */
/*
 * log2.h - powers of two
 *
 * Undefined for 0, except is_power_of_2(0), which is false.  ilog2() of a constant is a constant.
 */
#ifndef _LINUX_LOG2_H
#define _LINUX_LOG2_H

#include <linux/types.h>

#define ilog2(n) ((int)(63 - __builtin_clzll((unsigned long long)(n))))

static inline bool is_power_of_2(unsigned long n)
{
	return n != 0 && (n & (n - 1)) == 0;
}

#define roundup_pow_of_two(n) ((n) <= 1 ? 1UL : 1UL << (ilog2((unsigned long)(n) - ((n) > 1)) + 1))
#define rounddown_pow_of_two(n) (1UL << ilog2(n))

/* order_base_2 - the exponent of the smallest power of two that is not below @n */
#define order_base_2(n) ((n) <= 1 ? 0 : ilog2((unsigned long)(n) - ((n) > 1)) + 1)

#endif
