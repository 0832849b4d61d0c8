/* SPDX-License-Identifier: MIT */
/*
 * scene.h - a folder with files for a test of what builds drivers, and what is said meanwhile
 */
#ifndef CHECKER_CHECK_SCENE_H
#define CHECKER_CHECK_SCENE_H

#include "checker/check/words.h"

struct ktap;

struct scene {
	char *folder;
	struct words paths; /* of the files, whole */
	char *said;         /* since scene_listen(), or NULL */
	int before;         /* standard error's descriptor, kept, or -1 */
};

struct scene scene_new(void);
void scene_free(struct scene *scene);

/** scene_write - a file, with the folders it lies in. Returns its path, good as long as @scene */
const char *scene_write(struct scene *scene, const char *name, const char *text);

/** scene_listen - standard error goes to @scene from now on */
void scene_listen(struct scene *scene);

/** scene_heard - ends that. Returns what was said, good until the next scene_listen() */
const char *scene_heard(struct scene *scene);

/** scene_says, scene_says_nothing - ends it, too, and fails the case unless @part was said */
void scene_says(struct ktap *t, struct scene *scene, const char *part);
void scene_says_nothing(struct ktap *t, struct scene *scene);

#endif
