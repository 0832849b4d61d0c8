/* SPDX-License-Identifier: MIT */
/* random.h - numbers from port_random(): repeatable after port_random_seed() */
#ifndef _LINUX_RANDOM_H
#define _LINUX_RANDOM_H

#include <linux/compiler.h>

void get_random_bytes(void *buf, size_t len);

static inline u64 get_random_u64(void)
{
	return port_random();
}

static inline u32 get_random_u32(void)
{
	return (u32)port_random();
}

/* get_random_u32_below - 0 to @ceil - 1; @ceil is not 0 */
static inline u32 get_random_u32_below(u32 ceil)
{
	return (u32)(((unsigned __int128)port_random() * ceil) >> 64);
}

/* get_random_u32_inclusive - @floor to @ceil */
static inline u32 get_random_u32_inclusive(u32 floor, u32 ceil)
{
	return floor + (u32)(((unsigned __int128)port_random() * ((u64)ceil - floor + 1)) >> 64);
}

#endif
