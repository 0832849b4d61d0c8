/* SPDX-License-Identifier: MIT */
/*
 * twin-test.c - what one copy changed is brought over, and nothing else is touched
 */
#include <linux/string.h>

#include "host/port.h"
#include "tests/ktap.h"
#include "twin.h"

#define BYTES 67

/* Every length and alignment, each byte changed or not by chance, against the definition. */
static void as_defined(struct ktap *t)
{
	static u8 from[BYTES + 8], twin[BYTES + 8], to[BYTES + 8];
	u8 want_twin[BYTES], want_to[BYTES];

	for (unsigned int round = 0; round < 20000; round++) {
		unsigned int a = round % 8, b = round / 8 % 8, d = round / 64 % 8;
		size_t len = round % (BYTES + 1), changed = 0;
		u64 often = port_random();

		for (size_t i = 0; i < len; i++) {
			bool change = (often >> i % 64) & 1 && (often >> (i + 7) % 64) & 1;

			twin[b + i] = port_random();
			to[d + i] = port_random();
			from[a + i] = change ? twin[b + i] + 1 + port_random() % 255 : twin[b + i];
			want_twin[i] = from[a + i];
			want_to[i] = change ? from[a + i] : to[d + i];
			changed += change;
		}
		KT_EQ(t, twin_copy_changed(from + a, twin + b, to + d, len), changed);
		KT_CHECK(t, !memcmp(twin + b, want_twin, len));
		KT_CHECK(t, !memcmp(to + d, want_to, len));
	}
}

static void all_and_nothing(struct ktap *t)
{
	static u64 from[8], twin[8], to[8];

	memset(from, 1, sizeof(from));
	KT_EQ(t, twin_copy_changed((u8 *)from, (u8 *)twin, (u8 *)to, 64), 64);
	KT_CHECK(t, !memcmp(from, to, 64) && !memcmp(from, twin, 64));
	memset(to, 9, sizeof(to));
	KT_EQ(t, twin_copy_changed((u8 *)from, (u8 *)twin, (u8 *)to, 64), 0);
	KT_EQ(t, to[7] & 0xff, 9);
	KT_EQ(t, twin_copy_changed((u8 *)from, (u8 *)twin, (u8 *)to, 0), 0);
}

KTAP_MAIN(KTAP_CASE(as_defined), KTAP_CASE(all_and_nothing))
