/* SPDX-License-Identifier: MIT */
/*
 * filters.c - what the pipeline does to a picture, on the plain CPU
 */
#include <stdio.h>
#include <string.h>

#include "pipeline/filters.h"

#define FONT_WIDTH 5
#define FONT_HEIGHT 7
#define BLACK 16
#define WHITE 235

/* A digit's rows from the top; bit 4 is the leftmost dot. */
static const uint8_t font[10][FONT_HEIGHT] = {
	{ 0x0e, 0x11, 0x13, 0x15, 0x19, 0x11, 0x0e }, { 0x04, 0x0c, 0x04, 0x04, 0x04, 0x04, 0x0e },
	{ 0x0e, 0x11, 0x01, 0x06, 0x08, 0x10, 0x1f }, { 0x1f, 0x02, 0x04, 0x02, 0x01, 0x11, 0x0e },
	{ 0x02, 0x06, 0x0a, 0x12, 0x1f, 0x02, 0x02 }, { 0x1f, 0x10, 0x1e, 0x01, 0x01, 0x11, 0x0e },
	{ 0x06, 0x08, 0x10, 0x1e, 0x11, 0x11, 0x0e }, { 0x1f, 0x01, 0x02, 0x04, 0x08, 0x08, 0x08 },
	{ 0x0e, 0x11, 0x11, 0x0e, 0x11, 0x11, 0x0e }, { 0x0e, 0x11, 0x11, 0x0f, 0x01, 0x02, 0x0c },
};

/* The byte at (@x, @y), or the plane's nearest one. */
static int pixel(const struct picture_plane *plane, const uint8_t *frame, int64_t x, int64_t y)
{
	x = x < 0 ? 0 : x >= plane->width ? plane->width - 1 : x;
	y = y < 0 ? 0 : y >= plane->height ? plane->height - 1 : y;
	return frame[plane->offset + (size_t)y * plane->width + x];
}

static uint8_t sharpened(const struct picture_plane *plane, const uint8_t *frame, int64_t x,
			 int64_t y)
{
	int around = pixel(plane, frame, x, y - 1) + pixel(plane, frame, x, y + 1) +
		     pixel(plane, frame, x - 1, y) + pixel(plane, frame, x + 1, y);
	int value = 8 * pixel(plane, frame, x, y) - around + 2;

	if (value < 0)
		return 0;
	value /= 4;
	return value > 255 ? 255 : value;
}

void filter_sharpen(const struct picture *picture, const uint8_t *from, uint8_t *to)
{
	for (unsigned int i = 0; i < picture->planes; i++) {
		const struct picture_plane *plane = &picture->plane[i];

		for (uint32_t y = 0; y < plane->height; y++)
			for (uint32_t x = 0; x < plane->width; x++)
				to[plane->offset + (size_t)y * plane->width + x] =
					sharpened(plane, from, x, y);
	}
}

void filter_half(const struct picture *picture, const uint8_t *from, uint8_t *to)
{
	struct picture half;

	picture_half(picture, &half);
	for (unsigned int i = 0; i < half.planes; i++) {
		const struct picture_plane *plane = &picture->plane[i], *out = &half.plane[i];

		for (uint32_t y = 0; y < out->height; y++)
			for (uint32_t x = 0; x < out->width; x++) {
				int sum = pixel(plane, from, 2 * x, 2 * y) +
					  pixel(plane, from, 2 * x + 1, 2 * y) +
					  pixel(plane, from, 2 * x, 2 * y + 1) +
					  pixel(plane, from, 2 * x + 1, 2 * y + 1);

				to[out->offset + (size_t)y * out->width + x] = (sum + 2) / 4;
			}
	}
}

static unsigned int digits_of(unsigned long long number, char digits[24])
{
	return snprintf(digits, 24, "%llu", number);
}

static uint32_t at_most(uint64_t value, uint32_t limit)
{
	return value < limit ? value : limit;
}

struct number_box filter_number_box(const struct picture *picture, unsigned long long number)
{
	const struct picture_plane *plane = &picture->plane[0];
	uint32_t scale = plane->height / 80 ? plane->height / 80 : 1;
	/* A picture too small for a margin still shows something. */
	uint32_t margin = plane->height >= 4 * FONT_HEIGHT ? 2 * scale : 0;
	struct number_box box = {
		.number = number,
		.scale = scale,
		.x = at_most(margin, plane->width - 1),
		.y = margin,
	};
	char digits[24];

	/* A dot of black on every side, and one between two digits. */
	box.width = at_most((uint64_t)scale * (digits_of(number, digits) * (FONT_WIDTH + 1) + 1),
			    plane->width - box.x);
	box.height = at_most((uint64_t)scale * (FONT_HEIGHT + 2), plane->height - box.y);
	return box;
}

/* Is there a dot at (@x, @y) of the box, counted in dots? */
static int is_dot(const char *digits, uint32_t x, uint32_t y)
{
	uint32_t column = x % (FONT_WIDTH + 1);

	if (!column || !y || y > FONT_HEIGHT)
		return 0;
	return font[digits[x / (FONT_WIDTH + 1)] - '0'][y - 1] >> (FONT_WIDTH - column) & 1;
}

void filter_draw_line(const struct number_box *box, uint32_t y, uint8_t *line, uint32_t x,
		      uint32_t bytes)
{
	char digits[24];

	if (y < box->y || y - box->y >= box->height)
		return;
	digits_of(box->number, digits);
	for (uint32_t i = 0; i < bytes; i++) {
		uint32_t column = x + i - box->x;

		if (x + i < box->x || column >= box->width)
			continue;
		line[i] = is_dot(digits, column / box->scale, (y - box->y) / box->scale) ? WHITE
											 : BLACK;
	}
}

void filter_draw_number(const struct picture *picture, unsigned long long number, uint8_t *frame)
{
	struct number_box box = filter_number_box(picture, number);

	for (uint32_t y = box.y; y < box.y + box.height; y++)
		filter_draw_line(&box, y, frame + picture_line(&picture->plane[0], y), 0,
				 picture->plane[0].width);
}
