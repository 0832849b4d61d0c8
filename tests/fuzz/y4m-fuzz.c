/* SPDX-License-Identifier: MIT */
/*
 * y4m-fuzz.c - any bytes as a YUV4MPEG2 stream
 *
 * What is read whole is written and read again: it must be the same.  An error must have a text.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pipeline/y4m.h"

/* Streams of larger pictures are looked at as far as the header. */
#define FRAME_MAX (1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int holds, const char *what)
{
	if (!holds) {
		fprintf(stderr, "y4m-fuzz: %s\n", what);
		abort();
	}
}

/* A file that starts anew. */
static int empty(int *fd)
{
	if (*fd < 0)
		*fd = memfd_create("fuzz", MFD_CLOEXEC);
	must(*fd >= 0 && !ftruncate(*fd, 0) && lseek(*fd, 0, SEEK_SET) == 0, "no file");
	return *fd;
}

static void read_again(int fd, const uint8_t *frame, const char *tags,
		       const struct y4m_format *format)
{
	static struct y4m_reader again;
	static uint8_t copy[FRAME_MAX];
	char copied[Y4M_HEADER_BYTES];

	must(lseek(fd, 0, SEEK_SET) == 0, "seek");
	must(!y4m_open(&again, fd, "written"), again.error);
	must(again.format.width == format->width && again.format.height == format->height,
	     "another size");
	must(!strcmp(again.format.chroma, format->chroma), "another chroma");
	must(!strcmp(again.format.tags, format->tags), "other tags");
	must(y4m_read(&again, copy, copied) == 1, again.error);
	must(!memcmp(copy, frame, format->picture.bytes), "other bytes");
	must(!strcmp(copied, tags), "other frame tags");
	must(y4m_read(&again, copy, copied) == 0, "more than was written");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int in = -1, out = -1;
	static struct y4m_reader reader;
	static uint8_t frame[FRAME_MAX];
	char tags[Y4M_HEADER_BYTES];
	struct y4m_format half;
	int ret;

	empty(&in);
	must(pwrite(in, data, size, 0) == (ssize_t)size, "write");
	if (y4m_open(&reader, in, "input")) {
		must(reader.error[0], "an error without a text");
		return 0;
	}
	y4m_half(&reader.format, &half);
	if (reader.format.picture.bytes > FRAME_MAX)
		return 0;
	while ((ret = y4m_read(&reader, frame, tags)) == 1) {
		empty(&out);
		must(!y4m_write_header(out, &reader.format), "header not written");
		must(!y4m_write_frame(out, &reader.format, frame, tags), "frame not written");
		read_again(out, frame, tags, &reader.format);
	}
	must(!ret || reader.error[0], "an error without a text");
	return 0;
}
