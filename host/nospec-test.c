/* SPDX-License-Identifier: MIT */
/* An index within bounds stays; the mask of one beyond is zero. */
#include <linux/limits.h>
#include <linux/nospec.h>
#include "tests/ktap.h"

static void within(struct ktap *t)
{
	for (unsigned int size = 1; size < 70; size++)
		for (unsigned int i = 0; i < size; i++)
			if (array_index_nospec(i, size) != i)
				KT_EQ(t, array_index_nospec(i, size), i);
	KT_EQ(t, array_index_nospec(LONG_MAX - 1, LONG_MAX), LONG_MAX - 1);
}

static void beyond(struct ktap *t)
{
	KT_EQ(t, array_index_nospec(7, 7), 0);
	KT_EQ(t, array_index_nospec(8, 7), 0);
	KT_EQ(t, array_index_nospec(0, 0), 0);
	KT_EQ(t, array_index_nospec(LONG_MAX, 1), 0);
}

KTAP_MAIN(KTAP_CASE(within), KTAP_CASE(beyond))
