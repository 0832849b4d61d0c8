/* SPDX-License-Identifier: MIT */
/*
 * kbuild.h - what a driver's folder is made of, as its Kbuild says it
 *
 * Linux's documentation (Documentation/kbuild/makefiles.rst, modules.rst) has the rules; GNU make reads
 * the file, so its conditionals, functions and continued lines mean what they mean there.
 *
 * Taken: obj-m (obj-y, too), NAME-y, NAME-objs, NAME-m, folders in obj-m, ccflags-y, subdir-ccflags-y,
 * EXTRA_CFLAGS, CFLAGS_FILE.o, CFLAGS_REMOVE_FILE.o, ccflags-remove-y; of flags -I, -D, -U, -include,
 * -iquote, -isystem.  $(src) and $(obj) are the folder.
 *
 * Deliberately not here: other flags, assembly, and a configuration: a CONFIG_ is not set unless our
 * own headers or an option set it.  What is left out for that is said.
 */
#ifndef CHECKER_CHECK_KBUILD_H
#define CHECKER_CHECK_KBUILD_H

#include "checker/check/words.h"

struct kbuild_source {
	char *path;         /* of a .c file */
	struct words flags; /* for the compiler */
};

struct kbuild_module {
	char *name;
	struct kbuild_source *sources;
	size_t nr;
};

struct kbuild {
	struct kbuild_module *modules;
	size_t nr;
};

/**
 * kbuild_read - what @folder builds
 * @config: CONFIG_NAME=VALUE, each a word
 * @scratch: a folder for files of ours
 *
 * Context: starts make, in @folder. Returns 0, or 2 when it cannot be built, which it has said.
 * @kbuild is the caller's to free in both cases.
 */
int kbuild_read(struct kbuild *kbuild, const char *folder, const struct words *config,
		const char *scratch);

/** kbuild_add_module, kbuild_add_source - one more, empty; good until the next */
struct kbuild_module *kbuild_add_module(struct kbuild *kbuild);
struct kbuild_source *kbuild_add_source(struct kbuild_module *module);
void kbuild_free(struct kbuild *kbuild);

#endif
