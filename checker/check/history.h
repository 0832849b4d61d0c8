/* SPDX-License-Identifier: MIT */
/*
 * history.h - the last events of each buffer (core/event.h), kept for reports
 */
#ifndef CHECKER_CHECK_HISTORY_H
#define CHECKER_CHECK_HISTORY_H

struct dma_buf;
struct json_object;

/** check_history_start - listen to events from now on. Context: as event_listen() */
void check_history_start(void);

/** check_history_json - the last of @dmabuf, oldest first, as an array of texts */
struct json_object *check_history_json(const struct dma_buf *dmabuf);

#endif
