/* SPDX-License-Identifier: MIT */
/*
 * picture.h - how a picture lies in a buffer
 *
 * Up to three planes of bytes, one after the other from the buffer's first byte, rows without
 * padding.  A plane's row is what the devices call a line: the unit of their DMA.
 *
 * Deliberately not here: what the planes mean.  Filters treat each by itself.
 */
#ifndef DRIVERS_PICTURE_H
#define DRIVERS_PICTURE_H

#include <linux/types.h>

#define PICTURE_PLANES 3

struct picture_plane {
	size_t offset; /* bytes from the picture's start */
	u32 width;     /* bytes in a row, at least 1 */
	u32 height;    /* rows, at least 1 */
};

struct picture {
	unsigned int planes;
	struct picture_plane plane[PICTURE_PLANES];
	size_t bytes;
};

/*
 * What a device keeps of one job for whoever looks for the first wrong byte: each NULL, or room for
 * the whole picture in the same layout.  The owner leaves it alone until the job's fence has
 * signaled.
 */
struct device_tap {
	u8 *read;  /* as the device found it in memory */
	u8 *wrote; /* as the device sent it to memory */
};

/** picture_line - where row @y of plane @plane starts, bytes from the picture's start */
static inline size_t picture_line(const struct picture_plane *plane, u32 y)
{
	return plane->offset + (size_t)y * plane->width;
}

/** picture_add_plane - append a plane of @width x @height bytes; the caller knows that it fits */
static inline void picture_add_plane(struct picture *picture, u32 width, u32 height)
{
	picture->plane[picture->planes++] = (struct picture_plane){
		.offset = picture->bytes,
		.width = width,
		.height = height,
	};
	picture->bytes += (size_t)width * height;
}

/** picture_half - the layout of @from scaled to half; odd sizes round up, so nothing vanishes */
static inline void picture_half(const struct picture *from, struct picture *half)
{
	*half = (struct picture){};
	for (unsigned int i = 0; i < from->planes; i++)
		picture_add_plane(half, (from->plane[i].width + 1) / 2,
				  (from->plane[i].height + 1) / 2);
}

/** picture_widest - the longest row of any plane, bytes */
static inline u32 picture_widest(const struct picture *picture)
{
	u32 widest = 0;

	for (unsigned int i = 0; i < picture->planes; i++)
		if (picture->plane[i].width > widest)
			widest = picture->plane[i].width;
	return widest;
}

#endif
