/* SPDX-License-Identifier: MIT */
/*
 * kbuild-test.c - each rule of a Kbuild: what it builds, of what, with which flags
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "checker/check/kbuild.h"
#include "checker/check/scene.h"
#include "tests/ktap.h"

/* What was read, as text: "NAME: FILE [FLAGS] FILE; NAME: ...", without the scene's folder. */
static char *text_of(const struct kbuild *kbuild, const struct scene *scene)
{
	size_t length = strlen(scene->folder), size;
	char *text, *at;
	FILE *file = open_memstream(&text, &size);

	for (size_t m = 0; m < kbuild->nr; m++) {
		fprintf(file, "%s%s:", m ? "; " : "", kbuild->modules[m].name);
		for (size_t i = 0; i < kbuild->modules[m].nr; i++) {
			const struct kbuild_source *source = &kbuild->modules[m].sources[i];

			fprintf(file, " %s", source->path + length + 1);
			for (size_t f = 0; f < source->flags.nr; f++)
				fprintf(file, "%s%s", f ? " " : " [", source->flags.word[f]);
			fprintf(file, "%s", source->flags.nr ? "]" : "");
		}
	}
	fclose(file);
	while ((at = strstr(text, scene->folder))) {
		*at = '@';
		memmove(at + 1, at + length, strlen(at + length) + 1);
	}
	return text;
}

struct row {
	const char *kbuild;
	const char *read; /* NULL: it is refused */
	const char *said; /* "" is nothing */
	const char *config;
};

static struct scene new_scene(void)
{
	static const char *const sources[] = { "a.c", "b.c",     "c.c",     "sub/d.c",
					       "e.S", "inc/i.h", "sub/s.h", "deep/sub/x.c" };
	struct scene scene = scene_new();

	for (size_t i = 0; i < sizeof(sources) / sizeof(*sources); i++)
		scene_write(&scene, sources[i], "");
	return scene;
}

static void reads(struct ktap *t, struct scene *scene, const struct row *row)
{
	struct words config = {};
	struct kbuild kbuild;
	int ret;

	words_split(&config, row->config ?: "");
	scene_listen(scene);
	ret = kbuild_read(&kbuild, scene->folder, &config, scene->folder);
	if (*row->said)
		scene_says(t, scene, row->said);
	else
		scene_says_nothing(t, scene);
	ktap_check(t, ret == (row->read ? 0 : 2), __FILE__, __LINE__, "%s: status %d", row->kbuild,
		   ret);
	if (!ret) {
		char *text = text_of(&kbuild, scene);

		ktap_check(t, row->read && !strcmp(text, row->read), __FILE__, __LINE__,
			   "%s: \"%s\", not \"%s\"", row->kbuild, text, row->read ?: "");
		free(text);
	}
	kbuild_free(&kbuild);
	words_free(&config);
}

static void rows_read(struct ktap *t, const struct row *rows, size_t nr)
{
	struct scene scene = new_scene();

	for (size_t i = 0; i < nr; i++) {
		scene_write(&scene, "Kbuild", rows[i].kbuild);
		reads(t, &scene, &rows[i]);
	}
	scene_free(&scene);
}

#define ROWS_READ(t, rows) rows_read(t, rows, sizeof(rows) / sizeof(*(rows)))

static void obj_m_names_modules(struct ktap *t)
{
	static const struct row rows[] = {
		{ "obj-m := a.o\n", "a: a.c", "" },
		{ "obj-m = a.o b.o\nobj-m += c.o\n", "a: a.c; b: b.c; c: c.c", "" },
		{ "obj-m += a.o \\\n\tb.o\n", "a: a.c; b: b.c", "" },
		{ "obj-y := a.o\n", "a: a.c", "" },
		{ "obj-m := a.o a.o\n", "a: a.c", "" },
		{ "obj-m := sub/d.o\n", "d: sub/d.c", "" },
		{ "obj-m := a.o # b.o\n", "a: a.c", "" },
		{ "obj-m := a.c\n", NULL, "a.c is neither an object nor a folder" },
		{ "obj-m := none.o\n", NULL, "Kbuild: none.o is made of no /" },
		{ "obj-m := e.o\n", NULL, "e.o is made of no /" },
		{ "all:\n\techo hello\n", NULL, "sets no obj-m, so nothing is built" },
		{ "", NULL, "sets no obj-m" },
		{ "obj-m := $(addsuffix .o,a b)\n", "a: a.c; b: b.c", "" },
	};

	ROWS_READ(t, rows);
}

