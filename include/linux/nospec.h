/* SPDX-License-Identifier: MIT */
/*
 * nospec.h - an index that a guessing processor cannot take out of bounds
 */
#ifndef _LINUX_NOSPEC_H
#define _LINUX_NOSPEC_H

#include <linux/compiler.h>
#include <linux/types.h>

/* All ones if @index < @size, else 0; by arithmetic, as a branch could be guessed. Both <= LONG_MAX */
static inline unsigned long array_index_mask_nospec(unsigned long index, unsigned long size)
{
	OPTIMIZER_HIDE_VAR(index);
	return (unsigned long)(~(long)(index | (size - 1 - index)) >> (BITS_PER_LONG - 1));
}

/* array_index_nospec - @index, which has been checked to be below @size; 0 where it is guessed not to be */
#define array_index_nospec(index, size)                                                \
	({                                                                             \
		typeof(index) nospec_index_ = (index);                                 \
		(typeof(nospec_index_))(nospec_index_ &                                \
					array_index_mask_nospec(nospec_index_, size)); \
	})

#endif
