/* SPDX-License-Identifier: MIT */
/* missing.c - driver_missing(); see build.h */
#include <dirent.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checker/check/build-parts.h"
#include "checker/check/lacks.h"

#define SAY "dmabuf check: "

/* Runs in which unknown types get a stand-in; what is told in none of them is not told. */
#define ROUNDS 6

struct search {
	const struct driver_request *request;
	const struct compiler *compiler;
	const char *scratch;
	struct words options;
	struct words columns; /* for the compiler, to count columns in bytes */
	struct words ours;    /* folders whose files are no driver's */
	struct lacks lacks;
	struct lacks partial; /* headers of which only the part for programs is there */
};

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* --- headers ---------------------------------------------------------------------------------- */

/* FILE:LINE of the first #include of @header in @files, or @source. */
static char *who_includes(const struct words *files, const char *header, const char *source)
{
	for (size_t i = 0; i < files->nr; i++) {
		char *text = words_file(files->word[i]), *who = NULL;
		unsigned int number = 1;

		for (const char *line = text; !who && line && *line; number++) {
			const char *end = strchrnul(line, '\n'), *at = line + strspn(line, " \t");
			size_t length = strlen(header);

			if (*at == '#') {
				at = memmem(at, end - at, header, length);
				if (at && strchr("<\"/", at[-1]) && strchr(">\"", at[length]))
					who = words_format("%s:%u", files->word[i], number);
			}
			line = end + !!*end;
		}
		free(text);
		if (who)
			return who;
	}
	return words_format("%s", source);
}

static bool starts_any(const char *path, const struct words *folders)
{
	for (size_t i = 0; i < folders->nr; i++)
		if (!strncmp(path, folders->word[i], strlen(folders->word[i])))
			return true;
	return false;
}

/* An empty stand-in for @header, so that the compiler goes on. */
static void stand_in(const char *scratch, const char *header)
{
	char *path = words_format("%s/stand-in/%s", scratch, header);
	FILE *file;

	for (char *slash = path + strlen(scratch) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(path, 0700);
		*slash = '/';
	}
	file = fopen(path, "w");
	if (file)
		fclose(file);
	free(path);
}

/*
 * A header that only the system has, with what programs need of it: the driver may want more.
 * Only told beside something that lacks.
 */
static void note_programs_part(struct search *search, const struct words *driver, const char *file)
{
	static const char folder[] = "/usr/include/linux/";
	const char *header = file + strlen("/usr/include/");
	char *who;

	if (strncmp(file, folder, strlen(folder)))
		return;
	for (size_t i = 0; i < search->compiler->own.nr; i++) {
		char *ours = words_format("%s%s", search->compiler->own.word[i], header);
		bool there = !access(ours, R_OK);

		free(ours);
		if (there)
			return;
	}
	who = who_includes(driver, header, "");
	if (*who)
		lacks_add(&search->partial, LACKS_HEADER, header, who);
	free(who);
}

/* As a rule for make: "OBJECT: FILE FILE \". Those that are not there are named as the source does. */
static void sort_headers(struct search *search, const char *rule, const char *source)
{
	struct words files = {}, driver = {};

	words_split(&files, strchr(rule, ':') ? strchr(rule, ':') + 1 : "");
	for (size_t i = 0; i < files.nr; i++) {
		const char *file = files.word[i];

		if (strcmp(file, "\\") && !starts_any(file, &search->ours) && !access(file, R_OK))
			words_add(&driver, "%s", file);
	}
	for (size_t i = 0; i < files.nr; i++) {
		const char *file = files.word[i];
		char *who;

		if (!strcmp(file, "\\"))
			continue;
		if (!access(file, R_OK)) {
			note_programs_part(search, &driver, file);
			continue;
		}
		who = who_includes(&driver, file, source);
		lacks_add(&search->lacks, LACKS_HEADER, file, who);
		stand_in(search->scratch, file);
		free(who);
	}
	words_free(&files);
	words_free(&driver);
}

