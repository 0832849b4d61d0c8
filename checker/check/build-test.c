/* SPDX-License-Identifier: MIT */
/*
 * build-test.c - sources, folders and shared objects become loadable, or it is said why not
 *
 * What a Kbuild means is in kbuild-test.c.
 */
#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checker/check/build-parts.h"
#include "checker/check/scene.h"
#include "checker/check/symbols.h"
#include "tests/ktap.h"

#define EXPORTER                                                             \
	"#include <linux/dma-buf.h>\n"                                       \
	"#include <linux/module.h>\n"                                        \
	"#include <linux/slab.h>\n"                                          \
	"struct dma_buf *exported(const struct dma_buf_export_info *info)\n" \
	"{ kfree(kmalloc(8, GFP_KERNEL)); return dma_buf_export(info); }\n"

static struct driver_request request_of(const char *path)
{
	return (struct driver_request){ .path = path };
}

/* A program whose symbols are those of @source, built as a driver is. */
static void program_of(struct scene *scene, const char *name, const char *source,
		       struct driver_build *build, struct driver_request *user)
{
	struct driver_request request = request_of(scene_write(scene, name, source));

	scene_listen(scene);
	if (!driver_build(&request, build))
		words_add(&user->programs, "%s", build->modules[0].so);
	scene_heard(scene);
}

static void source_becomes_loadable(struct ktap *t)
{
	struct scene scene = scene_new();
	struct driver_request request = request_of(scene_write(&scene, "my-driver.c", EXPORTER));
	struct driver_build build;
	struct symbols symbols = {};

	scene_listen(&scene);
	KT_EQ(t, driver_build(&request, &build), 0);
	scene_says_nothing(t, &scene);
	KT_ASSERT(t, build.nr == 1);
	KT_CHECK(t, !strcmp(build.modules[0].name, "my-driver"));
	KT_CHECK(t, build.modules[0].source && !strcmp(build.modules[0].source, request.path));
	KT_CHECK(t, !symbols_read(&symbols, build.modules[0].so));
	KT_CHECK(t, words_have(&symbols.given, "exported"));
	KT_CHECK(t, words_have(&symbols.needed, "dma_buf_export"));
	/* Without the label that it has in the library. */
	KT_CHECK(t, words_have(&symbols.needed, "kfree"));
	KT_CHECK(t, words_have(&symbols.needed, "__asan_init"));
	symbols_free(&symbols);
	driver_build_free(&build);
	scene_free(&scene);
}

static void names_and_options_reach_the_compiler(struct ktap *t)
{
	struct scene scene = scene_new();
	struct driver_request request = request_of(scene_write(
		&scene, "a-b.c",
		"#include <linux/kconfig.h>\n"
		"#include <own.h>\n"
		"_Static_assert(IS_ENABLED(CONFIG_SET) && !IS_ENABLED(CONFIG_NOT), \"\");\n"
		"_Static_assert(sizeof(KBUILD_MODNAME) == 4 && OWN + OTHER == 3, \"\");\n"
		"const char *a_b = KBUILD_MODNAME;\n"
		"const char a_b_[] = KBUILD_BASENAME;\n"
		"int __KBUILD_MODNAME;\n"));
	struct driver_build build;
	struct symbols symbols = {};

	scene_write(&scene, "own/own.h", "#define OWN 1\n");
	words_add(&request.options, "-I%s/own", scene.folder);
	words_add(&request.options, "-DOTHER=2");
	words_add(&request.options, "-DCONFIG_SET=y");
	scene_listen(&scene);
	KT_EQ(t, driver_build(&request, &build), 0);
	scene_says_nothing(t, &scene);
	KT_ASSERT(t, build.nr == 1);
	KT_CHECK(t, !symbols_read(&symbols, build.modules[0].so));
	KT_CHECK(t, words_have(&symbols.given, "kmod_a_b"));
	symbols_free(&symbols);
	words_free(&request.options);
	driver_build_free(&build);
	scene_free(&scene);
}

/* What @source gets to hear; it must not become loadable. */
static void refused(struct ktap *t, const char *source, const char *part)
{
	struct scene scene = scene_new();
	struct driver_request request = request_of(scene_write(&scene, "driver.c", source));
	struct driver_build build;

	scene_listen(&scene);
	KT_EQ(t, driver_build(&request, &build), 2);
	scene_says(t, &scene, part);
	driver_build_free(&build);
	scene_free(&scene);
}

static void compiler_is_quoted(struct ktap *t)
{
	refused(t, "int f(void)\n{\n\treturn one;\n}\n", "driver.c:3:");
	refused(t, "#include <linux/no_such.h>\n", "linux/no_such.h");
	refused(t, "int f(void)\n{\n\treturn no_such_function();\n}\n", "no_such_function");
	refused(t, "int *f(char *c)\n{\n\treturn c;\n}\n", "incompatible");
}

