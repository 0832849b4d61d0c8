/* SPDX-License-Identifier: MIT */
/*
 * compile.h - the compiler, and the folders with our headers
 *
 * The headers lie in the tree that this program was built in, or where they were installed with it;
 * DMABUF_HEADERS in the environment names another folder.  The compiler is the one that this program
 * was built with, whose AddressSanitizer the checker has, or the one that CC names.
 */
#ifndef CHECKER_CHECK_COMPILE_H
#define CHECKER_CHECK_COMPILE_H

#include <stdbool.h>

#include "checker/check/words.h"

struct compiler {
	struct words
		command; /* itself, then what every source is compiled with, but for the folders */
	struct words headers; /* -I of each folder of ours, the first wins */
	struct words own;     /* the folders whose files are ours only, each ends with a slash */
};

/** compiler_find - the two; @schedules: for the schedule explorer. Returns 0, or 2 when there are no headers, which it has said */
int compiler_find(struct compiler *compiler, bool schedules);
void compiler_free(struct compiler *compiler);

/**
 * compiler_source - the command that compiles @path
 * @module: what KBUILD_MODNAME says, dashes and all
 * @flags: for this source, of its Kbuild; or NULL
 * @options: of the command line
 */
struct words compiler_source(const struct compiler *compiler, const char *path, const char *module,
			     const struct words *flags, const struct words *options);

/** compiler_config - which CONFIG_ our headers set, as CONFIG_NAME=y. Returns 0, or 2, and then it has said why */
int compiler_config(const struct compiler *compiler, const char *scratch, struct words *config);

#endif
