/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pipeline/y4m.h"
#include "tests/ktap.h"

static struct y4m_reader reader;

/* The stream as a file that stands at its start. */
static int stream(const void *bytes, size_t count)
{
	int fd = memfd_create("y4m-test", 0);

	if (fd < 0 || write(fd, bytes, count) != (ssize_t)count || lseek(fd, 0, SEEK_SET))
		abort();
	return fd;
}

static int open_text(const char *text)
{
	int fd = stream(text, strlen(text));
	int ret = y4m_open(&reader, fd, "in.y4m");

	close(fd);
	return ret;
}

static void good_headers(struct ktap *t)
{
	static const struct {
		const char *text;
		uint32_t width, height;
		size_t bytes;
		const char *chroma, *tags;
	} good[] = {
		{ "YUV4MPEG2 W4 H2\n", 4, 2, 12, "420", "" },
		{ "YUV4MPEG2 H2 W4 F25:1 Ip A1:1 C420jpeg XYSCSS=420JPEG\n", 4, 2, 12, "420jpeg",
		  " F25:1 Ip A1:1 XYSCSS=420JPEG" },
		{ "YUV4MPEG2 W5 H3 C420mpeg2 It\n", 5, 3, 15 + 2 * 6, "420mpeg2", " It" },
		{ "YUV4MPEG2 W5 H3 C420paldv\n", 5, 3, 27, "420paldv", "" },
		{ "YUV4MPEG2 W5 H3 C411\n", 5, 3, 15 + 2 * 6, "411", "" },
		{ "YUV4MPEG2 W5 H3 C422\n", 5, 3, 15 + 2 * 9, "422", "" },
		{ "YUV4MPEG2 W5 H3 C444\n", 5, 3, 45, "444", "" },
		{ "YUV4MPEG2 W5 H3 Cmono\n", 5, 3, 15, "mono", "" },
		{ "YUV4MPEG2  W1  H1  C420 \n", 1, 1, 3, "420", "" },
		{ "YUV4MPEG2 W32768 H1 Cmono F0:0 A0:0 I?\n", 32768, 1, 32768, "mono",
		  " F0:0 A0:0 I?" },
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		if (!KT_CHECK(t, !open_text(good[i].text))) {
			fprintf(stderr, "# %s: %s\n", good[i].text, reader.error);
			continue;
		}
		KT_EQ(t, reader.format.width, good[i].width);
		KT_EQ(t, reader.format.height, good[i].height);
		KT_EQ(t, reader.format.picture.bytes, good[i].bytes);
		KT_CHECK(t, !strcmp(reader.format.chroma, good[i].chroma));
		KT_CHECK(t, !strcmp(reader.format.tags, good[i].tags));
	}
}

static void broken_headers_are_named(struct ktap *t)
{
	static const struct {
		const char *text, *error;
	} broken[] = {
		{ "", "byte 0: the input is empty" },
		{ "RIFF", "byte 0: not a YUV4MPEG2 stream" },
		{ "YUV4MPEG", "byte 0: not a YUV4MPEG2 stream" },
		{ "YUV4MPEG3 W1 H1\n", "byte 0: not a YUV4MPEG2 stream" },
		{ "YUV4MPEG22 W1 H1\n", "byte 0: not a YUV4MPEG2 stream" },
		{ "YUV4MPEG2", "byte 9: the input ends within the header" },
		{ "YUV4MPEG2 W4 H2", "byte 15: the input ends within the header" },
		{ "YUV4MPEG2\n", "byte 0: the header gives no width (W)" },
		{ "YUV4MPEG2 W4\n", "byte 0: the header gives no height (H)" },
		{ "YUV4MPEG2 H4\n", "byte 0: the header gives no width (W)" },
		{ "YUV4MPEG2 W0 H2\n", "byte 10: 'W0' is not a width: 1 to 32768" },
		{ "YUV4MPEG2 W4 H32769\n", "byte 13: 'H32769' is not a height: 1 to 32768" },
		{ "YUV4MPEG2 W-4 H2\n", "byte 10: 'W-4' is not a width: 1 to 32768" },
		{ "YUV4MPEG2 W4x H2\n", "byte 10: 'W4x' is not a width: 1 to 32768" },
		{ "YUV4MPEG2 W H2\n", "byte 10: 'W' is not a width: 1 to 32768" },
		{ "YUV4MPEG2 W99999999999999999999 H2\n",
		  "byte 10: 'W99999999999999999999' is not a width: 1 to 32768" },
		{ "YUV4MPEG2 W4 W4 H2\n", "byte 13: the header gives the width twice" },
		{ "YUV4MPEG2 W4 H2 C420 C444\n",
		  "byte 21: the header gives the colour space twice" },
		{ "YUV4MPEG2 W4 H2 C420p10\n",
		  "byte 16: colour space 'C420p10' is not supported: 8 bits of 420, 420jpeg, "
		  "420mpeg2, 420paldv, 411, 422, 444 or mono" },
		{ "YUV4MPEG2 W4 H2 C\n", "byte 16: colour space 'C' is not supported" },
		{ "YUV4MPEG2 W4 H2 F25\n", "byte 16: 'F25' is not a header tag" },
		{ "YUV4MPEG2 W4 H2 A1:x\n", "byte 16: 'A1:x' is not a header tag" },
		{ "YUV4MPEG2 W4 H2 Iz\n", "byte 16: 'Iz' is not a header tag" },
		{ "YUV4MPEG2 W4 H2 Q\n", "byte 16: 'Q' is not a header tag" },
		{ "YUV4MPEG2 W4 H2\r\n", "byte 13: 'H2\r' is not a height: 1 to 32768" },
	};

	for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++) {
		char want[256];

		snprintf(want, sizeof(want), "in.y4m: %s", broken[i].error);
		KT_EQ(t, open_text(broken[i].text), -1);
		if (!KT_CHECK(t, !strncmp(reader.error, want, strlen(want))))
			fprintf(stderr, "# %s: %s\n", broken[i].text, reader.error);
	}
}