static void missing_compiler_is_said(struct ktap *t)
{
	if (getenv("KTAP_EMULATED")) {
		ktap_skip(
			t,
			"an emulator's posix_spawn() does not tell that there is no such program");
		return;
	}
	setenv("CC", "/nonexistent/cc -x", 1);
	refused(t, "", "/nonexistent/cc: No such file or directory (CC=... names the C compiler)");
	unsetenv("CC");
}

static void missing_headers_are_said(struct ktap *t)
{
	setenv("DMABUF_HEADERS", "/nonexistent", 1);
	refused(t, "", "DMABUF_HEADERS=FOLDER");
	unsetenv("DMABUF_HEADERS");
}

static void what_is_no_driver_is_refused(struct ktap *t)
{
	static const struct {
		const char *name, *text, *part;
	} rows[] = {
		{ "garbage.so",
		  "\x7f"
		  "ELF, not at all, but of a length at which a head could stand",
		  "garbage.so: " },
		{ "text.so", "hello", "text.so: no shared object" },
		{ "empty.so", "", "empty.so: empty" },
		{ "driver.o", "hello",
		  "driver.o: no driver: neither a .c file, a folder nor a .so" },
		{ "folder/file.txt", "", "folder: neither a Kbuild nor a Makefile in it" },
		{ "folder.so/file", "", "folder.so: no file" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct scene scene = scene_new();
		char *path = words_format("%s", scene_write(&scene, rows[i].name, rows[i].text));
		struct driver_request request = request_of(path);
		struct driver_build build;

		if (strchr(rows[i].name, '/'))
			*strrchr(path, '/') = '\0';
		scene_listen(&scene);
		KT_EQ(t, driver_build(&request, &build), 2);
		scene_says(t, &scene, rows[i].part);
		driver_build_free(&build);
		free(path);
		scene_free(&scene);
	}
}

static void absent_is_refused(struct ktap *t)
{
	static const char *const paths[] = { "/nonexistent/driver.c", "/nonexistent/driver.so",
					     "/nonexistent/folder" };

	for (size_t i = 0; i < 3; i++) {
		struct scene scene = scene_new();
		struct driver_request request = request_of(paths[i]);
		struct driver_build build;

		scene_listen(&scene);
		KT_EQ(t, driver_build(&request, &build), 2);
		scene_says(t, &scene, "No such file or directory");
		driver_build_free(&build);
		scene_free(&scene);
	}
}

/* A shared object may be anything: each piece of one is refused, or read. */
static void pieces_are_read_safely(struct ktap *t)
{
	struct scene scene = scene_new();
	struct driver_request request = request_of(scene_write(&scene, "driver.c", EXPORTER));
	struct driver_build build;
	struct stat stat_ = {};
	unsigned int whole = 0;

	scene_listen(&scene);
	KT_EQ(t, driver_build(&request, &build), 0);
	scene_says_nothing(t, &scene);
	KT_ASSERT(t, build.nr == 1);
	KT_CHECK(t, !stat(build.modules[0].so, &stat_));
	for (long size = stat_.st_size; size > 0; size -= ktap_long ? 1 : 97) {
		struct symbols symbols;

		KT_ASSERT(t, !truncate(build.modules[0].so, size));
		whole += !symbols_read(&symbols, build.modules[0].so);
		symbols_free(&symbols);
	}
	KT_EQ(t, whole, 1);
	driver_build_free(&build);
	scene_free(&scene);
}

static void bits_are_read_safely(struct ktap *t)
{
	struct scene scene = scene_new();
	struct driver_request request = request_of(scene_write(&scene, "driver.c", EXPORTER));
	struct driver_build build;
	FILE *file;

	scene_listen(&scene);
	KT_EQ(t, driver_build(&request, &build), 0);
	scene_says_nothing(t, &scene);
	KT_ASSERT(t, build.nr == 1);
	file = fopen(build.modules[0].so, "r+");
	KT_ASSERT(t, file);
	for (size_t at = 0; at < sizeof(Elf64_Ehdr); at++) {
		struct symbols symbols;
		int byte;

		fseek(file, at, SEEK_SET);
		byte = fgetc(file);
		for (int other = 0; other < 256; other += ktap_long ? 1 : 51) {
			fseek(file, at, SEEK_SET);
			fputc(other, file);
			fflush(file);
			if (symbols_read(&symbols, build.modules[0].so))
				KT_CHECK(t, at < 20 || at >= 40);
			symbols_free(&symbols);
		}
		fseek(file, at, SEEK_SET);
		fputc(byte, file);
	}
	fclose(file);
	driver_build_free(&build);
	scene_free(&scene);
}

static void lacking_symbols_are_named(struct ktap *t)
{
	struct scene scene = scene_new();
	struct driver_request request =
		request_of(scene_write(&scene, "driver.c",
				       "void here(void), gone(void), gone_too(void), *memcpy();\n"
				       "void init(void) { here(); gone(); gone_too(); }\n"
				       "__attribute__((weak)) void maybe(void);\n"
				       "void *address(void) { return maybe; }\n"));
	struct driver_build program, build;

	program_of(&scene, "program.c", "void here(void) { }\n", &program, &request);
	scene_listen(&scene);
	KT_EQ(t, driver_build(&request, &build), 2);
	scene_says(t, &scene, "driver: needs gone (and 1 more): not here");
	driver_build_free(&build);
	words_free(&request.programs);
	driver_build_free(&program);
	program_of(&scene, "program.c",
		   "void here(void) { } void gone(void) { } void gone_too(void) { }\n", &program,
		   &request);
	scene_listen(&scene);
	KT_EQ(t, driver_build(&request, &build), 0);
	scene_says_nothing(t, &scene);
	driver_build_free(&build);
	words_free(&request.programs);
	driver_build_free(&program);
	scene_free(&scene);
}

/* A module finds what another of its folder gives, and is then loaded with it. */
static void modules_of_a_folder_find_each_other(struct ktap *t)
{
	struct scene scene = scene_new();
	struct driver_request request = request_of(scene.folder);
	struct driver_build program, build;
	struct symbols symbols = {};

	scene_write(&scene, "Kbuild", "obj-m := user.o giver.o\n");
	scene_write(&scene, "user.c",
		    "void given(void), here(void);\nvoid use(void) { given(); here(); }\n");
	scene_write(&scene, "giver.c", "void given(void) { }\n");
	program_of(&scene, "program.c", "void here(void) { }\n", &program, &request);
	scene_listen(&scene);
	KT_EQ(t, driver_build(&request, &build), 0);
	scene_says_nothing(t, &scene);
	KT_ASSERT(t, build.nr == 2);
	KT_CHECK(t, !symbols_read(&symbols, build.modules[0].so));
	KT_CHECK(t, words_have(&symbols.libraries, "giver.so"));
	symbols_free(&symbols);
	KT_CHECK(t, !symbols_read(&symbols, build.modules[1].so));
	KT_CHECK(t, !words_have(&symbols.libraries, "user.so"));
	symbols_free(&symbols);
	driver_build_free(&build);
	words_free(&request.programs);
	driver_build_free(&program);
	scene_free(&scene);
}

static void another_sanitizer_is_refused(struct ktap *t)
{
	struct scene scene = scene_new();
	struct driver_request request =
		request_of(scene_write(&scene, "driver.c", "int driver;\n"));
	char *so = words_format("%s/program.so", scene.folder);
	struct compiler compiler = {};
	struct words command = {};
	struct driver_build build;
	struct symbols symbols;

	/* Only an object that names its sanitizer's library can be told from another. */
	scene_listen(&scene);
	KT_EQ(t, driver_build(&request, &build), 0);
	scene_says_nothing(t, &scene);
	KT_CHECK(t, !symbols_read(&symbols, build.modules[0].so));
	driver_build_free(&build);
	if (symbols.libraries.nr < 1 || !strstr(symbols.libraries.word[0], "asan")) {
		ktap_skip(t, "this compiler's AddressSanitizer is no library");
	} else {
		KT_EQ(t, compiler_find(&compiler, false), 0);
		words_add_all(&command, &compiler.command);
		words_split(&command, "-fno-sanitize=address -shared -xc /dev/null -o");
		words_add(&command, "%s", so);
		KT_EQ(t, command_run(&command, NULL), 0);
		words_add(&request.programs, "%s", so);
		scene_listen(&scene);
		KT_EQ(t, driver_build(&request, &build), 2);
		scene_says(t, &scene, "stands on another AddressSanitizer (libasan.so.");
		driver_build_free(&build);
	}
	symbols_free(&symbols);
	compiler_free(&compiler);
	words_free(&command);
	words_free(&request.programs);
	free(so);
	scene_free(&scene);
}

KTAP_MAIN(KTAP_CASE(source_becomes_loadable), KTAP_CASE(names_and_options_reach_the_compiler),
	  KTAP_CASE(compiler_is_quoted), KTAP_CASE(missing_compiler_is_said),
	  KTAP_CASE(missing_headers_are_said), KTAP_CASE(what_is_no_driver_is_refused),
	  KTAP_CASE(absent_is_refused), KTAP_CASE(pieces_are_read_safely),
	  KTAP_CASE(bits_are_read_safely), KTAP_CASE(lacking_symbols_are_named),
	  KTAP_CASE(modules_of_a_folder_find_each_other), KTAP_CASE(another_sanitizer_is_refused))
