/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "pipeline/filters.h"
#include "tests/ktap.h"

#define SIDE_MOST 40

static uint8_t from[3 * SIDE_MOST * SIDE_MOST], to[3 * SIDE_MOST * SIDE_MOST];

static struct picture plane_of(uint32_t width, uint32_t height)
{
	struct picture picture = {};

	picture_add_plane(&picture, width, height);
	return picture;
}

static void fill(uint32_t seed, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		seed = seed * 1664525 + 1013904223;
		/* Often the extremes, where clamping happens. */
		from[i] = seed >> 30 ? seed >> 16 : seed & 1 << 20 ? 255 : 0;
	}
}

static void sharpen_by_hand(struct ktap *t)
{
	static const uint8_t in[] = { 10, 10, 10, 10, 50, 10, 10, 10, 10 };
	static const uint8_t want[] = { 10, 0, 10, 0, 90, 0, 10, 0, 10 };
	struct picture picture = plane_of(3, 3);

	filter_sharpen(&picture, in, to);
	KT_CHECK(t, !memcmp(to, want, sizeof(want)));
}

static void sharpen_leaves_flat_pictures(struct ktap *t)
{
	for (int value = 0; value < 256; value++) {
		struct picture picture = plane_of(5, 4);

		memset(from, value, picture.bytes);
		filter_sharpen(&picture, from, to);
		KT_CHECK(t, !memcmp(from, to, picture.bytes));
	}
}

/* The same filter in real numbers: a byte plus how far it stands out from its neighbours' mean. */
static int sharpened(uint32_t width, uint32_t height, int x, int y)
{
	static const int step[4][2] = { { 0, -1 }, { 0, 1 }, { -1, 0 }, { 1, 0 } };
	double here = from[y * width + x], mean = 0, value;

	for (int i = 0; i < 4; i++) {
		int nx = x + step[i][0], ny = y + step[i][1];
		bool outside = nx < 0 || ny < 0 || nx == (int)width || ny == (int)height;

		mean += (outside ? here : from[ny * width + nx]) / 4.0;
	}
	value = here + (here - mean);
	return value < 0 ? 0 : value > 255 ? 255 : (int)(value + 0.5);
}

static void sharpen_in_real_numbers(struct ktap *t)
{
	for (uint32_t width = 1; width <= SIDE_MOST; width += 3)
		for (uint32_t height = 1; height <= SIDE_MOST; height += 5) {
			struct picture picture = plane_of(width, height);
			size_t wrong = 0;

			fill(width * 100 + height, picture.bytes);
			filter_sharpen(&picture, from, to);
			for (uint32_t y = 0; y < height; y++)
				for (uint32_t x = 0; x < width; x++)
					wrong +=
						to[y * width + x] != sharpened(width, height, x, y);
			KT_EQ(t, wrong, 0);
		}
}

static void half_by_hand(struct ktap *t)
{
	static const uint8_t in[] = { 1, 2, 9, 3, 4, 9, 100, 101, 255 };
	/* (1+2+3+4+2)/4, (9+9+9+9+2)/4, (100+101 twice +2)/4, 255 alone */
	static const uint8_t want[] = { 3, 9, 101, 255 };
	struct picture picture = plane_of(3, 3);

	filter_half(&picture, in, to);
	KT_CHECK(t, !memcmp(to, want, sizeof(want)));
}

/* Nearest bytes stand in evenly, so the formula is the mean of those of the four that exist. */
static int halved(uint32_t width, uint32_t height, uint32_t x, uint32_t y)
{
	double sum = 0;
	int count = 0;

	for (uint32_t i = 0; i < 4; i++) {
		uint32_t sx = 2 * x + (i & 1), sy = 2 * y + i / 2;

		if (sx >= width || sy >= height)
			continue;
		sum += from[sy * width + sx];
		count++;
	}
	return (int)(sum / count + 0.5);
}

