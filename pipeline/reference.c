/* SPDX-License-Identifier: MIT */
/*
 * reference.c - what every byte of a frame should be, and the first that is not
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/filters.h"
#include "pipeline/reference.h"

int reference_init(struct reference *reference, const struct picture *picture)
{
	reference->picture = *picture;
	picture_half(picture, &reference->half);
	reference->sharpened = malloc(picture->bytes);
	reference->drawn = malloc(picture->bytes);
	reference->scaled = malloc(reference->half.bytes);
	if (reference->sharpened && reference->drawn && reference->scaled)
		return 0;
	reference_fini(reference);
	return -ENOMEM;
}

void reference_fini(struct reference *reference)
{
	free(reference->sharpened);
	free(reference->drawn);
	free(reference->scaled);
	reference->sharpened = reference->drawn = reference->scaled = NULL;
}

void reference_compute(struct reference *reference, const u8 *input, u64 number)
{
	filter_sharpen(&reference->picture, input, reference->sharpened);
	memcpy(reference->drawn, reference->sharpened, reference->picture.bytes);
	filter_draw_number(&reference->picture, number, reference->drawn);
	filter_half(&reference->picture, reference->drawn, reference->scaled);
}

static void count_wrong(const u8 *got, const u8 *want, size_t bytes, struct wrong *wrong)
{
	wrong->lines = 0;
	wrong->of_lines = (bytes + REFERENCE_LINE_BYTES - 1) / REFERENCE_LINE_BYTES;
	for (size_t at = 0; at < bytes; at += REFERENCE_LINE_BYTES) {
		size_t part = bytes - at < REFERENCE_LINE_BYTES ? bytes - at : REFERENCE_LINE_BYTES;

		wrong->lines += memcmp(got + at, want + at, part) != 0;
	}
	for (wrong->byte = 0; got[wrong->byte] == want[wrong->byte];)
		wrong->byte++;
}

bool reference_check(const struct reference *reference, const struct stages_slot *slot,
		     struct wrong *wrong)
{
	size_t full = reference->picture.bytes, half = reference->half.bytes;
	const struct {
		enum stage_device stage;
		bool read;
		const u8 *got, *want;
		size_t bytes;
	} points[] = {
		{ STAGE_CAMERA, false, slot->tap[STAGE_CAMERA].wrote, slot->input, full },
		{ STAGE_ISP, true, slot->tap[STAGE_ISP].read, slot->input, full },
		{ STAGE_ISP, false, slot->tap[STAGE_ISP].wrote, reference->sharpened, full },
		{ STAGE_GPU, true, slot->tap[STAGE_GPU].read, reference->drawn, full },
		{ STAGE_GPU, false, slot->tap[STAGE_GPU].wrote, reference->scaled, half },
		{ STAGE_ENCODER, true, slot->stream, reference->scaled, half },
	};

	if (!memcmp(slot->stream, reference->scaled, half))
		return true;
	for (size_t i = 0; i < sizeof(points) / sizeof(*points); i++) {
		if (!memcmp(points[i].got, points[i].want, points[i].bytes))
			continue;
		wrong->found = true;
		wrong->frame = slot->number;
		wrong->stage = points[i].stage;
		wrong->read = points[i].read;
		count_wrong(points[i].got, points[i].want, points[i].bytes, wrong);
		break;
	}
	return false;
}
