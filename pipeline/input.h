/* SPDX-License-Identifier: MIT */
/*
 * input.h - where a stream comes from: a file, or standard input that must be read again and again
 */
#ifndef PIPELINE_INPUT_H
#define PIPELINE_INPUT_H

#include <stdbool.h>
#include <stdint.h>

#define INPUT_ERROR_BYTES 512
#define INPUT_KEPT_MOST (2ULL << 30) /* bytes of a pipe that are kept in memory */

struct input {
	int fd;
	const char *name; /* for messages */
};

/**
 * input_open - open @path, "-" for standard input
 * @again: it will be read more than once; what cannot be is kept in memory first
 * @frames: in that case as many frames are kept at most, 0 for all
 *
 * Returns 0, or -1 and @error.  Ownership: input_close() after success.
 */
int input_open(struct input *input, const char *path, bool again, uint64_t frames,
	       char error[INPUT_ERROR_BYTES]);
void input_close(struct input *input);

/**
 * input_count_frames - how many whole frames there are, at most @limit unless that is 0
 *
 * @input was opened to be read again and stands at its start afterwards.  A damaged stream counts
 * as far as it is good.
 */
uint64_t input_count_frames(struct input *input, uint64_t limit);

#endif
