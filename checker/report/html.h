/* SPDX-License-Identifier: MIT */
/*
 * html.h - a record as one page to look at
 *
 * The page holds everything: it loads nothing, needs no network and works from a file.  What is in
 * it is page.html, page.css and the scripts beside this file, and the record as JSON.  A page of
 * findings has a picture for each, of a record of its own, and words beside it.
 *
 * Invariants
 *   HT1  Names and texts are a stranger's: whatever bytes they have, they stay text.
 *   HT2  What an address stands for is settled here, in the order of the record: one that comes
 *        again after its RELEASE or DETACH is another thing.
 */
#ifndef CHECKER_REPORT_HTML_H
#define CHECKER_REPORT_HTML_H

#include <stdbool.h>
#include <stdio.h>

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

/* Of a page that has several. */
struct html_picture {
	const struct record *record; /* NULL: words only */
	const void *buffer; /* only what concerns the last one that was exported at this address */
	void (*words)(FILE *file, const void *context); /* as HTML, strangers' by html_text() */
	const void *context;
};

/**
 * html_write_pictures - write a page with @nr @pictures to @path, over whatever is there
 * @about: likewise
 *
 * Which picture is looked at is chosen by opening its words.
 * Context and returns as html_write().
 */
int html_write_pictures(const char *path, const struct html_about *about,
			const struct html_picture *pictures, unsigned int nr);

/** html_text - @text as text, whatever bytes it has; lines become spaces */
void html_text(FILE *file, const char *text);

#endif
