/* SPDX-License-Identifier: MIT */
/*
 * y4m.c - YUV4MPEG2 streams
 *
 * Invariants
 *   Y1  reader->at counts the bytes handed out, so a message about the byte just read names at - 1.
 *   Y2  After y4m_open() reader->format has been checked: sizes in range, layout computed.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "pipeline/y4m.h"

#define MAGIC "YUV4MPEG2"
#define NOT_Y4M \
	"byte 0: not a YUV4MPEG2 stream (`ffmpeg -i FILE -f yuv4mpegpipe -` makes one of a video)"

static int fail(struct y4m_reader *reader, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static int fail(struct y4m_reader *reader, const char *fmt, ...)
{
	int used = snprintf(reader->error, sizeof(reader->error), "%s: ", reader->name);
	va_list args;

	if (used < 0 || (size_t)used >= sizeof(reader->error))
		return -1;
	va_start(args, fmt);
	vsnprintf(reader->error + used, sizeof(reader->error) - used, fmt, args);
	va_end(args);
	return -1;
}

/* --- bytes ------------------------------------------------------------------------------------ */

static ssize_t read_some(struct y4m_reader *reader, void *to, size_t bytes)
{
	ssize_t got;

	do
		got = read(reader->fd, to, bytes);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return fail(reader, "byte %llu: cannot read: %s", (unsigned long long)reader->at,
			    strerror(errno));
	return got;
}

/* Returns how many of @bytes there were, fewer only at the end; -1 with error. */
static ssize_t take(struct y4m_reader *reader, void *to, size_t bytes)
{
	size_t done = 0;

	while (done < bytes) {
		size_t ready = reader->end - reader->start;
		ssize_t got;

		if (ready) {
			size_t part = ready < bytes - done ? ready : bytes - done;

			memcpy((char *)to + done, reader->buffer + reader->start, part);
			reader->start += part;
			done += part;
			reader->at += part;
			continue;
		}
		if (bytes - done >= sizeof(reader->buffer)) {
			got = read_some(reader, (char *)to + done, bytes - done);
			if (got > 0) {
				done += got;
				reader->at += got;
			}
		} else {
			got = read_some(reader, reader->buffer, sizeof(reader->buffer));
			reader->start = 0;
			reader->end = got > 0 ? got : 0;
		}
		if (got < 0)
			return -1;
		if (!got)
			break;
	}
	return done;
}

/*
 * The rest of a line whose first @length bytes are in @line, without its newline.  Returns the
 * whole length; 0 with *@end at the stream's end before any byte; -1 with error.
 */
static ssize_t take_line(struct y4m_reader *reader, const char *what, char *line, size_t length,
			 bool *end)
{
	uint64_t start = reader->at - length;

	*end = false;
	for (;;) {
		char c;
		ssize_t got = take(reader, &c, 1);

		if (got < 0)
			return -1;
		if (!got) {
			if (length)
				return fail(reader, "byte %llu: the input ends within the %s",
					    (unsigned long long)reader->at, what);
			*end = true;
			line[0] = '\0';
			return 0;
		}
		if (c == '\n')
			break;
		if (c == '\0')
			return fail(reader, "byte %llu: a zero byte in the %s",
				    (unsigned long long)reader->at - 1, what);
		if (length == Y4M_HEADER_BYTES - 1)
			return fail(reader, "byte %llu: the %s has no newline within %d bytes",
				    (unsigned long long)start, what, Y4M_HEADER_BYTES);
		line[length++] = c;
	}
	line[length] = '\0';
	return length;
}

/* --- header ----------------------------------------------------------------------------------- */

/* By how much chroma planes are smaller; planes 1 for mono. */
struct chroma {
	const char *tag;
	unsigned int planes, across, down;
};

static const struct chroma chromas[] = {
	{ "420", 3, 2, 2 },      { "420jpeg", 3, 2, 2 }, { "420mpeg2", 3, 2, 2 },
	{ "420paldv", 3, 2, 2 }, { "411", 3, 4, 1 },     { "422", 3, 2, 1 },
	{ "444", 3, 1, 1 },      { "mono", 1, 1, 1 },
};

