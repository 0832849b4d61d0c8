/* SPDX-License-Identifier: MIT */
/*
 * view.h - pictures to look at: PNG files
 */
#ifndef PIPELINE_VIEW_H
#define PIPELINE_VIEW_H

#include <stdint.h>

#include "pipeline/y4m.h"

/**
 * view_write_pair - @left and @right side by side in one PNG file, a white bar between them
 *
 * Colours by BT.601 with limited range, as most streams have them.  Small pictures are enlarged.
 * Returns 0 or -errno; then the file may be incomplete.
 */
int view_write_pair(const char *path, const struct y4m_format *format, const uint8_t *left,
		    const uint8_t *right);

#endif
