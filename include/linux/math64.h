/* SPDX-License-Identifier: MIT */
/* math64.h - divisions of 64 bits, by names that 32-bit machines need */
#ifndef _LINUX_MATH64_H
#define _LINUX_MATH64_H

#include <linux/math.h>
#include <linux/types.h>

static inline u64 div_u64_rem(u64 dividend, u32 divisor, u32 *remainder)
{
	*remainder = (u32)(dividend % divisor);
	return dividend / divisor;
}

static inline u64 div64_u64_rem(u64 dividend, u64 divisor, u64 *remainder)
{
	*remainder = dividend % divisor;
	return dividend / divisor;
}

static inline u64 div_u64(u64 dividend, u32 divisor)
{
	return dividend / divisor;
}

static inline s64 div_s64(s64 dividend, s32 divisor)
{
	return dividend / divisor;
}

static inline u64 div64_u64(u64 dividend, u64 divisor)
{
	return dividend / divisor;
}

static inline s64 div64_s64(s64 dividend, s64 divisor)
{
	return dividend / divisor;
}

static inline u64 mul_u32_u32(u32 a, u32 b)
{
	return (u64)a * b;
}

/* mul_u64_u64_div_u64 - a * b / c with a product of 128 bits */
static inline u64 mul_u64_u64_div_u64(u64 a, u64 b, u64 c)
{
	return (u64)((unsigned __int128)a * b / c);
}

/* do_div - divides the variable @n in place and yields the remainder */
#define do_div(n, base)                                           \
	({                                                        \
		u32 do_div_base_ = (base);                        \
		u32 do_div_rem_ = (u32)((u64)(n) % do_div_base_); \
		(n) = (u64)(n) / do_div_base_;                    \
		do_div_rem_;                                      \
	})

#endif
