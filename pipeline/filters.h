/* SPDX-License-Identifier: MIT */
/*
 * filters.h - what the pipeline does to a picture, on the plain CPU
 *
 * The reference that the devices' output is compared with, and the CPU's own stage.  Written from
 * the formulas in drivers/importers/isp.h and gpu.h pixel by pixel, sharing no code with the
 * devices.
 */
#ifndef PIPELINE_FILTERS_H
#define PIPELINE_FILTERS_H

#include <stdint.h>

#include "drivers/picture.h"

/** filter_sharpen - @to is @from sharpened; they must not overlap */
void filter_sharpen(const struct picture *picture, const uint8_t *from, uint8_t *to);

/** filter_half - @to, laid out as picture_half(@picture), is @from scaled to half */
void filter_half(const struct picture *picture, const uint8_t *from, uint8_t *to);

/*
 * The frame number: its digits in white on a black box in the upper left corner of the first plane,
 * about a tenth of the picture's height; whatever does not fit is cut off.
 */
struct number_box {
	unsigned long long number;
	uint32_t scale;         /* plane bytes to a dot of the font */
	uint32_t x, y;          /* its corner in the first plane */
	uint32_t width, height; /* cut to the plane; 0 if nothing of it fits */
};

/** filter_number_box - where frame @number's digits go in @picture */
struct number_box filter_number_box(const struct picture *picture, unsigned long long number);

/**
 * filter_draw_line - draw the part of @box that lies in line @y of the first plane
 * @line: the bytes [@x, @x + @bytes) of that line; others are not touched
 */
void filter_draw_line(const struct number_box *box, uint32_t y, uint8_t *line, uint32_t x,
		      uint32_t bytes);

/** filter_draw_number - draw all of it into a picture in memory */
void filter_draw_number(const struct picture *picture, unsigned long long number, uint8_t *frame);

#endif
