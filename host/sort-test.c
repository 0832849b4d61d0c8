/* SPDX-License-Identifier: MIT */
/* Sorting, against the C library's. */
#include <stdlib.h>
#include <linux/kernel.h>
#include <linux/sort.h>
#include <linux/string.h>
#include "host/port.h"
#include "tests/ktap.h"

static int compared, exchanged;

static int cmp_int(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	compared++;
	return x < y ? -1 : x > y;
}

static int cmp_down(const void *a, const void *b, const void *sign)
{
	return *(const int *)sign * cmp_int(a, b);
}

static void swap_int(void *a, void *b, int size)
{
	swap(*(int *)a, *(int *)b);
	exchanged += size;
}

static void as_the_c_library(struct ktap *t)
{
	int a[200], b[200], bad = 0;

	for (int n = 0; n <= ARRAY_SIZE(a); n++) {
		for (int i = 0; i < n; i++)
			a[i] = b[i] = port_random() % (n + 1);
		sort(a, n, sizeof(*a), cmp_int, NULL);
		qsort(b, n, sizeof(*b), cmp_int);
		bad += memcmp(a, b, n * sizeof(*a)) != 0;
	}
	KT_EQ(t, bad, 0);
}

static int cmp_text(const void *a, const void *b)
{
	return memcmp(a, b, 3);
}

static void odd_sizes_keep_their_bytes(struct ktap *t)
{
	char text[] = "c3pb2oa1n";

	sort(text, 3, 3, cmp_text, NULL);
	KT_CHECK(t, !strcmp(text, "a1nb2oc3p"));
}

static void functions_of_the_caller(struct ktap *t)
{
	int a[] = { 2, 9, 4, 7 }, sign = -1;

	exchanged = 0;
	sort(a, 4, sizeof(*a), cmp_int, swap_int);
	KT_CHECK(t, a[0] == 2 && a[1] == 4 && a[2] == 7 && a[3] == 9);
	KT_CHECK(t, exchanged >= (int)sizeof(int) && exchanged % sizeof(int) == 0);
	sort_r(a, 4, sizeof(*a), cmp_down, NULL, &sign);
	KT_CHECK(t, a[0] == 9 && a[1] == 7 && a[2] == 4 && a[3] == 2);
}

static void no_order_is_slow(struct ktap *t)
{
	enum { N = 4096 };
	static int a[N];

	for (int kind = 0; kind < 3; kind++) {
		for (int i = 0; i < N; i++)
			a[i] = kind == 0 ? i : kind == 1 ? N - i : 1;
		compared = 0;
		sort(a, N, sizeof(*a), cmp_int, NULL);
		KT_CHECK(t, compared <= 2 * N * 12);
	}
}

KTAP_MAIN(KTAP_CASE(as_the_c_library), KTAP_CASE(odd_sizes_keep_their_bytes),
	  KTAP_CASE(functions_of_the_caller), KTAP_CASE(no_order_is_slow))