static int find_headers(struct search *search, const struct kbuild_module *module, size_t i)
{
	const struct kbuild_source *source = &module->sources[i];
	char *rule = words_format("%s/rule", search->scratch), *text;
	char *output = words_format("%s/rule.log", search->scratch);
	struct words command = compiler_source(search->compiler, source->path, module->name,
					       &source->flags, &search->options);
	int status;

	words_split(&command, "-M -MG -MT object -MF");
	words_add(&command, "%s", rule);
	status = command_run(&command, output);
	text = words_file(status ? output : rule);
	if (status < 0)
		fprintf(stderr, SAY "%s: %s (CC=... names the C compiler)\n", command.word[0],
			strerror(errno));
	else if (status)
		fprintf(stderr, "%s", text ?: "");
	else
		sort_headers(search, text ?: "", source->path);
	words_free(&command);
	free(text);
	free(rule);
	free(output);
	return status ? 2 : 0;
}

/* --- symbols ---------------------------------------------------------------------------------- */

static void write_stand_ins(const struct search *search)
{
	char *path = words_format("%s/stand-in.h", search->scratch);
	FILE *file = fopen(path, "w");

	if (file) {
		lacks_stand_in(&search->lacks, file);
		fclose(file);
	}
	free(path);
}

/* gcc counts a tab as eight columns, clang as one. */
static void find_columns(struct search *search)
{
	static const char flag[] = "-fdiagnostics-column-unit=byte";
	char *output = words_format("%s/columns", search->scratch);
	struct words command = {};

	words_add_all(&command, &search->compiler->command);
	words_split(&command, "-fsyntax-only -xc /dev/null");
	words_add(&command, "%s", flag);
	if (!command_run(&command, output))
		words_add(&search->columns, "%s", flag);
	words_free(&command);
	free(output);
}

static void find_symbols(struct search *search, const struct kbuild_module *module, size_t i)
{
	const struct kbuild_source *source = &module->sources[i];
	char *output = words_format("%s/messages", search->scratch);
	struct words command = compiler_source(search->compiler, source->path, module->name,
					       &source->flags, &search->options);
	size_t before;

	words_add(&command, "-I%s/stand-in", search->scratch);
	words_add(&command, "-include%s/stand-in.h", search->scratch);
	words_split(&command, "-fsyntax-only -fmax-errors=0");
	words_add_all(&command, &search->columns);
	for (unsigned int round = 0; round < ROUNDS; round++) {
		char *text;

		before = search->lacks.nr;
		write_stand_ins(search);
		if (command_run(&command, output) > 0) {
			text = words_file(output);
			lacks_read(&search->lacks, text ?: "", &search->ours);
			free(text);
		}
		if (search->lacks.nr == before)
			break;
	}
	words_free(&command);
	free(output);
}

/* FILE:LINE where a source names @symbol first, or the module. */
static char *who_names(const struct kbuild_module *module, const char *symbol)
{
	size_t length = strlen(symbol);

	for (size_t i = 0; i < module->nr; i++) {
		char *text = words_file(module->sources[i].path), *at = text, *who = NULL;

		while (at && !who && (at = strstr(at, symbol))) {
			unsigned int line = 1;

			at += length;
			if (is_word(*at))
				continue;
			for (const char *c = text; c < at; c++)
				line += *c == '\n';
			who = words_format("%s:%u", module->sources[i].path, line);
		}
		free(text);
		if (who)
			return who;
	}
	return words_format("%s", module->name);
}

/* What is declared and defined nowhere shows when all of it compiles. */
static int find_undefined(struct search *search, const struct kbuild *kbuild)
{
	struct driver_build build = { .folder = words_format("%s", search->scratch) };
	int ret = build_compile(search->request, search->compiler, kbuild, &build);

	for (size_t m = 0; !ret && m < build.nr; m++) {
		struct words lacking = {};

		ret = build_lacking(&search->request->programs, build.modules[m].so, &lacking);
		for (size_t i = 0; i < lacking.nr; i++) {
			char *who = who_names(&kbuild->modules[m], lacking.word[i]);

			lacks_add(&search->lacks, LACKS_SYMBOL, lacking.word[i], who);
			free(who);
		}
		words_free(&lacking);
	}
	free(build.folder);
	build.folder = NULL;
	driver_build_free(&build);
	return ret;
}