static void headers_without_an_end(struct ktap *t)
{
	char text[3 * Y4M_HEADER_BYTES];
	int fd;

	memset(text, 'X', sizeof(text));
	memcpy(text, "YUV4MPEG2 ", 10);
	fd = stream(text, sizeof(text));
	KT_EQ(t, y4m_open(&reader, fd, "in.y4m"), -1);
	KT_CHECK(t, !strcmp(reader.error,
			    "in.y4m: byte 0: the header has no newline within 1024 bytes"));
	close(fd);

	/* The longest that is allowed. */
	memcpy(text + 10, "W1 H1 ", 6);
	text[Y4M_HEADER_BYTES - 1] = '\n';
	fd = stream(text, sizeof(text));
	KT_EQ(t, y4m_open(&reader, fd, "in.y4m"), 0);
	close(fd);

	fd = stream("YUV4MPEG2 W\0001 H1\n", 18);
	KT_EQ(t, y4m_open(&reader, fd, "in.y4m"), -1);
	KT_CHECK(t, !strcmp(reader.error, "in.y4m: byte 11: a zero byte in the header"));
	close(fd);
}

static void frames_one_after_the_other(struct ktap *t)
{
	static const char text[] = "YUV4MPEG2 W2 H1 Cmono\nFRAME\nabFRAME Xa I1tp Xb\ncd";
	int fd = stream(text, sizeof(text) - 1);
	char tags[Y4M_HEADER_BYTES];
	uint8_t frame[2];

	KT_EQ(t, y4m_open(&reader, fd, "in.y4m"), 0);
	KT_EQ(t, y4m_read(&reader, frame, tags), 1);
	KT_CHECK(t, !memcmp(frame, "ab", 2) && !strcmp(tags, ""));
	KT_EQ(t, y4m_read(&reader, frame, tags), 1);
	KT_CHECK(t, !memcmp(frame, "cd", 2) && !strcmp(tags, " I1tp"));
	KT_EQ(t, y4m_read(&reader, frame, tags), 0);
	KT_EQ(t, reader.frames, 2);
	close(fd);
}

static void broken_frames_are_named(struct ktap *t)
{
	static const struct {
		const char *frames, *error;
		int good;
	} broken[] = {
		{ "FRAME\na", "byte 29: the input ends after 1 of the 2 bytes of frame 0", 0 },
		{ "FRAME\n", "byte 28: the input ends after 0 of the 2 bytes of frame 0", 0 },
		{ "FRAME\nabFRAME\n", "byte 36: the input ends after 0 of the 2 bytes of frame 1",
		  1 },
		{ "FRAME\nabFRA", "byte 33: the input ends within the frame line", 1 },
		{ "FRAME\nabFRAMES\ncd", "byte 30: frame 1 does not start with FRAME", 1 },
		{ "FRAME\nabxFRAME\ncd", "byte 30: frame 1 does not start with FRAME", 1 },
		{ "FRAME\nab\n", "byte 30: frame 1 does not start with FRAME", 1 },
	};

	for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++) {
		char text[256], want[256], tags[Y4M_HEADER_BYTES];
		uint8_t frame[2];
		int fd, good = 0, ret;

		snprintf(text, sizeof(text), "YUV4MPEG2 W2 H1 Cmono\n%s", broken[i].frames);
		snprintf(want, sizeof(want), "in.y4m: %s", broken[i].error);
		fd = stream(text, strlen(text));
		KT_EQ(t, y4m_open(&reader, fd, "in.y4m"), 0);
		while ((ret = y4m_read(&reader, frame, tags)) > 0)
			good++;
		KT_EQ(t, ret, -1);
		KT_EQ(t, good, broken[i].good);
		if (!KT_CHECK(t, !strcmp(reader.error, want)))
			fprintf(stderr, "# %s\n", reader.error);
		close(fd);
	}
}

