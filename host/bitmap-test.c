/* SPDX-License-Identifier: MIT */
/* Bitmaps against a model of one byte a bit, at every size around a word. */
#include <linux/bitmap.h>
#include <linux/kernel.h>
#include "host/port.h"
#include "tests/ktap.h"

#define MAX 200

/* A bitmap of @n bits with rubbish behind them, and the model. */
static void draw(unsigned long *map, bool *model, int n)
{
	for (int i = 0; i < BITS_TO_LONGS(MAX); i++)
		map[i] = port_random();
	for (int i = 0; i < n; i++)
		model[i] = test_bit(i, map);
}

static bool same(const unsigned long *map, const bool *model, int n)
{
	for (int i = 0; i < n; i++)
		if (test_bit(i, map) != model[i])
			return false;
	return true;
}

static void operations(struct ktap *t)
{
	DECLARE_BITMAP(a, MAX);
	DECLARE_BITMAP(b, MAX);
	DECLARE_BITMAP(d, MAX);
	bool x[MAX], y[MAX], z[MAX];
	int bad = 0;

	for (int round = 0; round < 400; round++) {
		int n = 1 + port_random() % (MAX - 1), weight = 0, both = 0, only = 0, differ = 0;

		draw(a, x, n);
		draw(b, y, n);
		if (round % 3 == 0)
			bitmap_copy(b, a, n), memcpy(y, x, sizeof(x));
		for (int i = 0; i < n; i++) {
			weight += x[i];
			both += x[i] && y[i];
			only += x[i] && !y[i];
			differ += x[i] != y[i];
		}
		bad += bitmap_weight(a, n) != weight || bitmap_empty(a, n) != !weight;
		bad += bitmap_full(a, n) != (weight == n);
		bad += bitmap_equal(a, b, n) != !differ || bitmap_subset(a, b, n) != !only;
		bad += bitmap_intersects(a, b, n) != !!both;
		bad += bitmap_and(d, a, b, n) != !!both || bitmap_weight(d, n) != both;
		bad += bitmap_andnot(d, a, b, n) != !!only || bitmap_weight(d, n) != only;
		bitmap_xor(d, a, b, n);
		bad += bitmap_weight(d, n) != differ;
		bitmap_or(d, a, b, n);
		for (int i = 0; i < n; i++)
			z[i] = x[i] || y[i];
		bad += !same(d, z, n);
		bitmap_complement(d, d, n);
		bad += bitmap_weight(d, n) + both + differ != n;
	}
	KT_EQ(t, bad, 0);
}

static void ranges_touch_no_neighbours(struct ktap *t)
{
	DECLARE_BITMAP(map, MAX);
	bool model[MAX];
	int bad = 0;

	for (int round = 0; round < 400; round++) {
		int start = port_random() % MAX, nr = port_random() % (MAX - start + 1);
		bool set = round & 1;

		draw(map, model, MAX);
		if (set)
			bitmap_set(map, start, nr);
		else
			bitmap_clear(map, start, nr);
		for (int i = start; i < start + nr; i++)
			model[i] = set;
		bad += !same(map, model, MAX);
	}
	KT_EQ(t, bad, 0);
}

static void areas(struct ktap *t)
{
	DECLARE_BITMAP(map, MAX);

	bitmap_zero(map, MAX);
	bitmap_set(map, 0, 3);
	bitmap_set(map, 70, 2);
	KT_EQ(t, bitmap_find_next_zero_area(map, MAX, 0, 1, 0), 3);
	KT_EQ(t, bitmap_find_next_zero_area(map, MAX, 0, 67, 0), 3);
	KT_EQ(t, bitmap_find_next_zero_area(map, MAX, 0, 68, 0), 72);
	KT_EQ(t, bitmap_find_next_zero_area(map, MAX, 0, 8, 7), 8);
	KT_EQ(t, bitmap_find_next_zero_area(map, MAX, 65, 8, 7), 72);
	KT_CHECK(t, bitmap_find_next_zero_area(map, MAX, 0, 129, 0) > MAX - 129);
	bitmap_fill(map, MAX);
	KT_CHECK(t, bitmap_find_next_zero_area(map, MAX, 0, 1, 0) > MAX - 1);
}

static void allocated(struct ktap *t)
{
	unsigned long *map __free(bitmap) = bitmap_zalloc(65, GFP_KERNEL);

	KT_ASSERT(t, map);
	KT_CHECK(t, bitmap_empty(map, 65));
	__set_bit(64, map);
	KT_EQ(t, bitmap_weight(map, 65), 1);
	KT_EQ(t, bitmap_weight(map, 64), 0);
}

KTAP_MAIN(KTAP_CASE(operations), KTAP_CASE(ranges_touch_no_neighbours), KTAP_CASE(areas),
	  KTAP_CASE(allocated))