/* --- where a stub goes ------------------------------------------------------------------------ */

/*
 * Is @name made known in @text: a macro, or in a line that begins at its margin or with an
 * enumerator; with @whole, is it what is defined there?
 */
static bool names(const char *text, const char *name, bool whole)
{
	size_t length = strlen(name);

	for (const char *at = text; (at = strstr(at, name)); at += length) {
		const char *line = at;

		if ((at > text && is_word(at[-1])) || is_word(at[length]))
			continue;
		while (line > text && line[-1] != '\n')
			line--;
		if (whole           ? !strncmp(at + length, " {", 2)
		    : *line == '#'  ? !strncmp(line, "#define ", 8) && at == line + 8
		    : *line == '\t' ? at == line + 1 && strchr(" ,", at[length])
				    : !strchr(" /}", *line) || !strncmp(line, "} ", 2))
			return true;
	}
	return false;
}

/* The header of ours, as <...> names it, that has @name, or NULL. */
static char *header_with(const char *folder, const char *below, const char *name, bool whole)
{
	char *path = words_format("%s%s", folder, below), *found = NULL;
	struct dirent **entries = NULL;
	int nr = scandir(path, &entries, NULL, alphasort);

	for (int i = 0; i < nr; i++) {
		const char *entry = entries[i]->d_name;
		char *inner = words_format("%s%s%s", below, entry,
					   entries[i]->d_type == DT_DIR ? "/" : "");

		if (!found && *entry != '.' && entries[i]->d_type == DT_DIR) {
			found = header_with(folder, inner, name, whole);
		} else if (!found && *entry != '.' && strstr(entry, ".h")) {
			char *file = words_format("%s%s", path, entry), *text = words_file(file);

			if (text && names(text, name, whole))
				found = words_format("%s", inner);
			free(text);
			free(file);
		}
		free(inner);
		free(entries[i]);
	}
	free(entries);
	free(path);
	return found;
}

static char *ours_with(const struct search *search, const char *name, bool whole)
{
	char *found = NULL;

	for (size_t i = 0; !found && i < search->compiler->own.nr; i++)
		found = header_with(search->compiler->own.word[i], "", name, whole);
	return found;
}

/* How much of @name a header's own name begins with: drm_vma_offset_add is of drm/drm_vma_manager.h. */
static size_t likeness(const char *header, const char *name)
{
	const char *slash = strrchr(header, '/'), *base = slash ? slash + 1 : header;
	size_t alike = 0;

	while (*base && *name && (*base | 32) == (*name | 32)) {
		alike++;
		base++;
		name++;
	}
	return alike;
}

/* What names of Linux's 6.12 begin with that do not begin as the header does that has them. */
static const struct {
	const char *start, *header;
} starts[] = {
	{ "clk_", "linux/clk.h" },
	{ "dma_async_", "linux/dmaengine.h" },
	{ "dma_chan", "linux/dmaengine.h" },
	{ "dma_release_channel", "linux/dmaengine.h" },
	{ "dma_request_chan", "linux/dmaengine.h" },
	{ "gpiod_", "linux/gpio/consumer.h" },
	{ "ioread", "linux/io.h" },
	{ "iowrite", "linux/io.h" },
	{ "of_dma_configure", "linux/of_device.h" },
	{ "of_get_named_gpio", "linux/of_gpio.h" },
	{ "of_reserved_mem_", "linux/of_reserved_mem.h" },
	{ "pci_", "linux/pci.h" },
	{ "readl", "linux/io.h" },
	{ "readx", "linux/iopoll.h" },
	{ "regulator_", "linux/regulator/consumer.h" },
	{ "reset_control_", "linux/reset.h" },
	{ "tasklet_", "linux/interrupt.h" },
	{ "v4l2_ctrl_", "media/v4l2-ctrls.h" },
	{ "v4l2_device_", "media/v4l2-device.h" },
	{ "v4l2_subdev_", "media/v4l2-subdev.h" },
	{ "vb2_", "media/videobuf2-v4l2.h" },
	{ "video_device", "media/v4l2-dev.h" },
	{ "video_register_device", "media/v4l2-dev.h" },
	{ "writel", "linux/io.h" },
};

