/* SPDX-License-Identifier: MIT */
/* kbuild.c - see kbuild.h */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "checker/check/kbuild.h"

#define SAY "dmabuf check: "

/*
 * What make is given: the folder's file, then lines that print what it has set.  Each begins with
 * MARK, so that nothing the file prints itself is taken for one.
 */
#define MARK "dmabuf-kbuild:"

static const char reader[] =
	"KERNELRELEASE := 6.12.0\n"
	"VERSION := 6\n"
	"PATCHLEVEL := 12\n"
	"SUBLEVEL := 0\n"
	"comma := ,\n"
	"include $(dmabuf-file)\n"
	"dmabuf-parts = $($(1)-y) $($(1)-objs) $($(1)-m)\n"
	"dmabuf-modules := $(patsubst %.o,%,$(filter %.o,$(obj-m) $(obj-y) $(obj-)))\n"
	"$(info " MARK " built $(obj-m) $(obj-y))\n"
	"$(info " MARK " off $(obj-) $(obj-n))\n"
	"$(info " MARK " below $(subdir-ccflags-y))\n"
	"$(info " MARK " flags $(ccflags-y) $(EXTRA_CFLAGS))\n"
	"$(info " MARK " not $(ccflags-remove-y))\n"
	"$(foreach m,$(dmabuf-modules),$(info " MARK " parts-of-$(m) $(call dmabuf-parts,$(m))))\n"
	"$(foreach m,$(dmabuf-modules),$(info " MARK " off-of-$(m) $($(m)-) $($(m)-n)))\n"
	"$(foreach o,$(sort $(foreach m,$(dmabuf-modules),$(m).o $(call dmabuf-parts,$(m)))),"
	"$(info " MARK " flags-of-$(o) $(CFLAGS_$(o)))"
	"$(info " MARK " not-of-$(o) $(CFLAGS_REMOVE_$(o))))\n"
	"dmabuf-kbuild: ;\n"
	".PHONY: dmabuf-kbuild\n";

struct folder {
	const char *path;
	char *file;                /* its Kbuild or Makefile */
	char *tree;                /* of the sources it is part of, or itself */
	char *said;                /* what make printed */
	const struct words *above; /* flags for all folders below another */
};

/* --- what make says --------------------------------------------------------------------------- */

/* As a shell takes words apart: quotes and backslashes. */
static void split_shell(struct words *words, const char *text, const char *end)
{
	char *word = words_format("%.*s", (int)(end - text), text);
	bool begun = false;
	size_t length = 0;
	char quote = '\0';

	for (; text < end; text++) {
		if (!quote && isspace((unsigned char)*text)) {
			if (begun)
				words_add(words, "%.*s", (int)length, word);
			begun = false;
			length = 0;
			continue;
		}
		begun = true;
		if (quote ? *text == quote : *text == '"' || *text == '\'')
			quote = quote ? '\0' : *text;
		else if (*text == '\\' && quote != '\'' && text + 1 < end)
			word[length++] = *++text;
		else
			word[length++] = *text;
	}
	if (begun)
		words_add(words, "%.*s", (int)length, word);
	free(word);
}

/* Appends to @words the rest of the line that begins with @key, @object behind it. */
static void answers(const struct folder *folder, const char *key, const char *object,
		    struct words *words)
{
	char *start = words_format(MARK " %s%s ", key, object);
	const char *line = folder->said;

	while (line && strncmp(line, start, strlen(start))) {
		line = strchr(line, '\n');
		line += !!line;
	}
	if (line)
		split_shell(words, line + strlen(start), strchrnul(line, '\n'));
	free(start);
}

