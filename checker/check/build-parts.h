/* SPDX-License-Identifier: MIT */
/*
 * build-parts.h - the steps of driver_build() that driver_missing() takes, too
 *
 * Each says on standard error why it returns 2.
 */
#ifndef CHECKER_CHECK_BUILD_PARTS_H
#define CHECKER_CHECK_BUILD_PARTS_H

#include "checker/check/build.h"
#include "checker/check/compile.h"
#include "checker/check/kbuild.h"

/** build_scratch - an empty folder for files of ours, or NULL; build_scratch_remove() takes it */
char *build_scratch(void);
void build_scratch_remove(char *folder);

/* Of the driver's writer: headers before ours, and sources that are built with the driver. */
#define BUILD_STUBS "dmabuf-stubs"

/** build_sources - what @request's source or folder is made of; @kbuild is the caller's to free */
int build_sources(const struct driver_request *request, const struct compiler *compiler,
		  struct kbuild *kbuild, const char *scratch);

/** build_options - those of the command line, for the compiler */
struct words build_options(const struct driver_request *request);

/** build_compile - driver_build() of @kbuild, by build_sources(); build->folder is set */
int build_compile(const struct driver_request *request, const struct compiler *compiler,
		  const struct kbuild *kbuild, struct driver_build *build);

/** build_lacking - the symbols that @so needs and neither @programs nor files beside it have */
int build_lacking(const struct words *programs, const char *so, struct words *lacking);

#endif
