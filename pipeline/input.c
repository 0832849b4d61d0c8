/* SPDX-License-Identifier: MIT */
/*
 * input.c - where a stream comes from
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pipeline/input.h"
#include "pipeline/y4m.h"

static int fail(const struct input *input, const char *what, int err, char error[INPUT_ERROR_BYTES])
{
	snprintf(error, INPUT_ERROR_BYTES, "%s: %s%s", input->name, what, strerror(err));
	return -1;
}

static int write_all(int fd, const char *bytes, size_t count)
{
	while (count) {
		ssize_t wrote = write(fd, bytes, count);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote < 0)
			return -errno;
		bytes += wrote;
		count -= wrote;
	}
	return 0;
}

/* How many bytes @frames frames take at most; 0 for no bound, also when the header says nothing. */
static uint64_t bytes_wanted(const char *start, size_t count, uint64_t frames)
{
	struct y4m_reader *reader;
	uint64_t bytes = 0;
	int fd;

	if (!frames)
		return 0;
	reader = malloc(sizeof(*reader));
	fd = memfd_create("header", MFD_CLOEXEC);
	if (reader && fd >= 0 && !write_all(fd, start, count) && !lseek(fd, 0, SEEK_SET) &&
	    !y4m_open(reader, fd, "") &&
	    frames < INPUT_KEPT_MOST / (reader->format.picture.bytes + Y4M_HEADER_BYTES))
		bytes = reader->at + frames * (reader->format.picture.bytes + Y4M_HEADER_BYTES);
	if (fd >= 0)
		close(fd);
	free(reader);
	return bytes;
}

/* Copies the pipe into memory that can be read again. */
static int keep(struct input *input, uint64_t frames, char error[INPUT_ERROR_BYTES])
{
	static char buffer[1 << 16];
	int memory = memfd_create("input", MFD_CLOEXEC);
	uint64_t kept = 0, wanted = 0;

	if (memory < 0)
		return fail(input, "memory to keep it: ", errno, error);
	for (;;) {
		ssize_t got = read(input->fd, buffer, sizeof(buffer));
		int ret;

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			fail(input, "", errno, error);
			goto close_memory;
		}
		if (!kept && got)
			wanted = bytes_wanted(buffer, got, frames);
		ret = write_all(memory, buffer, got);
		if (ret) {
			fail(input, "memory to keep it: ", -ret, error);
			goto close_memory;
		}
		kept += got;
		if (!got || (wanted && kept >= wanted))
			break;
		if (kept > INPUT_KEPT_MOST) {
			snprintf(error, INPUT_ERROR_BYTES,
				 "%s: more than %llu MiB to read again: give a file, or --frames N",
				 input->name, INPUT_KEPT_MOST >> 20);
			goto close_memory;
		}
	}
	lseek(memory, 0, SEEK_SET);
	close(input->fd);
	input->fd = memory;
	return 0;

close_memory:
	close(memory);
	return -1;
}

int input_open(struct input *input, const char *path, bool again, uint64_t frames,
	       char error[INPUT_ERROR_BYTES])
{
	struct stat status;

	input->name = strcmp(path, "-") ? path : "standard input";
	input->fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC)
				      : fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	if (input->fd < 0)
		return fail(input, "", errno, error);
	if (!fstat(input->fd, &status) && S_ISDIR(status.st_mode)) {
		fail(input, "", EISDIR, error);
		goto close_input;
	}
	if (again && lseek(input->fd, 0, SEEK_CUR) < 0 && keep(input, frames, error))
		goto close_input;
	return 0;

close_input:
	close(input->fd);
	return -1;
}

void input_close(struct input *input)
{
	close(input->fd);
}

uint64_t input_count_frames(struct input *input, uint64_t limit)
{
	struct y4m_reader *reader = malloc(sizeof(*reader));
	char tags[Y4M_HEADER_BYTES];
	uint8_t *frame = NULL;
	uint64_t frames = 0;

	if (reader && !y4m_open(reader, input->fd, input->name))
		frame = malloc(reader->format.picture.bytes);
	while (frame && (!limit || frames < limit) && y4m_read(reader, frame, tags) > 0)
		frames++;
	free(frame);
	free(reader);
	lseek(input->fd, 0, SEEK_SET);
	return frames;
}
