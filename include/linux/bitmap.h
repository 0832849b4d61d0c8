/* SPDX-License-Identifier: MIT */
/*
 * bitmap.h - sets of small numbers, as arrays of unsigned long
 *
 * Invariants
 *   BM1  Only the first @nbits bits mean anything.  What writes a bitmap writes whole words: bits
 *        behind nbits in the last word are then undefined.
 *   BM2  dst may be a source, too.
 *
 * Context: any, not atomic; bitmap_alloc() and its family as kmalloc().  Semantics: Linux 6.12.
 */
#ifndef _LINUX_BITMAP_H
#define _LINUX_BITMAP_H

#include <linux/align.h>
#include <linux/bitops.h>
#include <linux/cleanup.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/string.h>

/* BITMAP_LAST_WORD_MASK - the bits that mean something in the last word of @nbits */
#define BITMAP_LAST_WORD_MASK(nbits) (~0UL >> (-(nbits) & (BITS_PER_LONG - 1)))
#define BITMAP_FIRST_WORD_MASK(start) (~0UL << ((start) & (BITS_PER_LONG - 1)))

/** bitmap_alloc, bitmap_zalloc - for @nbits, undefined or empty; NULL; freed with bitmap_free() */
static inline unsigned long *bitmap_alloc(unsigned int nbits, gfp_t gfp)
{
	return kmalloc_array(BITS_TO_LONGS(nbits), sizeof(unsigned long), gfp);
}

static inline unsigned long *bitmap_zalloc(unsigned int nbits, gfp_t gfp)
{
	return kcalloc(BITS_TO_LONGS(nbits), sizeof(unsigned long), gfp);
}

static inline void bitmap_free(const unsigned long *bitmap)
{
	kfree(bitmap);
}

DEFINE_FREE(bitmap, unsigned long *, if (_T) bitmap_free(_T))

static inline void bitmap_zero(unsigned long *dst, unsigned int nbits)
{
	memset(dst, 0, BITS_TO_LONGS(nbits) * sizeof(*dst));
}

static inline void bitmap_fill(unsigned long *dst, unsigned int nbits)
{
	memset(dst, 0xff, BITS_TO_LONGS(nbits) * sizeof(*dst));
}

static inline void bitmap_copy(unsigned long *dst, const unsigned long *src, unsigned int nbits)
{
	memmove(dst, src, BITS_TO_LONGS(nbits) * sizeof(*dst));
}

/* The word @i of a bitmap of @nbits, without what means nothing. */
static inline unsigned long host_bitmap_word(unsigned long word, unsigned int i, unsigned int nbits)
{
	return i == nbits / BITS_PER_LONG ? word & BITMAP_LAST_WORD_MASK(nbits) : word;
}

static inline void bitmap_complement(unsigned long *dst, const unsigned long *src,
				     unsigned int nbits)
{
	for (unsigned int i = 0; i < BITS_TO_LONGS(nbits); i++)
		dst[i] = ~src[i];
}

static inline void bitmap_or(unsigned long *dst, const unsigned long *a, const unsigned long *b,
			     unsigned int nbits)
{
	for (unsigned int i = 0; i < BITS_TO_LONGS(nbits); i++)
		dst[i] = a[i] | b[i];
}

static inline void bitmap_xor(unsigned long *dst, const unsigned long *a, const unsigned long *b,
			      unsigned int nbits)
{
	for (unsigned int i = 0; i < BITS_TO_LONGS(nbits); i++)
		dst[i] = a[i] ^ b[i];
}

/** bitmap_and, bitmap_andnot - returns whether any bit is set in the result */
static inline bool bitmap_and(unsigned long *dst, const unsigned long *a, const unsigned long *b,
			      unsigned int nbits)
{
	unsigned long any = 0;

	for (unsigned int i = 0; i < BITS_TO_LONGS(nbits); i++)
		any |= host_bitmap_word(dst[i] = a[i] & b[i], i, nbits);
	return any;
}

static inline bool bitmap_andnot(unsigned long *dst, const unsigned long *a, const unsigned long *b,
				 unsigned int nbits)
{
	unsigned long any = 0;

	for (unsigned int i = 0; i < BITS_TO_LONGS(nbits); i++)
		any |= host_bitmap_word(dst[i] = a[i] & ~b[i], i, nbits);
	return any;
}

/** bitmap_equal - the same set? bitmap_intersects - a common bit? bitmap_subset - all of @a in @b? */
static inline bool bitmap_equal(const unsigned long *a, const unsigned long *b, unsigned int nbits)
{
	for (unsigned int i = 0; i < BITS_TO_LONGS(nbits); i++)
		if (host_bitmap_word(a[i] ^ b[i], i, nbits))
			return false;
	return true;
}

static inline bool bitmap_intersects(const unsigned long *a, const unsigned long *b,
				     unsigned int nbits)
{
	for (unsigned int i = 0; i < BITS_TO_LONGS(nbits); i++)
		if (host_bitmap_word(a[i] & b[i], i, nbits))
			return true;
	return false;
}

static inline bool bitmap_subset(const unsigned long *a, const unsigned long *b, unsigned int nbits)
{
	for (unsigned int i = 0; i < BITS_TO_LONGS(nbits); i++)
		if (host_bitmap_word(a[i] & ~b[i], i, nbits))
			return false;
	return true;
}

static inline bool bitmap_empty(const unsigned long *src, unsigned int nbits)
{
	return find_first_bit(src, nbits) == nbits;
}

static inline bool bitmap_full(const unsigned long *src, unsigned int nbits)
{
	return find_first_zero_bit(src, nbits) == nbits;
}

/** bitmap_weight - how many are set */
static inline unsigned int bitmap_weight(const unsigned long *src, unsigned int nbits)
{
	unsigned int weight = 0;

	for (unsigned int i = 0; i < BITS_TO_LONGS(nbits); i++)
		weight += hweight_long(host_bitmap_word(src[i], i, nbits));
	return weight;
}

/** bitmap_set, bitmap_clear - @nbits bits from @start on; no others change */
static inline void bitmap_set(unsigned long *map, unsigned int start, unsigned int nbits)
{
	for (; nbits; start++, nbits--)
		__set_bit(start, map);
}

static inline void bitmap_clear(unsigned long *map, unsigned int start, unsigned int nbits)
{
	for (; nbits; start++, nbits--)
		__clear_bit(start, map);
}

/**
 * bitmap_find_next_zero_area - the first @nr clear bits in a row at or after @start
 * @mask: of their first index no bit of it is set: an alignment less one
 *
 * Returns where; > @size - @nr where there is no such row.
 */
static inline unsigned long bitmap_find_next_zero_area(unsigned long *map, unsigned long size,
						       unsigned long start, unsigned int nr,
						       unsigned long mask)
{
	unsigned long first = start, taken;

	do {
		first = find_next_zero_bit(map, size, first);
		first = (first + mask) & ~mask;
		if (first + nr > size)
			return first + nr;
		taken = find_next_bit(map, first + nr, first);
		if (taken == first + nr)
			return first;
		first = taken + 1;
	} while (true);
}

#endif
