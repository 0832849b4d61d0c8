/* SPDX-License-Identifier: MIT */
/* compile.c - see compile.h */
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "checker/check/compile.h"
#include "checker/check/config.h"

/* Of Linux's own flags those that change what code means. */
static const char *const flags[] = {
	"-std=gnu11",
	"-D_GNU_SOURCE",
	"-DLIBDMABUF",
	"-DLIBDMABUF_CHECKS",
	"-DMODULE",
	"-fno-strict-aliasing",
	"-fwrapv",
	"-funsigned-char",
	"-fPIC",
	"-g",
	"-O1",
	"-fno-omit-frame-pointer",
	"-fno-optimize-sibling-calls",
	"-Werror=implicit-function-declaration",
	"-Werror=implicit-int",
	"-Werror=return-type",
	"-Werror=incompatible-pointer-types",
	NULL,
};

static const char *const watched[] = { "-fsanitize=address", NULL };

/* What the explorer's own weak code is compiled with (checker/schedules/meson.build). */
static const char *const explored[] = { "-DLIBDMABUF_SCHEDULES", "-DPORT_POINTS",
					"-fsanitize=thread", NULL };

static bool is_there(const char *folder, const char *name)
{
	char *path = words_format("%s/%s", folder, name);
	bool there = !access(path, R_OK);

	free(path);
	return there;
}

/* In the tree each room is beside include/. */
static bool add_tree(struct compiler *compiler, const char *folder)
{
	if (!is_there(folder, "include/linux/dma-buf.h") || !is_there(folder, "host/labels.h"))
		return false;
	words_add(&compiler->headers, "-I%s/upstream/drivers/include", folder);
	words_add(&compiler->headers, "-I%s/include", folder);
	words_add(&compiler->headers, "-I%s", folder);
	words_add(&compiler->own, "%s/upstream/drivers/include/", folder);
	words_add(&compiler->own, "%s/include/", folder);
	words_add(&compiler->own, "%s/host/", folder);
	words_add(&compiler->own, "%s/dma/", folder);
	return true;
}

static bool add_installed(struct compiler *compiler, const char *folder)
{
	if (!is_there(folder, "linux/dma-buf.h") || !is_there(folder, "host/labels.h"))
		return false;
	words_add(&compiler->headers, "-I%s/subsystems", folder);
	words_add(&compiler->headers, "-I%s", folder);
	words_add(&compiler->headers, "-I%s/..", folder); /* <libdmabuf-check.h> */
	words_add(&compiler->own, "%s/subsystems/", folder);
	words_add(&compiler->own, "%s/", folder);
	return true;
}

static bool add_found(struct compiler *compiler)
{
	const char *named = getenv("DMABUF_HEADERS");
	char program[PATH_MAX], *folder, *installed, *real;
	ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);
	bool found;

	if (named)
		return add_tree(compiler, named) || add_installed(compiler, named);
	if (length < 0)
		return false;
	program[length] = '\0';
	folder = dirname(program);
	installed = words_format("%s/" CHECK_HEADERS, folder);
	real = realpath(installed, NULL);
	found = real && add_installed(compiler, real);
	free(real);
	free(installed);
	while (!found && strcmp(folder, "/") && strcmp(folder, ".")) {
		folder = dirname(folder);
		found = add_tree(compiler, folder);
	}
	return found;
}

int compiler_find(struct compiler *compiler, bool schedules)
{
	const char *named = getenv("CC");

	*compiler = (struct compiler){};
	if (!add_found(compiler)) {
		fprintf(stderr, "dmabuf check: the headers that a driver is compiled against are "
				"not found: "
				"neither " CHECK_HEADERS
				" from where this program lies, nor the tree it was "
				"built in; DMABUF_HEADERS=FOLDER names either\n");
		return 2;
	}
	words_split(&compiler->command, named && *named ? named : CHECK_CC);
	for (const char *const *flag = flags; *flag; flag++)
		words_add(&compiler->command, "%s", *flag);
	for (const char *const *flag = schedules ? explored : watched; *flag; flag++)
		words_add(&compiler->command, "%s", *flag);
	words_split(&compiler->command, CHECK_RCU_FLAGS);
	return 0;
}

void compiler_free(struct compiler *compiler)
{
	words_free(&compiler->command);
	words_free(&compiler->headers);
	words_free(&compiler->own);
}

/* Dashes are none of C's. */
static void add_name(struct words *command, const char *begin, const char *name)
{
	char *copy = words_format("%s", name);

	for (char *c = copy; *c; c++)
		if (*c == '-' || *c == ',')
			*c = '_';
	words_add(command, "%s%s%s", begin, copy, strchr(begin, '"') ? "\"" : "");
	free(copy);
}

struct words compiler_source(const struct compiler *compiler, const char *path, const char *module,
			     const struct words *own, const struct words *options)
{
	struct words command = {};
	char *copy = words_format("%s", path), *base = basename(copy), *end = strrchr(base, '.');

	if (end)
		*end = '\0';
	words_add_all(&command, &compiler->command);
	add_name(&command, "-DKBUILD_MODNAME=\"", module);
	add_name(&command, "-D__KBUILD_MODNAME=kmod_", module);
	add_name(&command, "-DKBUILD_BASENAME=\"", base);
	if (options)
		words_add_all(&command, options);
	if (own)
		words_add_all(&command, own);
	words_add_all(&command, &compiler->headers);
	words_add(&command, "%s", path);
	free(copy);
	return command;
}

int compiler_config(const struct compiler *compiler, const char *scratch, struct words *config)
{
	struct words command = {}, lines = {};
	char *output = words_format("%s/config", scratch), *text;
	int status;

	words_add_all(&command, &compiler->command);
	words_add_all(&command, &compiler->headers);
	words_split(&command, "-E -dM -include linux/kconfig.h -xc /dev/null");
	status = command_run(&command, output);
	text = words_file(output);
	if (status < 0) {
		fprintf(stderr, "dmabuf check: %s: %s (CC=... names the C compiler)\n",
			command.word[0], strerror(errno));
	} else if (status) {
		fprintf(stderr, "%s", text ?: "");
	} else {
		words_split(&lines, text ?: "");
		for (size_t i = 0; i + 2 < lines.nr; i++)
			if (!strcmp(lines.word[i], "#define") &&
			    !strncmp(lines.word[i + 1], "CONFIG_", 7) &&
			    !strcmp(lines.word[i + 2], "1"))
				words_add(config, "%s=y", lines.word[i + 1]);
	}
	free(text);
	free(output);
	words_free(&lines);
	words_free(&command);
	return status ? 2 : 0;
}