static const struct chroma *find_chroma(const char *tag)
{
	for (size_t i = 0; i < sizeof(chromas) / sizeof(*chromas); i++)
		if (!strcmp(chromas[i].tag, tag))
			return &chromas[i];
	return NULL;
}

static void lay_out(struct y4m_format *format)
{
	const struct chroma *chroma = find_chroma(format->chroma);

	format->picture = (struct picture){};
	picture_add_plane(&format->picture, format->width, format->height);
	for (unsigned int i = 1; i < chroma->planes; i++)
		picture_add_plane(&format->picture,
				  (format->width + chroma->across - 1) / chroma->across,
				  (format->height + chroma->down - 1) / chroma->down);
}

static int parse_side(struct y4m_reader *reader, const char *what, const char *tag, uint64_t at,
		      uint32_t *side)
{
	const char *digits = tag + 1;
	size_t length = strlen(digits);

	if (*side)
		return fail(reader, "byte %llu: the header gives the %s twice",
			    (unsigned long long)at, what);
	if (length && length < 10 && strspn(digits, "0123456789") == length)
		*side = strtoul(digits, NULL, 10);
	if (!*side || *side > Y4M_SIDE_MAX)
		return fail(reader, "byte %llu: '%s' is not a %s: 1 to %d", (unsigned long long)at,
			    tag, what, Y4M_SIDE_MAX);
	return 0;
}

static int parse_chroma(struct y4m_reader *reader, const char *tag, uint64_t at)
{
	struct y4m_format *format = &reader->format;

	if (format->chroma_given)
		return fail(reader, "byte %llu: the header gives the colour space twice",
			    (unsigned long long)at);
	if (!find_chroma(tag + 1))
		return fail(
			reader,
			"byte %llu: colour space '%s' is not supported: 8 bits of 420, 420jpeg, "
			"420mpeg2, 420paldv, 411, 422, 444 or mono",
			(unsigned long long)at, tag);
	strcpy(format->chroma, tag + 1);
	format->chroma_given = true;
	return 0;
}

/* A ratio or a mode says nothing of the layout, but a broken one says that the stream is broken. */
static bool tag_is_plausible(const char *tag)
{
	unsigned int first, second;
	int used = 0;

	switch (tag[0]) {
	case 'F':
	case 'A':
		return sscanf(tag + 1, "%9u:%9u%n", &first, &second, &used) == 2 && !tag[1 + used];
	case 'I':
		return strlen(tag) == 2 && strchr("ptbm?", tag[1]);
	default:
		return tag[0] == 'X';
	}
}

static int parse_tag(struct y4m_reader *reader, const char *tag, uint64_t at)
{
	struct y4m_format *format = &reader->format;

	switch (tag[0]) {
	case 'W':
		return parse_side(reader, "width", tag, at, &format->width);
	case 'H':
		return parse_side(reader, "height", tag, at, &format->height);
	case 'C':
		return parse_chroma(reader, tag, at);
	default:
		if (!tag_is_plausible(tag))
			return fail(reader, "byte %llu: '%s' is not a header tag",
				    (unsigned long long)at, tag);
		strcat(format->tags, " ");
		strcat(format->tags, tag);
		return 0;
	}
}

static int parse_header(struct y4m_reader *reader, char *line)
{
	struct y4m_format *format = &reader->format;
	char *tag = line + strlen(MAGIC);

	strcpy(format->chroma, "420");
	while (*tag) {
		char *next;

		*tag++ = '\0';
		next = tag + strcspn(tag, " ");
		if (next != tag) {
			char saved = *next;
			int ret;

			*next = '\0';
			ret = parse_tag(reader, tag, tag - line);
			if (ret)
				return ret;
			*next = saved;
		}
		tag = next;
	}
	if (!format->width || !format->height)
		return fail(reader, "byte 0: the header gives no %s",
			    format->width ? "height (H)" : "width (W)");
	lay_out(format);
	return 0;
}