static int ask_make(struct folder *folder, const struct words *config, const char *scratch)
{
	char *script = words_format("%s/kbuild.mk", scratch);
	char *output = words_format("%s/kbuild.log", scratch);
	struct words command = {};
	FILE *file = fopen(script, "w");
	int status = -1;

	if (!file || fputs(reader, file) < 0 || fclose(file)) {
		fprintf(stderr, SAY "%s: %s\n", script, strerror(errno));
		goto free;
	}
	words_split(&command, "make -s -r -R --no-print-directory -C");
	words_add(&command, "%s", folder->path);
	words_add(&command, "-f%s", script);
	words_add(&command, "dmabuf-file=%s", folder->file);
	words_add(&command, "src=%s", folder->path);
	words_add(&command, "obj=%s", folder->path);
	words_add(&command, "PWD=%s", folder->path);
	words_add(&command, "srctree=%s", folder->tree);
	words_add(&command, "objtree=%s", folder->tree);
	words_add_all(&command, config);
	words_add(&command, "dmabuf-kbuild");
	status = command_run(&command, output);
	folder->said = words_file(output);
	if (status < 0)
		fprintf(stderr,
			SAY "make: %s; a folder's Kbuild is read by make: install it, or name a .c "
			    "file\n",
			strerror(errno));
	else if (status)
		fprintf(stderr, "%s" SAY "%s: make cannot read it (what it said is above)\n",
			folder->said ?: "", folder->file);
free:
	words_free(&command);
	free(script);
	free(output);
	return status ? 2 : 0;
}

/* --- flags ------------------------------------------------------------------------------------ */

/*
 * A folder is named from that of the Kbuild, or from the tree's root.  $(srctree)/$(src) is of Linux
 * before 6.10, whose $(src) was not whole.
 */
static char *found(const struct folder *folder, const char *name)
{
	size_t root = strlen(folder->tree);
	char *beside;

	if (*name == '/') {
		if (!strncmp(name, folder->tree, root) && name[root] == '/' &&
		    name[root + 1] == '/')
			name += root + 1;
		return words_format("%s", name);
	}
	beside = words_format("%s/%s", folder->path, name);
	if (!access(beside, F_OK))
		return beside;
	free(beside);
	return words_format("%s/%s", folder->tree, name);
}

/* The flags of @given that mean something here, their folders found. */
static void take_flags(const struct folder *folder, const struct words *given,
		       const struct words *removed, struct words *taken)
{
	static const char *const kinds[] = { "-include", "-iquote", "-isystem", "-I", "-D", "-U" };

	for (size_t i = 0; i < given->nr; i++) {
		const char *flag = given->word[i], *value;
		size_t kind = 0;
		char *path;

		while (kind < 6 && strncmp(flag, kinds[kind], strlen(kinds[kind])))
			kind++;
		if (kind == 6 || words_have(removed, flag))
			continue;
		value = flag + strlen(kinds[kind]);
		if (!*value && ++i == given->nr)
			break;
		value = *value ? value : given->word[i];
		if (kind >= 4) {
			words_add(taken, "%s%s", kinds[kind], value);
			continue;
		}
		path = found(folder, value);
		words_add(taken, "%s", kinds[kind]);
		words_add(taken, "%s", path);
		free(path);
	}
}

static void take_answers(const struct folder *folder, const char *key, const char *object,
			 const struct words *removed, struct words *taken)
{
	struct words given = {};

	answers(folder, key, object, &given);
	take_flags(folder, &given, removed, taken);
	words_free(&given);
}

/* --- modules ---------------------------------------------------------------------------------- */

/* Grows an array whose members are zero at first; the program ends without memory. */
static void *one_more(void *array, size_t nr, size_t bytes)
{
	char *grown = reallocarray(array, nr + 1, bytes);

	if (!grown) {
		fprintf(stderr, SAY "%s\n", strerror(ENOMEM));
		exit(2);
	}
	memset(grown + nr * bytes, 0, bytes);
	return grown;
}

struct kbuild_module *kbuild_add_module(struct kbuild *kbuild)
{
	kbuild->modules = one_more(kbuild->modules, kbuild->nr, sizeof(*kbuild->modules));
	return &kbuild->modules[kbuild->nr++];
}

struct kbuild_source *kbuild_add_source(struct kbuild_module *module)
{
	module->sources = one_more(module->sources, module->nr, sizeof(*module->sources));
	return &module->sources[module->nr++];
}

static int add_source(const struct folder *folder, struct kbuild_module *module, const char *object)
{
	struct words removed = {};
	struct kbuild_source *source;
	char *path = words_format("%s/%.*s.c", folder->path, (int)strlen(object) - 2, object);

	if (access(path, R_OK)) {
		fprintf(stderr, SAY "%s: %s is made of no %s (%s)\n", folder->file, object, path,
			strerror(errno));
		free(path);
		return 2;
	}
	source = kbuild_add_source(module);
	source->path = path;
	answers(folder, "not", "", &removed);
	answers(folder, "not-of-", object, &removed);
	words_add_all(&source->flags, folder->above);
	take_answers(folder, "below", "", &removed, &source->flags);
	take_answers(folder, "flags", "", &removed, &source->flags);
	take_answers(folder, "flags-of-", object, &removed, &source->flags);
	words_free(&removed);
	return 0;
}

