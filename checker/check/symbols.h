/* SPDX-License-Identifier: MIT */
/*
 * symbols.h - what a loadable file needs, and what a program gives to those it loads
 *
 * Read from the file's own tables, before anything of it runs: a loader names the first symbol that
 * it does not find, and only that one.
 *
 * Deliberately not here: versions of symbols, and files of other machines than this one's.
 */
#ifndef CHECKER_CHECK_SYMBOLS_H
#define CHECKER_CHECK_SYMBOLS_H

#include "checker/check/words.h"

/* Names as they are written in C: those that host/labels.h gave another label have their own again. */
struct symbols {
	struct words needed;    /* undefined, weak ones left out */
	struct words given;     /* defined, and seen by others */
	struct words libraries; /* that it is linked with */
};

/**
 * symbols_read - the symbols of @path, a shared object or a program for this machine
 *
 * Returns NULL, or what is wrong with it: a sentence's end without the file's name, good until the
 * next call. @symbols is the caller's to free in both cases.
 */
const char *symbols_read(struct symbols *symbols, const char *path);

/**
 * symbols_lacking - which of those @symbols needs are not in @given
 *
 * The C library's and the sanitizer's are not asked for: they come with the file itself.
 */
void symbols_lacking(const struct symbols *symbols, const struct words *given,
		     struct words *lacking);
void symbols_free(struct symbols *symbols);

#endif
