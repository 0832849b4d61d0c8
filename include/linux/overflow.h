/* SPDX-License-Identifier: MIT */
/*
 * overflow.h - sizes that do not wrap
 *
 * check_*_overflow() return true when the exact result does not fit *@d.  The size_*() family and
 * what stands on it saturate at SIZE_MAX, which no allocator can serve: a wrapped size becomes
 * -ENOMEM.
 */
#ifndef _LINUX_OVERFLOW_H
#define _LINUX_OVERFLOW_H

#include <linux/compiler.h>
#include <linux/limits.h>

#define check_add_overflow(a, b, d) unlikely(__builtin_add_overflow(a, b, d))
#define check_sub_overflow(a, b, d) unlikely(__builtin_sub_overflow(a, b, d))
#define check_mul_overflow(a, b, d) unlikely(__builtin_mul_overflow(a, b, d))

#define check_shl_overflow(a, s, d)                                             \
	({                                                                      \
		unsigned long long shl_a_ = (a);                                \
		unsigned int shl_s_ = (s);                                      \
		typeof(d) shl_d_ = (d);                                         \
		unsigned long long shl_r_ = shl_s_ < 64 ? shl_a_ << shl_s_ : 0; \
		*shl_d_ = (typeof(*shl_d_))shl_r_;                              \
		(shl_s_ >= 64 || (unsigned long long)*shl_d_ != shl_r_ ||       \
		 (shl_r_ >> shl_s_) != shl_a_);                                 \
	})

static inline size_t __must_check size_add(size_t a, size_t b)
{
	size_t sum;

	return check_add_overflow(a, b, &sum) ? SIZE_MAX : sum;
}

static inline size_t __must_check size_mul(size_t a, size_t b)
{
	size_t product;

	return check_mul_overflow(a, b, &product) ? SIZE_MAX : product;
}

/* size_sub - SIZE_MAX also when either operand is SIZE_MAX already */
static inline size_t __must_check size_sub(size_t minuend, size_t subtrahend)
{
	size_t rest;

	if (minuend == SIZE_MAX || subtrahend == SIZE_MAX ||
	    check_sub_overflow(minuend, subtrahend, &rest))
		return SIZE_MAX;
	return rest;
}

#define array_size(a, b) size_mul(a, b)
#define array3_size(a, b, c) size_mul(size_mul(a, b), c)
#define flex_array_size(p, member, count) size_mul(count, sizeof(*(p)->member))

/* struct_size - bytes of *@p with @count elements in its flexible array @member */
#define struct_size(p, member, count) size_add(sizeof(*(p)), flex_array_size(p, member, count))
#define struct_size_t(type, member, count) struct_size((type *)NULL, member, count)

#endif
