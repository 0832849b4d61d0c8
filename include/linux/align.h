/* SPDX-License-Identifier: MIT */
/* align.h - rounding to a power of two; @a must be one */
#ifndef _LINUX_ALIGN_H
#define _LINUX_ALIGN_H

#include <linux/types.h>

#define HOST_ALIGN_MASK(x, mask) (((x) + (mask)) & ~(mask))
#define ALIGN(x, a) HOST_ALIGN_MASK(x, (typeof(x))(a)-1)
#define ALIGN_DOWN(x, a) ((x) & ~((typeof(x))(a)-1))
#define PTR_ALIGN(p, a) ((typeof(p))ALIGN((unsigned long)(p), (a)))
#define PTR_ALIGN_DOWN(p, a) ((typeof(p))ALIGN_DOWN((unsigned long)(p), (a)))
#define IS_ALIGNED(x, a) (((x) & ((typeof(x))(a)-1)) == 0)

#endif
