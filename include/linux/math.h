/* SPDX-License-Identifier: MIT */
/*
 * math.h - division and rounding of integers
 *
 * round_up() and round_down() take powers of two; roundup() and rounddown() take any multiple.
 */
#ifndef _LINUX_MATH_H
#define _LINUX_MATH_H

#include <linux/types.h>
#include <stdlib.h> /* before abs() becomes a macro */

#define round_up(x, y) ((((x)-1) | ((typeof(x))((y)-1))) + 1)
#define round_down(x, y) ((x) & ~((typeof(x))((y)-1)))

#define DIV_ROUND_UP(n, d) (((n) + (d)-1) / (d))
#define DIV_ROUND_DOWN_ULL(n, d) ((unsigned long long)(n) / (d))
#define DIV_ROUND_UP_ULL(n, d) DIV_ROUND_DOWN_ULL((unsigned long long)(n) + (d)-1, (d))
#define DIV_ROUND_CLOSEST_ULL(n, d) DIV_ROUND_DOWN_ULL((unsigned long long)(n) + (d) / 2, (d))

#define DIV_ROUND_CLOSEST(n, d)                                                  \
	({                                                                       \
		typeof(n) drc_n_ = (n);                                          \
		typeof(d) drc_d_ = (d);                                          \
		((drc_n_ < 0) == (drc_d_ < 0)) ? (drc_n_ + drc_d_ / 2) / drc_d_  \
					       : (drc_n_ - drc_d_ / 2) / drc_d_; \
	})

#define roundup(x, y)                                                 \
	({                                                            \
		typeof(y) roundup_y_ = (y);                           \
		(((x) + (roundup_y_ - 1)) / roundup_y_) * roundup_y_; \
	})

#define rounddown(x, y)                              \
	({                                           \
		typeof(x) rounddown_x_ = (x);        \
		rounddown_x_ - (rounddown_x_ % (y)); \
	})

#define abs(x)                                 \
	({                                     \
		__auto_type abs_x_ = (x);      \
		abs_x_ < 0 ? -abs_x_ : abs_x_; \
	})

#endif
