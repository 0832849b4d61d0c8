/* SPDX-License-Identifier: MIT */
/*
 * watch-pages.h - the pages that a driver allocates by itself, and whether they are free again
 *
 * Only what it asks the page allocator for: what the library allocates for a driver's call is the
 * library's, and shows as the mapping or the buffer that is left.
 */
#ifndef CHECKER_CHECK_WATCH_PAGES_H
#define CHECKER_CHECK_WATCH_PAGES_H

#include "checker/check/rules.h"

/** watch_pages_start - from now on. Context: while nothing runs, after the machine was made */
void watch_pages_start(void);

/** watch_pages_left - how many of them are not free */
unsigned int watch_pages_left(void);

/**
 * watch_pages_tell - @rule: pages are used that should be free, @what says when
 *
 * The call is the one that allocated the last of them.  Nothing when none is used.
 */
void watch_pages_tell(enum check_rule rule, const char *what);

#endif