static bool is_object(const char *word)
{
	size_t length = strlen(word);

	return length > 2 && !strcmp(word + length - 2, ".o");
}

static int add_module(const struct folder *folder, struct kbuild *kbuild, const char *object)
{
	char *name = words_format("%.*s", (int)strlen(object) - 2, object), *slash;
	struct words parts = {};
	struct kbuild_module *module;
	int ret = 0;

	answers(folder, "parts-of-", name, &parts);
	module = kbuild_add_module(kbuild);
	slash = strrchr(name, '/');
	module->name = words_format("%s", slash ? slash + 1 : name);
	if (!parts.nr)
		words_add(&parts, "%s", object);
	for (size_t i = 0; !ret && i < parts.nr; i++) {
		struct words before = { parts.word, i };

		if (words_have(&before, parts.word[i]))
			continue;
		if (is_object(parts.word[i])) {
			ret = add_source(folder, module, parts.word[i]);
			continue;
		}
		fprintf(stderr, SAY "%s: %s of %s is no object\n", folder->file, parts.word[i],
			object);
		ret = 2;
	}
	words_free(&parts);
	free(name);
	return ret;
}

/* --- a configuration that there is not -------------------------------------------------------- */

static bool is_set(const struct words *config, const char *name, size_t length)
{
	for (size_t i = 0; i < config->nr; i++)
		if (!strncmp(config->word[i], name, length) && config->word[i][length] == '=')
			return true;
	return false;
}

/* The names of @text, a Kbuild, that @config does not set. */
static void find_unset(const char *text, const struct words *config, struct words *unset)
{
	static const char prefix[] = "CONFIG_";

	for (const char *at = text; *at; at++) {
		size_t length = strlen(prefix);
		char *name;

		if (*at == '#')
			at = strchrnul(at, '\n') - 1;
		if (strncmp(at, prefix, length) || isalnum((unsigned char)at[-(at > text)]))
			continue;
		while (isalnum((unsigned char)at[length]) || at[length] == '_')
			length++;
		name = words_format("%.*s", (int)length, at);
		if (!is_set(config, at, length) && !words_have(unset, name))
			words_add(unset, "%s", name);
		free(name);
		at += length - 1;
	}
}

static void say_words(const struct words *words)
{
	for (size_t i = 0; i < words->nr; i++)
		fprintf(stderr, "%s%s", i ? ", " : "", words->word[i]);
}

static void say_unset(const struct folder *folder, const struct words *config,
		      const struct words *off, bool taken)
{
	char *text = words_file(folder->file);
	struct words unset = {};

	find_unset(text ?: "", config, &unset);
	if (unset.nr) {
		fprintf(stderr, SAY "%s: not set here: ", folder->file);
		say_words(&unset);
		if (off->nr) {
			fprintf(stderr, taken ? "; nothing else is built, so taken all the same: "
					      : "; left out: ");
			say_words(off);
		}
		fprintf(stderr, " (-D %s=y sets it)\n", unset.word[0]);
	}
	words_free(&unset);
	free(text);
}

/* --- a folder --------------------------------------------------------------------------------- */

static int find_file(struct folder *folder)
{
	folder->file = words_format("%s/Kbuild", folder->path);
	if (!access(folder->file, R_OK))
		return 0;
	free(folder->file);
	folder->file = words_format("%s/Makefile", folder->path);
	if (!access(folder->file, R_OK))
		return 0;
	fprintf(stderr, SAY "%s: neither a Kbuild nor a Makefile in it; name a .c file\n",
		folder->path);
	return 2;
}

static void find_tree(struct folder *folder)
{
	char *tree = words_format("%s", folder->path), *slash;

	while ((slash = strrchr(tree, '/'))) {
		char *drivers = words_format("%s/drivers", tree);
		char *headers = words_format("%s/include/linux", tree);
		bool root = !access(drivers, F_OK) && !access(headers, F_OK);

		free(drivers);
		free(headers);
		if (root) {
			folder->tree = tree;
			return;
		}
		*slash = '\0';
	}
	free(tree);
	folder->tree = words_format("%s", folder->path);
}

