/* SPDX-License-Identifier: MIT */
/*
 * y4m.h - YUV4MPEG2 streams: uncompressed video as tools exchange it
 *
 *	YUV4MPEG2 W176 H144 F25:1 Ip A1:1 C420jpeg Xanything\n
 *	FRAME [parameters]\n  followed by the planes Y, Cb, Cr, rows without padding
 *
 * 8 bits; 4:2:0 in all its sitings, 4:1:1, 4:2:2, 4:4:4, mono; any size; odd sizes round chroma up.
 * Tags that say nothing of the layout (rate, interlacing, aspect, X) are passed on as they came.
 *
 * Every error is a line of text that says what is wrong and at which byte of the stream.
 *
 * Deliberately not here: more than 8 bits, alpha, seeking.
 */
#ifndef PIPELINE_Y4M_H
#define PIPELINE_Y4M_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/picture.h"

#define Y4M_HEADER_BYTES 1024 /* the longest header or frame line, with its newline */
#define Y4M_SIDE_MAX 32768    /* the largest width or height */
#define Y4M_ERROR_BYTES 512

struct y4m_format {
	uint32_t width, height; /* pixels */
	char chroma[16];        /* the C tag's value; "420" when there was none */
	bool chroma_given;
	char tags[Y4M_HEADER_BYTES]; /* the other tags in order, each with a space before it */
	struct picture picture;
};

struct y4m_reader {
	int fd;
	const char *name; /* for messages */
	uint64_t at;      /* the stream's byte that comes next */
	uint64_t frames;  /* read whole so far */
	struct y4m_format format;
	char error[Y4M_ERROR_BYTES];

	/* read but not yet looked at: buffer[start .. end) */
	size_t start, end;
	uint8_t buffer[65536];
};

/**
 * y4m_open - read the header
 * @fd: stays the caller's; @name: for messages, must live as long as the reader
 *
 * Returns 0, or -1 and then reader->error says why.
 */
int y4m_open(struct y4m_reader *reader, int fd, const char *name);

/**
 * y4m_read - the next frame
 * @frame: room for format.picture.bytes
 * @tags: room for Y4M_HEADER_BYTES, gets the I parameters of its line, each with a space before it
 *
 * Returns 1; 0 at the end of the stream; -1 and reader->error: a bad frame line, an unreadable or
 * truncated stream.
 */
int y4m_read(struct y4m_reader *reader, uint8_t *frame, char *tags);

/** y4m_half - the format of @from scaled to half */
void y4m_half(const struct y4m_format *from, struct y4m_format *half);

/**
 * y4m_write_header, y4m_write_frame - write to @fd, a pipe or a file
 * @tags: as y4m_read() gave them
 *
 * Returns 0 or -errno.
 */
int y4m_write_header(int fd, const struct y4m_format *format);
int y4m_write_frame(int fd, const struct y4m_format *format, const uint8_t *frame,
		    const char *tags);

#endif