static void an_unreadable_stream(struct ktap *t)
{
	int fd = open("/", O_RDONLY);

	KT_EQ(t, y4m_open(&reader, fd, "/"), -1);
	KT_CHECK(t, !strcmp(reader.error, "/: byte 0: cannot read: Is a directory"));
	close(fd);
}

/* A pipe hands out bytes as it likes; frames are larger than the reader's own buffer. */
static void a_pipe_in_small_pieces(struct ktap *t)
{
	enum { SIDE = 300 };
	static uint8_t sent[SIDE * SIDE], got[SIDE * SIDE];
	char tags[Y4M_HEADER_BYTES];
	int fds[2];

	for (size_t i = 0; i < sizeof(sent); i++)
		sent[i] = i * 7 + i / 256;
	KT_ASSERT(t, !pipe(fds));
	if (!fork()) {
		static const char head[] = "YUV4MPEG2 W300 H300 Cmono\nFRAME\n";

		for (size_t i = 0; i < sizeof(head) - 1; i++)
			if (write(fds[1], head + i, 1) != 1)
				_exit(1);
		for (size_t i = 0; i < sizeof(sent); i += 100)
			if (write(fds[1], sent + i, 100) != 100)
				_exit(1);
		_exit(0);
	}
	close(fds[1]);
	KT_EQ(t, y4m_open(&reader, fds[0], "pipe"), 0);
	KT_EQ(t, y4m_read(&reader, got, tags), 1);
	KT_CHECK(t, !memcmp(got, sent, sizeof(sent)));
	KT_EQ(t, y4m_read(&reader, got, tags), 0);
	close(fds[0]);
	wait(NULL);
}

static void what_is_written_reads_back(struct ktap *t)
{
	static const char text[] = "YUV4MPEG2 W5 H3 F25:1 It A1:1 XCOLORRANGE=FULL C422\n";
	struct y4m_format half;
	uint8_t frame[64], got[64];
	char tags[Y4M_HEADER_BYTES];
	int fd;

	KT_EQ(t, open_text(text), 0);
	y4m_half(&reader.format, &half);
	KT_EQ(t, half.width, 3);
	KT_EQ(t, half.height, 2);
	KT_EQ(t, half.picture.bytes, 6 + 2 * 4);
	for (size_t i = 0; i < sizeof(frame); i++)
		frame[i] = i;

	fd = memfd_create("y4m-test", 0);
	KT_EQ(t, y4m_write_header(fd, &half), 0);
	KT_EQ(t, y4m_write_frame(fd, &half, frame, " Ib"), 0);
	lseek(fd, 0, SEEK_SET);
	KT_EQ(t, y4m_open(&reader, fd, "out"), 0);
	KT_CHECK(t, !strcmp(reader.format.tags, " F25:1 It A1:1 XCOLORRANGE=FULL"));
	KT_CHECK(t, !strcmp(reader.format.chroma, "422"));
	KT_EQ(t, y4m_read(&reader, got, tags), 1);
	KT_CHECK(t, !memcmp(got, frame, half.picture.bytes) && !strcmp(tags, " Ib"));
	KT_EQ(t, y4m_read(&reader, got, tags), 0);
	close(fd);
}

static void a_full_disk_is_an_errno(struct ktap *t)
{
	int fd = open("/dev/full", O_WRONLY);

	if (fd < 0) {
		ktap_skip(t, "no /dev/full");
		return;
	}
	KT_EQ(t, open_text("YUV4MPEG2 W5 H3\n"), 0);
	KT_EQ(t, y4m_write_header(fd, &reader.format), -ENOSPC);
	close(fd);
}

KTAP_MAIN(KTAP_CASE(good_headers), KTAP_CASE(broken_headers_are_named),
	  KTAP_CASE(headers_without_an_end), KTAP_CASE(frames_one_after_the_other),
	  KTAP_CASE(broken_frames_are_named), KTAP_CASE(an_unreadable_stream),
	  KTAP_CASE(a_pipe_in_small_pieces), KTAP_CASE(what_is_written_reads_back),
	  KTAP_CASE(a_full_disk_is_an_errno))
