/* SPDX-License-Identifier: MIT */
/*
 * hints.h - the supervisor's side of shared.h
 */
#ifndef USERDEV_HINTS_H
#define USERDEV_HINTS_H

#include <linux/types.h>

struct object;
struct supervisor;

/** hints_init - make the file.  Returns 0 or -errno.  hints_fini - from now on all is asked about */
int hints_init(struct supervisor *s, bool quick);
void hints_fini(struct supervisor *s);

/** hints_timelines - so many more are alive */
void hints_timelines(struct supervisor *s, int more);

/** hints_add, hints_end - a buffer comes or goes.  hints_pending - it has an unsignaled fence or not */
void hints_add(struct supervisor *s, struct object *object);
void hints_end(struct supervisor *s, struct object *object);
void hints_pending(struct supervisor *s, struct object *object, bool pending);

#endif