static int read_folder(struct kbuild *kbuild, const char *path, const struct words *config,
		       const char *scratch, const struct words *above, unsigned int depth);

static int add_folder(const struct folder *folder, struct kbuild *kbuild, const char *name,
		      const struct words *config, const char *scratch, unsigned int depth)
{
	char *path = words_format("%s/%.*s", folder->path, (int)strlen(name) - 1, name);
	struct words above = {}, removed = {};
	int ret;

	words_add_all(&above, folder->above);
	take_answers(folder, "below", "", &removed, &above);
	ret = read_folder(kbuild, path, config, scratch, &above, depth + 1);
	words_free(&above);
	free(path);
	return ret;
}

static int add_built(const struct folder *folder, struct kbuild *kbuild, const struct words *built,
		     const struct words *config, const char *scratch, unsigned int depth)
{
	for (size_t i = 0; i < built->nr; i++) {
		const char *word = built->word[i];
		struct words before = { built->word, i };
		int ret;

		if (words_have(&before, word))
			continue;
		if (word[strlen(word) - 1] == '/') {
			ret = add_folder(folder, kbuild, word, config, scratch, depth);
		} else if (is_object(word)) {
			ret = add_module(folder, kbuild, word);
		} else {
			fprintf(stderr, SAY "%s: %s is neither an object nor a folder\n",
				folder->file, word);
			ret = 2;
		}
		if (ret)
			return ret;
	}
	return 0;
}

static void find_off(const struct folder *folder, const struct words *built, struct words *off)
{
	for (size_t i = 0; i < built->nr; i++) {
		char *name = words_format("%.*s", (int)strlen(built->word[i]) - 2, built->word[i]);

		answers(folder, "off-of-", name, off);
		free(name);
	}
}

#define DEEPEST 16

static int read_folder(struct kbuild *kbuild, const char *path, const struct words *config,
		       const char *scratch, const struct words *above, unsigned int depth)
{
	struct folder folder = { .path = path, .above = above };
	struct words built = {}, off = {};
	bool taken;
	int ret;

	if (depth > DEEPEST) {
		fprintf(stderr, SAY "%s: more than %d folders deep\n", path, DEEPEST);
		return 2;
	}
	ret = find_file(&folder);
	if (ret)
		goto free;
	find_tree(&folder);
	ret = ask_make(&folder, config, scratch);
	if (ret)
		goto free;
	answers(&folder, "built", "", &built);
	answers(&folder, "off", "", &off);
	taken = !built.nr && off.nr;
	if (taken)
		words_add_all(&built, &off);
	else
		find_off(&folder, &built, &off);
	say_unset(&folder, config, &off, taken);
	ret = add_built(&folder, kbuild, &built, config, scratch, depth);
	if (!ret && !built.nr) {
		fprintf(stderr, SAY "%s: sets no obj-m, so nothing is built\n", folder.file);
		ret = 2;
	}
free:
	words_free(&built);
	words_free(&off);
	free(folder.file);
	free(folder.tree);
	free(folder.said);
	return ret;
}

int kbuild_read(struct kbuild *kbuild, const char *folder, const struct words *config,
		const char *scratch)
{
	const struct words none = {};
	char *path = realpath(folder, NULL);
	int ret;

	*kbuild = (struct kbuild){};
	if (!path) {
		fprintf(stderr, SAY "%s: %s\n", folder, strerror(errno));
		return 2;
	}
	if (strpbrk(path, " \t:#$%")) {
		fprintf(stderr,
			SAY "%s: make takes no folder with a space or one of :#$%% in its name\n",
			path);
		free(path);
		return 2;
	}
	ret = read_folder(kbuild, path, config, scratch, &none, 0);
	free(path);
	return ret;
}

void kbuild_free(struct kbuild *kbuild)
{
	for (size_t m = 0; m < kbuild->nr; m++) {
		struct kbuild_module *module = &kbuild->modules[m];

		for (size_t i = 0; i < module->nr; i++) {
			free(module->sources[i].path);
			words_free(&module->sources[i].flags);
		}
		free(module->sources);
		free(module->name);
	}
	free(kbuild->modules);
	*kbuild = (struct kbuild){};
}
