/* SPDX-License-Identifier: MIT */
/*
 * twin.c - see twin.h
 */
#include <linux/align.h>
#include <linux/compiler.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "mapping-slot.h"
#include "twin.h"

u8 *twin_new(struct mapping_slot *slot, size_t size)
{
	u8 *twin = kvmalloc(size, GFP_KERNEL);
	size_t at, len;

	for (at = 0; twin && at < size; at += len) {
		const u8 *bytes;

		len = size - at;
		bytes = slot->ops->bounce(slot, at, &len);
		len = min(len, size - at);
		memcpy(twin + at, bytes, len);
	}
	return twin;
}

static bool word_aligned(const void *a, const void *b, const void *to)
{
	return IS_ALIGNED((unsigned long)a | (unsigned long)b | (unsigned long)to, sizeof(u64));
}

static bool has_zero_byte(u64 x)
{
	return (x - 0x0101010101010101ull) & ~x & 0x8080808080808080ull;
}

size_t twin_copy_changed(const u8 *from, u8 *twin, u8 *to, size_t len)
{
	size_t i = 0, copied = 0;

	while (i < len) {
		union {
			u64 word;
			u8 byte[sizeof(u64)];
		} now;
		unsigned int n = 1, b;

		if (len - i >= sizeof(u64) && word_aligned(from + i, twin + i, to + i)) {
			u64 before = *(const u64 *)(twin + i);

			n = sizeof(u64);
			now.word = READ_ONCE(*(const u64 *)(from + i));
			if (now.word == before) {
				i += n;
				continue;
			}
			if (!has_zero_byte(now.word ^ before)) {
				WRITE_ONCE(*(u64 *)(to + i), now.word);
				*(u64 *)(twin + i) = now.word;
				copied += n;
				i += n;
				continue;
			}
		} else {
			now.byte[0] = READ_ONCE(from[i]);
		}
		for (b = 0; b < n; b++, i++) {
			if (now.byte[b] == twin[i])
				continue;
			WRITE_ONCE(to[i], now.byte[b]);
			twin[i] = now.byte[b];
			copied++;
		}
	}
	return copied;
}