static void parts_make_a_module(struct ktap *t)
{
	static const struct row rows[] = {
		{ "obj-m := all.o\nall-y := a.o b.o\n", "all: a.c b.c", "" },
		{ "obj-m := all.o\nall-objs := a.o\nall-y += b.o\n", "all: b.c a.c", "" },
		{ "obj-m := all.o\nall-y := a.o\nall-m := c.o\n", "all: a.c c.c", "" },
		{ "obj-m := all.o\nall-y := a.o \\\n b.o \\\n\n", "all: a.c b.c", "" },
		{ "obj-m := all.o\nall-y := a.o a.o\n", "all: a.c", "" },
		{ "obj-m := all.o\nall-y := a.o sub/d.o\n", "all: a.c sub/d.c", "" },
		/* What has parts is not its own source. */
		{ "obj-m := a.o\na-y := b.o\n", "a: b.c", "" },
		{ "obj-m := my-all.o\nmy-all-y := a.o\n", "my-all: a.c", "" },
		{ "obj-m := all.o\nall-y := a.o none.o\n", NULL, "none.o is made of no" },
		{ "obj-m := all.o\nall-y := sub/\n", NULL, "sub/ of all.o is no object" },
		{ "obj-m := all.o\nothers-y := a.o\n", NULL, "all.o is made of no" },
	};

	ROWS_READ(t, rows);
}

static void flags_reach_their_sources(struct ktap *t)
{
	static const struct row rows[] = {
		{ "obj-m := a.o\nccflags-y := -DX -DY=2 -UZ\n", "a: a.c [-DX -DY=2 -UZ]", "" },
		{ "obj-m := a.o\nEXTRA_CFLAGS := -DX\n", "a: a.c [-DX]", "" },
		{ "obj-m := a.o\nccflags-y := -D X -I inc\n", "a: a.c [-DX -I @/inc]", "" },
		{ "obj-m := a.o\nccflags-y := -I$(src)/inc -Iinc -I$(obj)/sub\n",
		  "a: a.c [-I @/inc -I @/inc -I @/sub]", "" },
		{ "obj-m := a.o\nccflags-y := -include inc/i.h -iquote inc -isystem sub\n",
		  "a: a.c [-include @/inc/i.h -iquote @/inc -isystem @/sub]", "" },
		{ "obj-m := a.o\nccflags-y := -DN=\\\"x\\ y\\\" '-DM=\"z\"'\n",
		  "a: a.c [-DN=\"x y\" -DM=\"z\"]", "" },
		{ "obj-m := a.o\nccflags-y := -Wall -O3 -Werror -msse -DX\n", "a: a.c [-DX]", "" },
		{ "obj-m := a.o\nccflags-y := -DX -I\n", "a: a.c [-DX]", "" },
		{ "obj-m := a.o\nccflags-y := $(call cc-option,-Wno-x) -DX\n", "a: a.c [-DX]", "" },
		{ "obj-m := all.o\nall-y := a.o b.o\nCFLAGS_b.o := -DB\n", "all: a.c b.c [-DB]",
		  "" },
		{ "obj-m := a.o b.o\nCFLAGS_b.o := -DB\n", "a: a.c; b: b.c [-DB]", "" },
		{ "obj-m := a.o b.o\nccflags-y := -DX -DY\nCFLAGS_REMOVE_a.o := -DX\n",
		  "a: a.c [-DY]; b: b.c [-DX -DY]", "" },
		{ "obj-m := a.o\nccflags-y := -DX -DY\nccflags-remove-y := -DY\n", "a: a.c [-DX]",
		  "" },
	};

	ROWS_READ(t, rows);
}

static void conditionals_are_those_of_make(struct ktap *t)
{
	static const struct row rows[] = {
		{ "ifneq ($(KERNELRELEASE),)\nobj-m := a.o\nelse\nall:\n\tfalse\nendif\n", "a: a.c",
		  "" },
		{ "ifeq ($(KERNELRELEASE),)\nobj-m := a.o\nelse\nobj-m := b.o\nendif\n", "b: b.c",
		  "" },
		{ "obj-m := a.o\nifdef DEBUG\nccflags-y := -DDEBUG\nendif\n", "a: a.c", "" },
		{ "obj-m := a.o\nifdef CONFIG_X\nccflags-y := -DX\nendif\n", "a: a.c",
		  "Kbuild: not set here: CONFIG_X (-D CONFIG_X=y sets it)" },
		{ "obj-m := a.o\nifdef CONFIG_X\nccflags-y := -DX\nendif\n", "a: a.c [-DX]", "",
		  "CONFIG_X=y" },
		{ "obj-$(CONFIG_X) := a.o\nobj-m += b.o\n", "b: b.c",
		  "not set here: CONFIG_X; left out: a.o" },
		{ "obj-$(CONFIG_X) := a.o\nobj-m += b.o\n", "b: b.c; a: a.c", "", "CONFIG_X=y" },
		{ "obj-$(CONFIG_X) := a.o\nobj-$(CONFIG_Y) += b.o\n", "a: a.c; b: b.c",
		  "not set here: CONFIG_X, CONFIG_Y; nothing else is built, so taken all the same: "
		  "a.o, b.o" },
		{ "obj-$(CONFIG_X) := a.o\nobj-$(CONFIG_Y) += b.o\n", "b: b.c",
		  "not set here: CONFIG_X; left out: a.o", "CONFIG_Y=m" },
		{ "obj-m := all.o\nall-y := a.o\nall-$(CONFIG_X) += b.o\n", "all: a.c",
		  "not set here: CONFIG_X; left out: b.o" },
		{ "obj-m := all.o\nall-y := a.o\nall-$(CONFIG_X) += b.o\n", "all: a.c b.c", "",
		  "CONFIG_X=y" },
		{ "obj-$(CONFIG_X) := all.o\nall-y := a.o\n", "all: a.c",
		  "taken all the same: all.o" },
		{ "# CONFIG_NOTE is not asked\nobj-m := a.o\n", "a: a.c", "" },
		{ "obj-m := a.o\nccflags-$(CONFIG_MMU) := -DM\n", "a: a.c [-DM]", "",
		  "CONFIG_MMU=y" },
		{ "ifeq (\nobj-m := a.o\n", NULL, "Kbuild:1: *** " },
		{ "include none.mk\nobj-m := a.o\n", NULL, "none.mk" },
		{ "$(error no way)\n", NULL, "no way" },
	};

	ROWS_READ(t, rows);
}

