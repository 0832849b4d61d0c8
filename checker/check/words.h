/* SPDX-License-Identifier: MIT */
/*
 * words.h - lists of words (a command line, what make printed), and commands that are run with them
 *
 * Memory that is not there ends the program with status 2 and a line: nothing has begun yet that
 * would have to be undone.
 */
#ifndef CHECKER_CHECK_WORDS_H
#define CHECKER_CHECK_WORDS_H

#include <stdbool.h>
#include <stddef.h>

/* All zero is an empty list. */
struct words {
	char **word; /* ends with NULL, as execv() wants it */
	size_t nr;
};

/** words_add - one more, as printf() makes it */
void words_add(struct words *words, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** words_add_all - all of @more once more */
void words_add_all(struct words *words, const struct words *more);

/** words_split - what white space separates in @text, a word each */
void words_split(struct words *words, const char *text);

bool words_have(const struct words *words, const char *word);
void words_free(struct words *words);

/** words_format - one string as printf() makes it; the caller's to free() */
char *words_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** words_file - all of a file, ended with a zero byte, or NULL and errno; the caller's to free() */
char *words_file(const char *path);

/**
 * command_run - run words[0], found as a shell finds it, and wait for its end
 * @output: file that gets its standard output and standard error, or NULL: they are this program's
 *
 * It reads nothing, and speaks English. Returns its exit status, 128 and the number of a signal that
 * ended it, or -1 and errno when it could not be started.
 */
int command_run(const struct words *words, const char *output);

/**
 * command_run_all - command_run() of each of @nr, a few at a time
 * @outputs: a file each
 *
 * Returns the index of the first that failed, @nr if none did; -1 and errno when one could not be
 * started.
 */
long command_run_all(const struct words *commands, const struct words *outputs, size_t nr);

#endif
