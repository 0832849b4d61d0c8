/* SPDX-License-Identifier: MIT */
/*
 * reference.h - what every byte of a frame should be, and the first that is not
 *
 * Deliberately not here: repair.  A wrong byte is named, counted and passed on.
 */
#ifndef PIPELINE_REFERENCE_H
#define PIPELINE_REFERENCE_H

#include <linux/types.h>

#include "drivers/picture.h"
#include "pipeline/stages.h"

/* Differences are counted in what caches work with. */
#define REFERENCE_LINE_BYTES 64

struct wrong {
	bool found;
	u64 frame;
	enum stage_device stage; /* the first device whose bytes are wrong */
	bool read;               /* wrong as it read them; else as it wrote them */
	size_t byte;             /* the first wrong one, counted in the picture at that stage */
	size_t lines, of_lines;  /* cache lines of that picture that differ, and all */
};

struct reference {
	struct picture picture, half;
	u8 *sharpened, *drawn, *scaled;
};

/** reference_init - room for one frame of @picture. Returns 0, -ENOMEM. */
int reference_init(struct reference *reference, const struct picture *picture);
void reference_fini(struct reference *reference);

/** reference_compute - all stages of frame @number from @input */
void reference_compute(struct reference *reference, const u8 *input, u64 number);

/**
 * reference_check - is what the encoder got of this frame byte-identical?
 *
 * After reference_compute() of the same frame.  Returns true if so; else @wrong tells where the
 * first stage went wrong.
 */
bool reference_check(const struct reference *reference, const struct stages_slot *slot,
		     struct wrong *wrong);

#endif
