/* SPDX-License-Identifier: MIT */
/*
 * history.h - the last events of each buffer, kept for reports as words and as a picture
 *
 * A picture is an array of entries (checker/report/record.h), each an array of numbers and a text:
 *	[kind, subject, object, a, b, c, dev, ns, thread, text or null, costs...]
 * Addresses are numbers; whoever reads it compares them and no more.
 */
#ifndef CHECKER_CHECK_HISTORY_H
#define CHECKER_CHECK_HISTORY_H

#include <stdbool.h>

struct dma_buf;
struct json_object;

/** check_history_start - listen to events from now on; so that there are @pictures?  Context: as event_listen() */
void check_history_start(bool pictures);

/** check_history_json - the last of @dmabuf, oldest first, as an array of texts */
struct json_object *check_history_json(const struct dma_buf *dmabuf);

/**
 * check_history_picture - what it takes to draw @dmabuf; NULL: the buffer that was told of last
 *
 * Returns { "buffer": its address, "entries": as above }; NULL when no pictures are wanted or the
 * buffer's beginning is forgotten.
 */
struct json_object *check_history_picture(const struct dma_buf *dmabuf);

#endif
