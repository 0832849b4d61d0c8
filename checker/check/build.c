/* SPDX-License-Identifier: MIT */
/* build.c - see build.h */
#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checker/check/build-parts.h"
#include "checker/check/config.h"
#include "checker/check/symbols.h"

#define SAY "dmabuf check: "

/* --- the folder ------------------------------------------------------------------------------- */

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *ftw)
{
	(void)stat;
	(void)type;
	(void)ftw;
	return remove(path);
}

char *build_scratch(void)
{
	const char *parent = getenv("TMPDIR");
	char *folder = words_format("%s/dmabuf-check.XXXXXX", parent && *parent ? parent : "/tmp");

	if (mkdtemp(folder))
		return folder;
	fprintf(stderr, SAY "%s: %s\n", folder, strerror(errno));
	free(folder);
	return NULL;
}

void build_scratch_remove(char *folder)
{
	if (folder)
		nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(folder);
}

/* --- what kind of driver it is ---------------------------------------------------------------- */

static bool ends_in(const char *path, const char *end)
{
	size_t length = strlen(path);

	return length > strlen(end) && !strcmp(path + length - strlen(end), end);
}

/* The file's name without folder and @end. */
static char *base_of(const char *path, const char *end)
{
	char *copy = words_format("%s", path);
	char *name = words_format("%s", basename(copy));

	if (ends_in(name, end))
		name[strlen(name) - strlen(end)] = '\0';
	free(copy);
	return name;
}

static int one_source(struct kbuild *kbuild, const char *path)
{
	struct kbuild_module *module = kbuild_add_module(kbuild);

	module->name = base_of(path, ".c");
	kbuild_add_source(module)->path = words_format("%s", path);
	return 0;
}

/* What CONFIG_NAME=VALUE of -D says is for make, too. */
static int read_folder(const struct driver_request *request, const struct compiler *compiler,
		       struct kbuild *kbuild, const char *scratch)
{
	struct words config = {};
	int ret = compiler_config(compiler, scratch, &config);

	for (size_t i = 0; i < request->options.nr; i++) {
		const char *option = request->options.word[i], *value;

		if (strncmp(option, "-DCONFIG_", strlen("-DCONFIG_")))
			continue;
		option += strlen("-D");
		value = strchr(option, '=');
		if (!value)
			words_add(&config, "%s=y", option);
		else
			words_add(&config, "%.*s=%s", (int)(value - option), option,
				  strcmp(value, "=1") ? value + 1 : "y");
	}
	if (!ret)
		ret = kbuild_read(kbuild, request->path, &config, scratch);
	words_free(&config);
	return ret;
}

static int is_source(const struct dirent *entry)
{
	return *entry->d_name != '.' && ends_in(entry->d_name, ".c");
}

/* Adds what there is in BUILD_STUBS beside the driver to each module. */
static void add_stubs(struct kbuild *kbuild, const char *path, bool folder)
{
	const char *slash = strrchr(path, '/');
	char *beside = folder  ? words_format("%s", path)
		       : slash ? words_format("%.*s", (int)(slash - path), path)
			       : words_format(".");
	char *stubs = words_format("%s/" BUILD_STUBS, beside);
	struct dirent **entries = NULL;
	int nr = scandir(stubs, &entries, is_source, alphasort);

	for (size_t m = 0; nr >= 0 && m < kbuild->nr; m++) {
		struct kbuild_module *module = &kbuild->modules[m];

		for (int i = 0; i < nr; i++)
			kbuild_add_source(module)->path =
				words_format("%s/%s", stubs, entries[i]->d_name);
		for (size_t i = 0; i < module->nr; i++)
			words_add(&module->sources[i].flags, "-I%s", stubs);
	}
	for (int i = 0; i < nr; i++)
		free(entries[i]);
	free(entries);
	free(stubs);
	free(beside);
}

int build_sources(const struct driver_request *request, const struct compiler *compiler,
		  struct kbuild *kbuild, const char *scratch)
{
	struct stat stat_;
	int ret = 2;

	*kbuild = (struct kbuild){};
	if (stat(request->path, &stat_))
		fprintf(stderr, SAY "%s: %s\n", request->path, strerror(errno));
	else if (S_ISDIR(stat_.st_mode))
		ret = read_folder(request, compiler, kbuild, scratch);
	else if (ends_in(request->path, ".c"))
		ret = one_source(kbuild, request->path);
	else
		fprintf(stderr, SAY "%s: no driver: neither a .c file, a folder nor a .so file\n",
			request->path);
	if (!ret)
		add_stubs(kbuild, request->path, S_ISDIR(stat_.st_mode));
	return ret;
}

