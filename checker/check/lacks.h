/* SPDX-License-Identifier: MIT */
/*
 * lacks.h - what a compiler says it does not know, as a list
 *
 * It is read out of gcc's and clang's English messages: both go on behind an error, so one run names
 * most of what is not there.  What is an unknown type in one run is given a stand-in in the next
 * (lacks_stand_in()), since a compiler says nothing of a function whose head it could not read.
 *
 * Deliberately not here: whether a message was right.  A name that an unknown macro would have
 * declared is told from a lacking one by where it stands, which can be wrong.
 */
#ifndef CHECKER_CHECK_LACKS_H
#define CHECKER_CHECK_LACKS_H

#include <stdio.h>

#include "checker/check/words.h"

enum lack_kind {
	LACKS_HEADER,
	LACKS_TYPE, /* also "struct NAME", whole or some of its members */
	LACKS_MACRO,
	LACKS_LOOP, /* a macro, too */
	LACKS_FUNCTION,
	LACKS_NAME,   /* a constant, a variable, a macro or a type */
	LACKS_SYMBOL, /* declared, and defined nowhere */
};

struct lack {
	enum lack_kind kind;
	char *name;
	char *who;            /* FILE:LINE of the first that needs it */
	struct words members; /* of a struct */
};

/* All zero is an empty list. */
struct lacks {
	struct lack *lack;
	size_t nr;
};

/** lacks_add - @name once, whoever needs it. Returns it, good until the next */
struct lack *lacks_add(struct lacks *lacks, enum lack_kind kind, const char *name, const char *who);
void lacks_free(struct lacks *lacks);

/**
 * lacks_read - add what a compiler's @messages name
 * @ours: begin the paths of files that are none of the driver's: no error is theirs
 */
void lacks_read(struct lacks *lacks, const char *messages, const struct words *ours);

/** lacks_stand_in - a header with which a compiler gets further */
void lacks_stand_in(const struct lacks *lacks, FILE *header);

#endif
