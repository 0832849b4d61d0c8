/* SPDX-License-Identifier: MIT */
/* uuid.h - sixteen bytes that name a thing everywhere */
#ifndef _LINUX_UUID_H
#define _LINUX_UUID_H

#include <linux/types.h>

typedef struct {
	u8 b[16];
} uuid_t;

static inline void uuid_copy(uuid_t *dst, const uuid_t *src)
{
	*dst = *src;
}

#endif