/* Without "struct " and the like, and without what only says that it ends with the device. */
static const char *bare(const char *name)
{
	const char *space = strchr(name, ' ');

	name = space ? space + 1 : name;
	return strncmp(name, "devm_", 5) ? name : name + 5;
}

/* Is @header one of those that lack, or of ours, which may have a part of Linux's only? */
static bool takes_stub(const struct search *search, const char *header)
{
	for (size_t i = 0; i < search->compiler->own.nr; i++) {
		char *ours = words_format("%s%s", search->compiler->own.word[i], header);
		bool there = !access(ours, R_OK);

		free(ours);
		if (there)
			return true;
	}
	for (size_t i = 0; i < search->lacks.nr; i++)
		if (search->lacks.lack[i].kind == LACKS_HEADER &&
		    !strcmp(search->lacks.lack[i].name, header))
			return true;
	return false;
}

/*
 * The lacking header that @name is of, as far as its name tells: the one it begins with, or the only
 * one.  NULL where no header lacks, and, unless @any will do, where it may be any of several.
 */
static const char *likely_header(const struct search *search, const char *name, bool any)
{
	const char *best = NULL;
	unsigned int headers = 0;

	name = bare(name);
	for (size_t i = 0; i < sizeof(starts) / sizeof(*starts); i++)
		if (!strncmp(name, starts[i].start, strlen(starts[i].start)) &&
		    takes_stub(search, starts[i].header))
			return starts[i].header;
	for (size_t i = 0; i < search->lacks.nr; i++) {
		const struct lack *lack = &search->lacks.lack[i];

		if (lack->kind != LACKS_HEADER)
			continue;
		headers++;
		if (!best || likeness(lack->name, name) > likeness(best, name))
			best = lack->name;
	}
	return headers > 1 && !any && !likeness(best, name) ? NULL : best;
}

static char *stub_of(const struct search *search, const struct lack *lack)
{
	const char *likely;
	char *text, *ours;

	if (lack->kind == LACKS_HEADER)
		return words_format(BUILD_STUBS "/%s", lack->name);
	if (lack->kind == LACKS_SYMBOL)
		return words_format("a .c file in " BUILD_STUBS);
	ours = ours_with(search, lack->name, lack->kind == LACKS_TYPE && lack->members.nr);
	/* What Linux's includes that lacks, so may a stub of it. */
	likely = likely_header(search, lack->name, ours);
	if (ours && lack->kind == LACKS_TYPE && lack->members.nr)
		text = words_format("none: that struct is <%s>'s", ours);
	else if (ours && likely)
		text = words_format("#include <%s> in " BUILD_STUBS "/%s", ours, likely);
	else if (ours)
		text = words_format("#include <%s>", ours);
	else
		text = words_format(BUILD_STUBS "/%s", likely ?: "NAME.h");
	free(ours);
	return text;
}

/* --- telling ---------------------------------------------------------------------------------- */

static const char *const kinds[] = {
	[LACKS_HEADER] = "header", [LACKS_LOOP] = "macro",        [LACKS_TYPE] = "type",
	[LACKS_MACRO] = "macro",   [LACKS_FUNCTION] = "function", [LACKS_NAME] = "name",
	[LACKS_SYMBOL] = "symbol",
};

static char *name_of(const struct lack *lack)
{
	char *text, *longer;

	text = words_format(lack->kind == LACKS_FUNCTION || lack->kind == LACKS_SYMBOL ? "%s()"
										       : "%s",
			    lack->name);
	for (size_t i = 0; i < lack->members.nr; i++) {
		longer = words_format("%s .%s", text, lack->members.word[i]);
		free(text);
		text = longer;
	}
	return text;
}

