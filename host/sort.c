/* SPDX-License-Identifier: MIT */
/*
 * sort.c - heapsort: no memory of its own, and no order that makes it slow
 *
 * Invariant, within sort_r(): elements at and behind the heap's end are in their final place.
 */
#include <linux/sort.h>
#include <linux/string.h>

struct sorting {
	char *base;
	size_t size;
	cmp_r_func_t cmp;
	swap_r_func_t swap; /* NULL: bytes */
	const void *priv;
};

static void *element(const struct sorting *s, size_t i)
{
	return s->base + i * s->size;
}

static void exchange(const struct sorting *s, size_t i, size_t j)
{
	char *a = element(s, i), *b = element(s, j);

	if (s->swap) {
		(s->swap)(a, b, (int)s->size, s->priv);
		return;
	}
	for (size_t n = s->size; n--; a++, b++) {
		char c = *a;

		*a = *b;
		*b = c;
	}
}

/* Element @i sinks in the heap of @n until none below it is greater. */
static void sink(const struct sorting *s, size_t i, size_t n)
{
	size_t below;

	while ((below = 2 * i + 1) < n) {
		if (below + 1 < n && s->cmp(element(s, below), element(s, below + 1), s->priv) < 0)
			below++;
		if (s->cmp(element(s, i), element(s, below), s->priv) >= 0)
			return;
		exchange(s, i, below);
		i = below;
	}
}

void sort_r(void *base, size_t num, size_t size, cmp_r_func_t cmp, swap_r_func_t swap,
	    const void *priv)
{
	const struct sorting s = {
		.base = base, .size = size, .cmp = cmp, .swap = swap, .priv = priv
	};

	for (size_t i = num / 2; i--;)
		sink(&s, i, num);
	while (num > 1) {
		exchange(&s, 0, --num);
		sink(&s, 0, num);
	}
}

struct without_priv {
	cmp_func_t cmp;
	swap_func_t swap;
};

static int cmp_without(const void *a, const void *b, const void *priv)
{
	return ((const struct without_priv *)priv)->cmp(a, b);
}

static void swap_without(void *a, void *b, int size, const void *priv)
{
	(((const struct without_priv *)priv)->swap)(a, b, size);
}

void sort(void *base, size_t num, size_t size, cmp_func_t cmp, swap_func_t swap)
{
	const struct without_priv priv = { .cmp = cmp, .swap = swap };

	sort_r(base, num, size, cmp_without, swap ? swap_without : NULL, &priv);
}