static void a_rule_is_not_run(struct ktap *t)
{
	struct scene scene = new_scene();
	static const struct row row = { "", "a: a.c", "" };

	scene_write(&scene, "Kbuild",
		    "all:\n\techo run >$(src)/ran\ndmabuf:\n\techo run\nobj-m := a.o\n");
	reads(t, &scene, &row);
	words_add(&scene.paths, "%s/ran", scene.folder);
	KT_CHECK(t, access(scene.paths.word[scene.paths.nr - 1], F_OK));
	scene_free(&scene);
}

static void folders_are_entered(struct ktap *t)
{
	static const struct row rows[] = {
		{ "obj-m := sub/ a.o\n", "d: sub/d.c; a: a.c", "" },
		{ "obj-m := sub/\nsubdir-ccflags-y := -DX -I$(src)/inc\nccflags-y := -DY\n",
		  "d: sub/d.c [-DX -I @/inc]", "" },
		{ "obj-m := a.o\nsubdir-ccflags-y := -DX\n", "a: a.c [-DX]", "" },
		{ "obj-m := inc/\n", NULL, "inc: neither a Kbuild nor a Makefile in it" },
		{ "obj-m := none/\n", NULL, "none: neither a Kbuild nor a Makefile in it" },
		{ "obj-m := ./\n", NULL, "more than 16 folders deep" },
	};
	struct scene scene = new_scene();

	scene_write(&scene, "sub/Makefile", "obj-m := d.o\n");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		scene_write(&scene, "Kbuild", rows[i].kbuild);
		reads(t, &scene, &rows[i]);
	}
	scene_free(&scene);
}

static void kbuild_goes_before_makefile(struct ktap *t)
{
	static const struct row rows[] = { { "Makefile", "a: a.c", "" },
					   { "Kbuild", "b: b.c", "" } };
	struct scene scene = new_scene();

	scene_write(&scene, "Makefile", "obj-m := a.o\n");
	reads(t, &scene, &rows[0]);
	scene_write(&scene, "Kbuild", "obj-m := b.o\n");
	reads(t, &scene, &rows[1]);
	scene_free(&scene);
}

/* Linux names folders from its root. */
static void trees_have_a_root(struct ktap *t)
{
	struct scene scene = scene_new();
	char *folder = words_format("%s/drivers/x", scene.folder), *text;
	const struct words none = {};
	struct kbuild kbuild;

	scene_write(&scene, "drivers/x/Makefile",
		    "obj-m := a.o\nccflags-y := -I$(srctree)/$(src)/inc -Idrivers/inc -Iinc\n");
	scene_write(&scene, "drivers/x/a.c", "");
	scene_write(&scene, "drivers/x/inc/i.h", "");
	scene_write(&scene, "drivers/inc/i.h", "");
	scene_write(&scene, "include/linux/x.h", "");
	scene_listen(&scene);
	KT_EQ(t, kbuild_read(&kbuild, folder, &none, scene.folder), 0);
	scene_says_nothing(t, &scene);
	text = text_of(&kbuild, &scene);
	ktap_check(t,
		   !strcmp(text, "a: drivers/x/a.c [-I @/drivers/x/inc -I @/drivers/inc -I "
				 "@/drivers/x/inc]"),
		   __FILE__, __LINE__, "%s", text);
	free(text);
	kbuild_free(&kbuild);
	free(folder);
	scene_free(&scene);
}

KTAP_MAIN(KTAP_CASE(obj_m_names_modules), KTAP_CASE(parts_make_a_module),
	  KTAP_CASE(flags_reach_their_sources), KTAP_CASE(conditionals_are_those_of_make),
	  KTAP_CASE(a_rule_is_not_run), KTAP_CASE(folders_are_entered),
	  KTAP_CASE(kbuild_goes_before_makefile), KTAP_CASE(trees_have_a_root))