static void tell(const struct search *search, FILE *out)
{
	unsigned int headers = 0;

	for (size_t i = 0; i < search->lacks.nr; i++)
		headers += search->lacks.lack[i].kind == LACKS_HEADER;
	fprintf(out, "%s: not here: headers %u, symbols %zu\n", search->request->path, headers,
		search->lacks.nr - headers);
	for (enum lack_kind kind = 0; kind <= LACKS_SYMBOL; kind++) {
		for (size_t i = 0; i < search->lacks.nr; i++) {
			const struct lack *lack = &search->lacks.lack[i];
			char *name, *stub;

			if (lack->kind != kind)
				continue;
			name = name_of(lack);
			stub = stub_of(search, lack);
			fprintf(out, "  %-8s %-32s %s; stub: %s\n", kinds[kind], name, lack->who,
				stub);
			free(name);
			free(stub);
		}
	}
	fprintf(out,
		"A stub is a header of your own in the folder " BUILD_STUBS
		" beside the driver, which is "
		"searched before our headers;\none that has the name of one of ours begins with "
		"#include_next. Its .c files are built with the driver.\n");
}

/* --- all of it -------------------------------------------------------------------------------- */

static int search_sources(struct search *search)
{
	struct kbuild kbuild;
	int ret = build_sources(search->request, search->compiler, &kbuild, search->scratch);

	for (size_t m = 0; !ret && m < kbuild.nr; m++)
		for (size_t i = 0; !ret && i < kbuild.modules[m].nr; i++)
			ret = find_headers(search, &kbuild.modules[m], i);
	if (!ret)
		find_columns(search);
	for (size_t m = 0; !ret && m < kbuild.nr; m++)
		for (size_t i = 0; i < kbuild.modules[m].nr; i++)
			find_symbols(search, &kbuild.modules[m], i);
	/* What does not compile for another reason is told by the compiler. */
	if (!ret && !search->lacks.nr)
		ret = find_undefined(search, &kbuild);
	kbuild_free(&kbuild);
	return ret;
}

static int search_ready(struct search *search)
{
	struct words lacking = {};
	int ret = build_lacking(&search->request->programs, search->request->path, &lacking);

	for (size_t i = 0; i < lacking.nr; i++)
		lacks_add(&search->lacks, LACKS_SYMBOL, lacking.word[i], search->request->path);
	words_free(&lacking);
	return ret;
}

int driver_missing(const struct driver_request *request, FILE *out)
{
	struct compiler compiler = {};
	struct search search = { .request = request, .compiler = &compiler };
	size_t length = strlen(request->path);
	char *scratch = NULL;
	int ret;

	if (length > 3 && !strcmp(request->path + length - 3, ".so")) {
		ret = search_ready(&search);
	} else {
		ret = compiler_find(&compiler, request->schedules);
		scratch = ret ? NULL : build_scratch();
		search.scratch = scratch;
		search.options = build_options(request);
		words_add_all(&search.ours, &compiler.own);
		words_split(&search.ours, "/usr/include/ /usr/lib/");
		ret = scratch ? search_sources(&search) : 2;
	}
	if (!ret && search.lacks.nr) {
		/* Of one that compiles no header lacks anything. */
		for (size_t i = 0;
		     search.lacks.lack[0].kind != LACKS_SYMBOL && i < search.partial.nr; i++)
			lacks_add(&search.lacks, LACKS_HEADER, search.partial.lack[i].name,
				  search.partial.lack[i].who);
		tell(&search, out);
		ret = 1;
	}
	build_scratch_remove(scratch);
	words_free(&search.options);
	words_free(&search.columns);
	words_free(&search.ours);
	lacks_free(&search.lacks);
	lacks_free(&search.partial);
	compiler_free(&compiler);
	return ret;
}
