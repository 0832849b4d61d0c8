/* SPDX-License-Identifier: MIT */
/*
 * watch-buffers.h - the buffers that a driver exports, and whether they are released again
 *
 * Those that the library exports in a driver's call are the driver's, too.
 */
#ifndef CHECKER_CHECK_WATCH_BUFFERS_H
#define CHECKER_CHECK_WATCH_BUFFERS_H

#include <stdbool.h>

/** watch_buffers_start - from now on. Context: before the first buffer is exported */
void watch_buffers_start(void);

/** watch_buffers_made - how many were exported until now */
unsigned long watch_buffers_made(void);

/**
 * watch_buffers_refused - the call has failed that exported those since watch_buffers_made() was
 * @made_before: nobody will come to release them
 */
void watch_buffers_refused(unsigned long made_before);

/**
 * watch_buffers_left - one that is not released is a finding
 * @gone: the driver is unloaded; else it may keep those that it gave somebody
 */
void watch_buffers_left(bool gone);

#endif
