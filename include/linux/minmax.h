/* SPDX-License-Identifier: MIT */
/*
 * minmax.h - the smaller, the larger, the one between, and swap
 *
 * Every argument is evaluated once.
 *
 * DIFFERS: Linux refuses to compare a signed with an unsigned variable; here C's conversion
 * decides.
 */
#ifndef _LINUX_MINMAX_H
#define _LINUX_MINMAX_H

#include <linux/compiler.h>

#define min(x, y)                                  \
	({                                         \
		__auto_type min_x_ = (x);          \
		__auto_type min_y_ = (y);          \
		min_x_ < min_y_ ? min_x_ : min_y_; \
	})

#define max(x, y)                                  \
	({                                         \
		__auto_type max_x_ = (x);          \
		__auto_type max_y_ = (y);          \
		max_x_ > max_y_ ? max_x_ : max_y_; \
	})

#define min_t(type, x, y)                                  \
	({                                                 \
		type min_t_x_ = (x), min_t_y_ = (y);       \
		min_t_x_ < min_t_y_ ? min_t_x_ : min_t_y_; \
	})

#define max_t(type, x, y)                                  \
	({                                                 \
		type max_t_x_ = (x), max_t_y_ = (y);       \
		max_t_x_ > max_t_y_ ? max_t_x_ : max_t_y_; \
	})

#define min3(x, y, z)                                    \
	({                                               \
		__auto_type min3_z_ = (z);               \
		__auto_type min3_xy_ = min(x, y);        \
		min3_xy_ < min3_z_ ? min3_xy_ : min3_z_; \
	})

#define max3(x, y, z)                                    \
	({                                               \
		__auto_type max3_z_ = (z);               \
		__auto_type max3_xy_ = max(x, y);        \
		max3_xy_ > max3_z_ ? max3_xy_ : max3_z_; \
	})

/* min_not_zero - the smaller of those that are not 0 */
#define min_not_zero(x, y)                                                           \
	({                                                                           \
		__auto_type mnz_x_ = (x);                                            \
		__auto_type mnz_y_ = (y);                                            \
		mnz_x_ == 0 ? mnz_y_ : (mnz_y_ == 0 ? mnz_x_ : min(mnz_x_, mnz_y_)); \
	})

#define clamp(val, lo, hi)                                                                        \
	({                                                                                        \
		__auto_type clamp_v_ = (val);                                                     \
		__auto_type clamp_lo_ = (lo);                                                     \
		__auto_type clamp_hi_ = (hi);                                                     \
		clamp_v_ < clamp_lo_ ? clamp_lo_ : (clamp_v_ > clamp_hi_ ? clamp_hi_ : clamp_v_); \
	})

#define clamp_t(type, val, lo, hi) min_t(type, max_t(type, val, lo), hi)
#define clamp_val(val, lo, hi) clamp_t(typeof(val), val, lo, hi)

#define swap(a, b)                     \
	do {                           \
		typeof(a) swap_ = (a); \
		(a) = (b);             \
		(b) = swap_;           \
	} while (0)

#endif