int y4m_open(struct y4m_reader *reader, int fd, const char *name)
{
	char line[Y4M_HEADER_BYTES] = "";
	ssize_t length;
	bool end;

	memset(reader, 0, offsetof(struct y4m_reader, buffer));
	reader->fd = fd;
	reader->name = name;
	length = take(reader, line, strlen(MAGIC));
	if (length < 0)
		return -1;
	if (!length)
		return fail(reader, "byte 0: the input is empty");
	if (strcmp(line, MAGIC))
		return fail(reader, NOT_Y4M);
	length = take_line(reader, "header", line, length, &end);
	if (length < 0)
		return -1;
	if (line[strlen(MAGIC)] != '\0' && line[strlen(MAGIC)] != ' ')
		return fail(reader, NOT_Y4M);
	return parse_header(reader, line);
}

/* --- frames ----------------------------------------------------------------------------------- */

/* Mixed interlacing is said with each frame; an X describes a picture that is no more. */
static void keep_interlacing(const char *parameters, char *tags)
{
	*tags = '\0';
	while (*parameters) {
		size_t length = 1 + strcspn(parameters + 1, " ");

		if (parameters[1] == 'I')
			tags = mempcpy(tags, parameters, length);
		parameters += length;
	}
	*tags = '\0';
}

int y4m_read(struct y4m_reader *reader, uint8_t *frame, char *tags)
{
	size_t bytes = reader->format.picture.bytes;
	uint64_t start = reader->at;
	char line[Y4M_HEADER_BYTES];
	ssize_t got;
	bool end;

	got = take_line(reader, "frame line", line, 0, &end);
	if (got < 0)
		return -1;
	if (end)
		return 0;
	if (strncmp(line, "FRAME", 5) || (line[5] && line[5] != ' '))
		return fail(reader, "byte %llu: frame %llu does not start with FRAME",
			    (unsigned long long)start, (unsigned long long)reader->frames);
	got = take(reader, frame, bytes);
	if (got < 0)
		return -1;
	if ((size_t)got < bytes)
		return fail(reader,
			    "byte %llu: the input ends after %zu of the %zu bytes of frame %llu",
			    (unsigned long long)reader->at, (size_t)got, bytes,
			    (unsigned long long)reader->frames);
	keep_interlacing(line + 5, tags);
	reader->frames++;
	return 1;
}

void y4m_half(const struct y4m_format *from, struct y4m_format *half)
{
	*half = *from;
	half->width = (from->width + 1) / 2;
	half->height = (from->height + 1) / 2;
	lay_out(half);
}

static int write_all(int fd, struct iovec *part, int parts)
{
	while (parts) {
		ssize_t wrote = writev(fd, part, parts);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote < 0)
			return -errno;
		while (parts && (size_t)wrote >= part->iov_len) {
			wrote -= part->iov_len;
			part++;
			parts--;
		}
		if (parts) {
			part->iov_base = (char *)part->iov_base + wrote;
			part->iov_len -= wrote;
		}
	}
	return 0;
}

int y4m_write_header(int fd, const struct y4m_format *format)
{
	char line[2 * Y4M_HEADER_BYTES];
	int length = snprintf(line, sizeof(line), MAGIC " W%u H%u%s%s%s\n", format->width,
			      format->height, format->tags, format->chroma_given ? " C" : "",
			      format->chroma_given ? format->chroma : "");
	struct iovec part = { .iov_base = line, .iov_len = length };

	return write_all(fd, &part, 1);
}

int y4m_write_frame(int fd, const struct y4m_format *format, const uint8_t *frame, const char *tags)
{
	char line[Y4M_HEADER_BYTES + 8];
	int length = snprintf(line, sizeof(line), "FRAME%s\n", tags);
	struct iovec part[] = {
		{ .iov_base = line, .iov_len = length },
		{ .iov_base = (void *)frame, .iov_len = format->picture.bytes },
	};

	return write_all(fd, part, 2);
}