/* The compiler takes CONFIG_NAME=y as IS_ENABLED() asks for it. */
struct words build_options(const struct driver_request *request)
{
	struct words options = {};

	for (size_t i = 0; i < request->options.nr; i++) {
		const char *option = request->options.word[i], *value = strchr(option, '=');

		if (!strncmp(option, "-DCONFIG_", strlen("-DCONFIG_")) && value &&
		    (!strcmp(value, "=y") || !strcmp(value, "=m")))
			words_add(&options, "%.*s=1", (int)(value - option), option);
		else
			words_add(&options, "%s", option);
	}
	return options;
}

/* --- its symbols ------------------------------------------------------------------------------ */

static bool is_sanitizer(const char *library)
{
	return !strncmp(library, "libasan.", strlen("libasan.")) ||
	       strstr(library, "clang_rt.asan");
}

/* The first of the libraries that is AddressSanitizer's, or NULL. */
static const char *sanitizer_of(const struct symbols *symbols)
{
	for (size_t i = 0; i < symbols->libraries.nr; i++)
		if (is_sanitizer(symbols->libraries.word[i]))
			return symbols->libraries.word[i];
	return NULL;
}

/*
 * Adds what the libraries beside @so give.  Returns whether those elsewhere are the compiler's only:
 * any other is found by the loader alone.
 */
static bool read_beside(const struct symbols *symbols, const char *so, struct words *given)
{
	static const char *const usual[] = { "libc.", "libgcc_s.", "ld-linux", "libpthread." };
	bool known = true;

	for (size_t i = 0; i < symbols->libraries.nr; i++) {
		const char *library = symbols->libraries.word[i], *slash = strrchr(so, '/');
		char *path = words_format("%.*s/%s", slash ? (int)(slash - so) : 1,
					  slash ? so : ".", library);
		struct symbols beside;
		size_t u = 0;

		while (u < 4 && strncmp(library, usual[u], strlen(usual[u])))
			u++;
		if (u == 4 && !is_sanitizer(library)) {
			known &= !symbols_read(&beside, path);
			words_add_all(given, &beside.given);
			symbols_free(&beside);
		}
		free(path);
	}
	return known;
}

/* Returns 0, or 2 and says that one of @programs is no program. */
static int read_programs(const struct words *programs, struct words *given, struct words *libraries)
{
	for (size_t i = 0; i < programs->nr; i++) {
		struct symbols symbols;
		const char *wrong = symbols_read(&symbols, programs->word[i]);

		words_add_all(given, &symbols.given);
		words_add_all(libraries, &symbols.libraries);
		symbols_free(&symbols);
		if (!wrong)
			continue;
		fprintf(stderr, SAY "%s: %s\n", programs->word[i], wrong);
		return 2;
	}
	return 0;
}

int build_lacking(const struct words *programs, const char *so, struct words *lacking)
{
	struct words given = {}, libraries = {};
	struct symbols symbols;
	const char *wrong = symbols_read(&symbols, so), *sanitizer = sanitizer_of(&symbols);
	int ret = 2;

	if (wrong) {
		fprintf(stderr, SAY "%s: %s\n", so, wrong);
		goto free_symbols;
	}
	ret = read_programs(programs, &given, &libraries);
	if (ret || !programs->nr)
		goto free_given;
	if (sanitizer && !words_have(&libraries, sanitizer)) {
		fprintf(stderr,
			SAY "%s: stands on another AddressSanitizer (%s) than the checker; make it "
			    "with %s\n",
			so, sanitizer, CHECK_CC);
		ret = 2;
		goto free_given;
	}
	if (read_beside(&symbols, so, &given))
		symbols_lacking(&symbols, &given, lacking);
free_given:
	words_free(&given);
	words_free(&libraries);
free_symbols:
	symbols_free(&symbols);
	return ret;
}

/* --- compiling -------------------------------------------------------------------------------- */

struct jobs {
	struct words *commands;
	struct words outputs;
	size_t nr;
	const char *advice; /* what to do when one fails, or NULL */
};

