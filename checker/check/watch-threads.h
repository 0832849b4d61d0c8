/* SPDX-License-Identifier: MIT */
/*
 * watch-threads.h - the threads that a driver starts by itself, and whether they have ended
 *
 * Only its kthreads: a workqueue's are the library's.
 */
#ifndef CHECKER_CHECK_WATCH_THREADS_H
#define CHECKER_CHECK_WATCH_THREADS_H

#include "checker/check/rules.h"

/** watch_threads_left - how many of them have not ended */
unsigned int watch_threads_left(void);

/**
 * watch_threads_tell - @rule: threads are left that should have ended, @what says when
 *
 * The call is the one that made the last of them.  Nothing when all have ended.
 */
void watch_threads_tell(enum check_rule rule, const char *what);

#endif
