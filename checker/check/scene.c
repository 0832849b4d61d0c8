/* SPDX-License-Identifier: MIT */
/* scene.c - see scene.h */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checker/check/build-parts.h"
#include "checker/check/scene.h"
#include "tests/ktap.h"

static void must(bool done, const char *what)
{
	if (done)
		return;
	perror(what);
	abort();
}

struct scene scene_new(void)
{
	struct scene scene = { .folder = build_scratch(), .before = -1 };

	must(scene.folder, "scratch");
	return scene;
}

void scene_free(struct scene *scene)
{
	must(scene->before < 0, "nobody ended scene_listen()");
	build_scratch_remove(scene->folder);
	words_free(&scene->paths);
	free(scene->said);
}

const char *scene_write(struct scene *scene, const char *name, const char *text)
{
	FILE *file;
	char *path;

	words_add(&scene->paths, "%s/%s", scene->folder, name);
	path = scene->paths.word[scene->paths.nr - 1];
	for (char *slash = path + strlen(scene->folder) + 1; (slash = strchr(slash, '/'));
	     slash++) {
		*slash = '\0';
		mkdir(path, 0700);
		*slash = '/';
	}
	file = fopen(path, "w");
	must(file && fputs(text, file) >= 0 && !fclose(file), path);
	return path;
}

void scene_listen(struct scene *scene)
{
	char *path = words_format("%s/said", scene->folder);
	FILE *file = fopen(path, "w");

	must(file && scene->before < 0, path);
	free(path);
	fflush(stderr);
	scene->before = dup(STDERR_FILENO);
	must(scene->before >= 0 && dup2(fileno(file), STDERR_FILENO) >= 0, "standard error");
	fclose(file);
}

const char *scene_heard(struct scene *scene)
{
	char *path = words_format("%s/said", scene->folder);

	fflush(stderr);
	must(scene->before >= 0 && dup2(scene->before, STDERR_FILENO) >= 0, "standard error");
	close(scene->before);
	scene->before = -1;
	free(scene->said);
	scene->said = words_file(path);
	must(scene->said, path);
	must(!unlink(path), path);
	free(path);
	return scene->said;
}

void scene_says(struct ktap *t, struct scene *scene, const char *part)
{
	const char *heard = scene_heard(scene);

	ktap_check(t, strstr(heard, part), __FILE__, __LINE__, "said \"%s\", not \"%s\"", heard,
		   part);
}

void scene_says_nothing(struct ktap *t, struct scene *scene)
{
	const char *heard = scene_heard(scene);

	ktap_check(t, !*heard, __FILE__, __LINE__, "said \"%s\"", heard);
}