static void half_in_real_numbers(struct ktap *t)
{
	for (uint32_t width = 1; width <= SIDE_MOST; width += 3)
		for (uint32_t height = 1; height <= SIDE_MOST; height += 5) {
			struct picture picture = plane_of(width, height);
			uint32_t out_width = (width + 1) / 2, out_height = (height + 1) / 2;
			size_t wrong = 0;

			fill(width * 100 + height, picture.bytes);
			filter_half(&picture, from, to);
			for (uint32_t y = 0; y < out_height; y++)
				for (uint32_t x = 0; x < out_width; x++)
					wrong += to[y * out_width + x] !=
						 halved(width, height, x, y);
			KT_EQ(t, wrong, 0);
		}
}

static void planes_do_not_mix(struct ktap *t)
{
	struct picture picture = plane_of(4, 4), half;

	picture_add_plane(&picture, 2, 2);
	picture_add_plane(&picture, 2, 2);
	memset(from, 50, 16);
	memset(from + 16, 100, 4);
	memset(from + 20, 200, 4);
	filter_sharpen(&picture, from, to);
	KT_CHECK(t, !memcmp(from, to, picture.bytes));
	filter_half(&picture, from, to);
	picture_half(&picture, &half);
	KT_EQ(t, half.bytes, 6);
	KT_CHECK(t, to[0] == 50 && to[3] == 50 && to[4] == 100 && to[5] == 200);
}

static void numbers_differ_and_stay_in_their_box(struct ktap *t)
{
	struct picture picture = plane_of(40, 40);
	uint8_t last[40 * 40] = {};

	for (unsigned long long number = 0; number < 130; number++) {
		struct number_box box = filter_number_box(&picture, number);
		size_t outside = 0;

		memset(to, 77, picture.bytes);
		filter_draw_number(&picture, number, to);
		for (uint32_t y = 0; y < 40; y++)
			for (uint32_t x = 0; x < 40; x++)
				if (x < box.x || x - box.x >= box.width || y < box.y ||
				    y - box.y >= box.height)
					outside += to[y * 40 + x] != 77;
		KT_EQ(t, outside, 0);
		KT_CHECK(t, memcmp(to, last, sizeof(last)));
		memcpy(last, to, sizeof(last));
	}
}

/* Drawn in one go or line by line in pieces, as over pages: the same. */
static void pieces_make_the_whole(struct ktap *t)
{
	static const uint32_t sides[][2] = { { 1, 1 }, { 3, 2 }, { 40, 9 }, { 7, 40 }, { 40, 40 } };
	static uint8_t whole[SIDE_MOST * SIDE_MOST];

	for (size_t i = 0; i < sizeof(sides) / sizeof(*sides); i++) {
		struct picture picture = plane_of(sides[i][0], sides[i][1]);
		struct number_box box = filter_number_box(&picture, 18446744073709551615ULL);

		memset(whole, 1, picture.bytes);
		memset(to, 1, picture.bytes);
		filter_draw_number(&picture, box.number, whole);
		KT_CHECK(t, box.x + box.width <= sides[i][0] && box.y + box.height <= sides[i][1]);
		for (uint32_t y = 0; y < sides[i][1]; y++)
			for (uint32_t x = 0; x < sides[i][0]; x += 3) {
				uint32_t left = sides[i][0] - x;

				filter_draw_line(&box, y, to + y * sides[i][0] + x, x,
						 left < 3 ? left : 3);
			}
		KT_CHECK(t, !memcmp(to, whole, picture.bytes));
	}
}

KTAP_MAIN(KTAP_CASE(sharpen_by_hand), KTAP_CASE(sharpen_leaves_flat_pictures),
	  KTAP_CASE(sharpen_in_real_numbers), KTAP_CASE(half_by_hand),
	  KTAP_CASE(half_in_real_numbers), KTAP_CASE(planes_do_not_mix),
	  KTAP_CASE(numbers_differ_and_stay_in_their_box), KTAP_CASE(pieces_make_the_whole))
