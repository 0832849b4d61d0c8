/* SPDX-License-Identifier: MIT */
/*
 * view.c - pictures to look at: PNG files
 */
#include <errno.h>
#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/view.h"

#define BAR_PIXELS 8
#define HEIGHT_LEAST 256 /* dots in the file; fewer are hard to see */
#define RGB 3

/* Two pictures, as large as they are shown. */
struct view {
	const struct y4m_format *format;
	const uint8_t *left, *right;
	uint32_t zoom, width, height;
};

static uint8_t clamp(int value)
{
	return value < 0 ? 0 : value > 255 ? 255 : value;
}

/* A plane may be smaller than the picture: the nearest of its bytes. */
static int sample(const struct y4m_format *format, const uint8_t *frame, unsigned int plane,
		  uint32_t x, uint32_t y)
{
	const struct picture_plane *from = &format->picture.plane[plane];
	size_t column = (uint64_t)x * from->width / format->width;
	size_t line = (uint64_t)y * from->height / format->height;

	return frame[from->offset + line * from->width + column];
}

static void to_rgb(const struct y4m_format *format, const uint8_t *frame, uint32_t x, uint32_t y,
		   uint8_t *rgb)
{
	int luma = 298 * (sample(format, frame, 0, x, y) - 16) + 128, cb = 0, cr = 0;

	if (format->picture.planes == 3) {
		cb = sample(format, frame, 1, x, y) - 128;
		cr = sample(format, frame, 2, x, y) - 128;
	}
	rgb[0] = clamp((luma + 409 * cr) / 256);
	rgb[1] = clamp((luma - 100 * cb - 208 * cr) / 256);
	rgb[2] = clamp((luma + 516 * cb) / 256);
}

static void fill_row(const struct view *view, uint32_t y, uint8_t *row)
{
	uint8_t *right = row + (size_t)RGB * (view->width + BAR_PIXELS);

	for (uint32_t x = 0; x < view->width; x++) {
		to_rgb(view->format, view->left, x / view->zoom, y / view->zoom,
		       row + (size_t)RGB * x);
		to_rgb(view->format, view->right, x / view->zoom, y / view->zoom,
		       right + (size_t)RGB * x);
	}
	memset(row + (size_t)RGB * view->width, 255, RGB * BAR_PIXELS);
}

/* libpng jumps back here when it fails, so nothing changes after setjmp() that is needed then. */
static int write_png(FILE *file, png_structp png, png_infop info, const struct view *view,
		     uint8_t *row)
{
	if (setjmp(png_jmpbuf(png)))
		return errno ? -errno : -EIO;
	png_init_io(png, file);
	png_set_IHDR(png, info, 2 * view->width + BAR_PIXELS, view->height, 8, PNG_COLOR_TYPE_RGB,
		     PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
	png_write_info(png, info);
	for (uint32_t y = 0; y < view->height; y++) {
		fill_row(view, y, row);
		png_write_row(png, row);
	}
	png_write_end(png, NULL);
	return 0;
}

/* What went wrong reaches the user as an errno; libpng need not print. */
static void silent_error(png_structp png, png_const_charp text)
{
	longjmp(png_jmpbuf(png), 1);
}

static void silent_warning(png_structp png, png_const_charp text)
{
}

int view_write_pair(const char *path, const struct y4m_format *format, const uint8_t *left,
		    const uint8_t *right)
{
	uint32_t zoom = format->height < HEIGHT_LEAST ? HEIGHT_LEAST / format->height : 1;
	const struct view view = {
		.format = format,
		.left = left,
		.right = right,
		.zoom = zoom,
		.width = zoom * format->width,
		.height = zoom * format->height,
	};
	uint8_t *row = malloc((size_t)RGB * (2 * (size_t)view.width + BAR_PIXELS));
	FILE *file = fopen(path, "wb");
	int ret = file ? -ENOMEM : -errno;
	png_structp png = NULL;
	png_infop info = NULL;

	if (file && row)
		png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, silent_error,
					      silent_warning);
	if (png)
		info = png_create_info_struct(png);
	if (info) {
		errno = 0;
		ret = write_png(file, png, info, &view, row);
	}
	png_destroy_write_struct(&png, &info);
	if (file && fclose(file) && !ret)
		ret = -errno;
	free(row);
	return ret;
}