static void jobs_free(struct jobs *jobs)
{
	for (size_t i = 0; i < jobs->nr; i++)
		words_free(&jobs->commands[i]);
	free(jobs->commands);
	words_free(&jobs->outputs);
}

/* Runs them; what the first that fails wrote is written again, unchanged. */
static int run_jobs(const struct jobs *jobs)
{
	long failed = command_run_all(jobs->commands, &jobs->outputs, jobs->nr);
	char *text;

	if (failed == (long)jobs->nr)
		return 0;
	if (failed < 0) {
		fprintf(stderr, SAY "%s: %s (CC=... names the C compiler)\n",
			jobs->commands[0].word[0], strerror(errno));
		return 2;
	}
	text = words_file(jobs->outputs.word[failed]);
	fprintf(stderr, "%s", text ?: "");
	if (jobs->advice)
		fprintf(stderr, SAY "%s\n", jobs->advice);
	free(text);
	return 2;
}

static size_t count_sources(const struct kbuild *kbuild)
{
	size_t nr = 0;

	for (size_t i = 0; i < kbuild->nr; i++)
		nr += kbuild->modules[i].nr;
	return nr;
}

static int compile(const struct driver_request *request, const struct compiler *compiler,
		   const struct kbuild *kbuild, const char *scratch)
{
	struct jobs jobs = {
		.commands = calloc(count_sources(kbuild) + 1, sizeof(struct words)),
		.advice = "--missing lists all that is not here, and where a stub of it goes",
	};
	struct words options = build_options(request);
	int ret = 2;

	for (size_t m = 0; jobs.commands && m < kbuild->nr; m++) {
		const struct kbuild_module *module = &kbuild->modules[m];

		for (size_t i = 0; i < module->nr; i++) {
			struct words *command = &jobs.commands[jobs.nr++];

			*command = compiler_source(compiler, module->sources[i].path, module->name,
						   &module->sources[i].flags, &options);
			words_add(command, "-c");
			words_add(command, "-o%s/%zu-%zu.o", scratch, m, i);
			words_add(&jobs.outputs, "%s/%zu-%zu.log", scratch, m, i);
		}
	}
	if (jobs.commands)
		ret = run_jobs(&jobs);
	else
		fprintf(stderr, SAY "%s\n", strerror(ENOMEM));
	words_free(&options);
	jobs_free(&jobs);
	return ret;
}

/*
 * A module may stand on others of its folder, as modprobe finds them: @others, shared objects that
 * are then loaded with it.
 */
static int link_module(const struct compiler *compiler, const struct kbuild *kbuild, size_t m,
		       const char *scratch, const struct words *others)
{
	struct words command = {};
	struct jobs jobs = { .commands = &command, .nr = 1 };
	int ret;

	words_add_all(&command, &compiler->command);
	/* The library's names are only for those that the driver does not have itself. */
	words_add(&command, "-shared");
	if (words_have(&compiler->command, "-fsanitize=thread")) /* the explorer is its runtime */
		words_add(&command, "-fno-sanitize=thread");
	words_add(&command, "-Wl,-Bsymbolic");
	words_add(&command, "-o%s/%s.so", scratch, kbuild->modules[m].name);
	words_add(&command, "-Wl,-soname,%s.so", kbuild->modules[m].name);
	for (size_t i = 0; i < kbuild->modules[m].nr; i++)
		words_add(&command, "%s/%zu-%zu.o", scratch, m, i);
	if (others->nr)
		words_add(&command, "-Wl,--no-as-needed,-rpath,%s", scratch);
	words_add_all(&command, others);
	words_add(&jobs.outputs, "%s/%zu.log", scratch, m);
	ret = run_jobs(&jobs);
	words_free(&command);
	words_free(&jobs.outputs);
	return ret;
}

static char *so_of(const struct kbuild *kbuild, size_t m, const char *scratch)
{
	return words_format("%s/%s.so", scratch, kbuild->modules[m].name);
}

