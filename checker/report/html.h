/* SPDX-License-Identifier: MIT */
/*
 * html.h - a record as one page to look at
 *
 * The page holds everything: it loads nothing, needs no network and works from a file.  What is in
 * it is page.html, page.css and the scripts beside this file, and the record as JSON.
 *
 * Invariants
 *   HT1  Names and texts are a stranger's: whatever bytes they have, they stay text.
 *   HT2  What an address stands for is settled here, in the order of the record: one that comes
 *        again after its RELEASE or DETACH is another thing.
 */
#ifndef CHECKER_REPORT_HTML_H
#define CHECKER_REPORT_HTML_H

#include <stdbool.h>

struct record;

struct html_about {
	const char *title;   /* what ran: machine, policy, input */
	const char *what;    /* a sentence on what happens there */
	const char *outcome; /* and one on how it ended */
	bool timed;          /* do the entries' times mean anything? */
};

/**
 * html_write - write @record as a page to @path, over whatever is there
 *
 * Context: may sleep; @record was stopped.
 * Returns 0; -ENOMEM, or what opening, writing or closing @path said: then the file may be there in
 * part.
 */
int html_write(const char *path, const struct record *record, const struct html_about *about);

#endif