/* Links module @m again if one of the others gives what it lacks. */
static int link_with_others(const struct driver_request *request, const struct compiler *compiler,
			    const struct kbuild *kbuild, size_t m, const char *scratch)
{
	struct words lacking = {}, others = {};
	char *so = so_of(kbuild, m, scratch);
	int ret = build_lacking(&request->programs, so, &lacking);

	for (size_t i = 0; !ret && lacking.nr && i < kbuild->nr; i++) {
		char *other = so_of(kbuild, i, scratch);
		struct symbols symbols;

		if (i == m || symbols_read(&symbols, other))
			goto next;
		for (size_t s = 0; s < lacking.nr; s++) {
			if (!words_have(&symbols.given, lacking.word[s]))
				continue;
			words_add(&others, "%s", other);
			break;
		}
		symbols_free(&symbols);
next:
		free(other);
	}
	if (!ret && others.nr)
		ret = link_module(compiler, kbuild, m, scratch, &others);
	free(so);
	words_free(&lacking);
	words_free(&others);
	return ret;
}

static int link_all(const struct driver_request *request, const struct compiler *compiler,
		    const struct kbuild *kbuild, const char *scratch)
{
	const struct words none = {};
	int ret = 0;

	for (size_t m = 0; !ret && m < kbuild->nr; m++)
		ret = link_module(compiler, kbuild, m, scratch, &none);
	for (size_t m = 0; !ret && kbuild->nr > 1 && m < kbuild->nr; m++)
		ret = link_with_others(request, compiler, kbuild, m, scratch);
	return ret;
}

static int tell_modules(struct driver_build *build, const struct kbuild *kbuild)
{
	build->modules = calloc(kbuild->nr, sizeof(*build->modules));
	if (!build->modules) {
		fprintf(stderr, SAY "%s\n", strerror(ENOMEM));
		return 2;
	}
	for (size_t m = 0; m < kbuild->nr; m++) {
		const struct kbuild_module *module = &kbuild->modules[m];
		struct driver_module *made = &build->modules[build->nr++];

		made->name = words_format("%s", module->name);
		made->so = so_of(kbuild, m, build->folder);
		if (module->nr == 1)
			made->source = words_format("%s", module->sources[0].path);
	}
	return 0;
}

int build_compile(const struct driver_request *request, const struct compiler *compiler,
		  const struct kbuild *kbuild, struct driver_build *build)
{
	int ret = compile(request, compiler, kbuild, build->folder);

	if (!ret)
		ret = link_all(request, compiler, kbuild, build->folder);
	if (!ret)
		ret = tell_modules(build, kbuild);
	return ret;
}

static int build_from_source(const struct driver_request *request, struct driver_build *build)
{
	struct compiler compiler;
	struct kbuild kbuild = {};
	int ret = compiler_find(&compiler, request->schedules);

	if (!ret)
		build->folder = build_scratch();
	ret = ret || !build->folder ? 2 : build_sources(request, &compiler, &kbuild, build->folder);
	if (!ret)
		ret = build_compile(request, &compiler, &kbuild, build);
	kbuild_free(&kbuild);
	compiler_free(&compiler);
	return ret;
}

static int take_ready(const struct driver_request *request, struct driver_build *build)
{
	char *so = realpath(request->path, NULL);

	build->modules = calloc(1, sizeof(*build->modules));
	if (!so || !build->modules) {
		fprintf(stderr, SAY "%s: %s\n", request->path, strerror(errno));
		free(so);
		return 2;
	}
	build->nr = 1;
	build->modules[0].name = base_of(so, ".so");
	build->modules[0].so = so;
	return 0;
}

int driver_build(const struct driver_request *request, struct driver_build *build)
{
	int ret;

	*build = (struct driver_build){};
	if (ends_in(request->path, ".so"))
		ret = take_ready(request, build);
	else
		ret = build_from_source(request, build);
	for (size_t m = 0; !ret && m < build->nr; m++) {
		struct words lacking = {};

		ret = build_lacking(&request->programs, build->modules[m].so, &lacking);
		if (!ret && lacking.nr) {
			fprintf(stderr, SAY "%s: needs %s", build->modules[m].name,
				lacking.word[0]);
			if (lacking.nr > 1)
				fprintf(stderr, " (and %zu more)", lacking.nr - 1);
			fprintf(stderr, ": not here; --missing lists all that lacks\n");
			ret = 2;
		}
		words_free(&lacking);
	}
	return ret;
}

void driver_build_free(struct driver_build *build)
{
	for (size_t m = 0; m < build->nr; m++) {
		free(build->modules[m].name);
		free(build->modules[m].so);
		free(build->modules[m].source);
	}
	free(build->modules);
	build_scratch_remove(build->folder);
	*build = (struct driver_build){};
}
