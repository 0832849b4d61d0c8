/* SPDX-License-Identifier: MIT */
/*
 * missing-test.c - what a driver needs and we lack is named once, each with who needs it
 */
#include <stdlib.h>
#include <string.h>

#include "checker/check/build.h"
#include "checker/check/lacks.h"
#include "checker/check/scene.h"
#include "tests/ktap.h"

/* What is told of @request, without its folder; the caller's to free. */
static char *told(struct ktap *t, struct scene *scene, const struct driver_request *request,
		  int status)
{
	size_t length = strlen(scene->folder) + 1, size;
	char *text, *at;
	FILE *file = open_memstream(&text, &size);

	scene_listen(scene);
	KT_EQ(t, driver_missing(request, file), status);
	scene_says_nothing(t, scene);
	fclose(file);
	while ((at = strstr(text, scene->folder)))
		memmove(at, at + length, strlen(at + length) + 1);
	for (at = text; (at = strstr(at, "  "));)
		memmove(at, at + 1, strlen(at));
	return text;
}

static void has(struct ktap *t, const char *text, const char *line)
{
	const char *at = strstr(text, line);
	bool twice = at && strstr(at + 1, line);

	ktap_check(t, at && !twice, __FILE__, __LINE__, "\"%s\" is told %s: %s", line,
		   at ? "twice" : "never", text);
}

static void has_not(struct ktap *t, const char *text, const char *part)
{
	ktap_check(t, !strstr(text, part), __FILE__, __LINE__, "\"%s\" is told: %s", part, text);
}

static const char lacking[] = "#include <linux/dma-buf.h>\n"
			      "#include <linux/gone.h>\n"
			      "#include \"local.h\"\n"
			      "#include <drm/gone_too.h>\n"
			      "GONE_MACRO(\"x\");\n"
			      "DEFINE_GONE(declared);\n"
			      "static gone_t one; static gone_t two;\n"
			      "struct holds { struct part p; };\n"
			      "static struct gone_ops ops = { .open = 0, .close = 0 };\n"
			      "static struct dma_buf_ops known = { .gone_op = 0 };\n"
			      "int f(struct gone *p, gone_t z)\n"
			      "{\n"
			      "	gone_too_call(p, GONE_VALUE);\n"
			      "	gone_too_call(p, GONE_VALUE);\n"
			      "	for_each_gone(p) {\n"
			      "		inner_call();\n"
			      "	}\n"
			      "	known.release = declared;\n"
			      "	return p->member + container_of(p, struct around, in)->x;\n"
			      "}\n"
			      "int g(struct dma_buf *d) { return d->size + d->gone_field; }\n"
			      "void h(void) { schedule_work(0); }\n";

static void all_is_named_once(struct ktap *t)
{
	struct scene scene = scene_new();
	struct driver_request request = { .path = scene_write(&scene, "driver.c", lacking) };
	char *text;

	scene_write(&scene, "local.h", "#include <linux/of_local.h>\n");
	text = told(t, &scene, &request, 1);
	has(t, text, "driver.c: not here: headers 3, symbols 14\n");
	has(t, text, " header linux/gone.h driver.c:2; stub: dmabuf-stubs/linux/gone.h\n");
	has(t, text, " header linux/of_local.h local.h:1; stub: dmabuf-stubs/linux/of_local.h\n");
	has(t, text, " header drm/gone_too.h driver.c:4; ");
	has(t, text, " macro GONE_MACRO driver.c:5; ");
	has(t, text, " macro DEFINE_GONE driver.c:6; ");
	has(t, text, " type gone_t driver.c:7; ");
	has(t, text, " type struct part driver.c:8; ");
#ifndef __clang__ /* says nothing of them */
	has(t, text, " type struct gone_ops .open .close driver.c:9; ");
#endif
	has(t, text,
	    " type struct dma_buf_ops .gone_op driver.c:10; stub: none: that struct is "
	    "<linux/dma-buf.h>'s\n");
	has(t, text, " type struct dma_buf .gone_field driver.c:21; stub: none: ");
	/* A name is likeliest that of the header it begins with. */
	has(t, text, " function gone_too_call() driver.c:13; stub: dmabuf-stubs/drm/gone_too.h\n");
	has(t, text, " name GONE_VALUE driver.c:13; ");
	/* Behind what the compiler could not read. */
	has(t, text, " macro for_each_gone driver.c:15; ");
	has(t, text, " function inner_call() driver.c:16; ");
	has(t, text, " type struct gone .member driver.c:19; ");
	has(t, text, " type struct around driver.c:19; ");
	/* Ours, in a header that nobody includes. */
	has(t, text,
	    " function schedule_work() driver.c:22; stub: #include <linux/workqueue.h> in ");
	has_not(t, text, "declared ");
	has_not(t, text, ".size");
	has_not(t, text, "known");
	free(text);
	scene_free(&scene);
}

static void nothing_lacks(struct ktap *t)
{
	struct scene scene = scene_new();
	struct driver_request request = { .path = scene_write(&scene, "driver.c",
							      "#include <linux/dma-buf.h>\n") };
	char *text = told(t, &scene, &request, 0);

	KT_CHECK(t, !*text);
	free(text);
	scene_free(&scene);
}

/* A name says of which lacking header it is, also where it does not begin as that does. */
static void a_name_is_of_its_header(struct ktap *t)
{
	static const char driver[] = "#include <linux/gone.h>\n"
				     "#include <linux/clk.h>\n"
				     "#include <linux/dmaengine.h>\n"
				     "#include <linux/io.h>\n"
				     "int f(void *p)\n"
				     "{\n"
				     "	devm_clk_get(p, 0);\n"
				     "	gone_call(p);\n"
				     "	devm_gone_call(p);\n"
				     "	dma_request_chan(p, 0);\n"
				     "	who_knows(p);\n"
				     "	writel(1, p);\n"
				     "	return 0;\n"
				     "}\n";
	struct scene scene = scene_new();
	struct driver_request request = { .path = scene_write(&scene, "driver.c", driver) };
	char *text = told(t, &scene, &request, 1);

	has(t, text, " function devm_clk_get() driver.c:7; stub: dmabuf-stubs/linux/clk.h\n");
	has(t, text, " function gone_call() driver.c:8; stub: dmabuf-stubs/linux/gone.h\n");
	has(t, text, " function devm_gone_call() driver.c:9; stub: dmabuf-stubs/linux/gone.h\n");
	has(t, text,
	    " function dma_request_chan() driver.c:10; stub: dmabuf-stubs/linux/dmaengine.h\n");
	/* Of one of ours that does not have all of Linux's. */
	has(t, text, " function writel() driver.c:12; stub: dmabuf-stubs/linux/io.h\n");
	/* It may be any of the three's. */
	has(t, text, " function who_knows() driver.c:11; stub: dmabuf-stubs/NAME.h\n");
	free(text);
	scene_free(&scene);
}

/* With what a stub gives, the rest of the driver is built. */
static void stubs_are_found(struct ktap *t)
{
	struct scene scene = scene_new();
	struct driver_request request = {
		.path = scene_write(&scene, "driver.c",
				    "#include <linux/gone.h>\n"
				    "#include <linux/list.h>\n"
				    "int f(void) { return gone_call() + gone_list(); }\n")
	};
	struct driver_build build;
	char *text;

	scene_write(&scene, "dmabuf-stubs/linux/gone.h", "int gone_call(void);\n");
	scene_write(&scene, "dmabuf-stubs/linux/list.h",
		    "#include_next <linux/list.h>\n#define gone_list() (LIST_HEAD_IS(0))\n"
		    "#define LIST_HEAD_IS(x) (sizeof(struct list_head) + x)\n");
	scene_write(&scene, "dmabuf-stubs/gone.c",
		    "#include <linux/gone.h>\nint gone_call(void) { return 3; }\n");
	text = told(t, &scene, &request, 0);
	KT_CHECK(t, !*text);
	free(text);
	scene_listen(&scene);
	KT_EQ(t, driver_build(&request, &build), 0);
	scene_says_nothing(t, &scene);
	driver_build_free(&build);
	scene_free(&scene);
}

static void undefined_symbols_are_named(struct ktap *t)
{
	struct scene scene = scene_new();
	struct driver_request program = { .path = scene_write(&scene, "p.c",
							      "void here(void) { }\n") };
	struct driver_request request = { .path = scene_write(
						  &scene, "driver.c",
						  "void here(void), gone(void);\n"
						  "void f(void)\n{\n\there();\n\tgone();\n}\n") };
	struct driver_build build;
	char *text;

	scene_listen(&scene);
	KT_EQ(t, driver_build(&program, &build), 0);
	scene_says_nothing(t, &scene);
	KT_ASSERT(t, build.nr == 1);
	words_add(&request.programs, "%s", build.modules[0].so);
	text = told(t, &scene, &request, 1);
	has(t, text, "driver.c: not here: headers 0, symbols 1\n");
	has(t, text, " symbol gone() driver.c:1; stub: a .c file in dmabuf-stubs\n");
	has_not(t, text, "here()");
	free(text);
	driver_build_free(&build);
	words_free(&request.programs);
	scene_free(&scene);
}

static void a_folder_is_one_list(struct ktap *t)
{
	struct scene scene = scene_new();
	struct driver_request request = { .path = scene.folder };
	char *text;

	scene_write(&scene, "Kbuild",
		    "obj-m := all.o\nall-y := a.o b.o\nccflags-y := -I$(src)/inc\n");
	scene_write(&scene, "a.c", "#include <linux/gone.h>\n#include <in.h>\n");
	scene_write(&scene, "b.c", "#include <linux/gone.h>\n#include <linux/other.h>\n");
	scene_write(&scene, "inc/in.h", "");
	text = told(t, &scene, &request, 1);
	has(t, text, " header linux/gone.h a.c:1; ");
	has(t, text, " header linux/other.h b.c:2; ");
	has_not(t, text, "in.h");
	free(text);
	scene_free(&scene);
}

/* What no stub helps against is the compiler's to say. */
static void another_error_is_the_compilers(struct ktap *t)
{
	struct scene scene = scene_new();
	struct driver_request request = { .path = scene_write(&scene, "driver.c",
							      "int f(void) { return 1 +; }\n") };

	scene_listen(&scene);
	KT_EQ(t, driver_missing(&request, stdout), 2);
	scene_says(t, &scene, "driver.c:1:");
	request.path = "/nonexistent.c";
	scene_listen(&scene);
	KT_EQ(t, driver_missing(&request, stdout), 2);
	scene_says(t, &scene, "No such file");
	scene_free(&scene);
}

/* Both compilers' words, whichever is here. */
static void messages_are_read(struct ktap *t)
{
	static const char source[] =
		"int a = GONE + p->member;\nstruct holds { struct part x; };\nDEFINE_GONE(y);\n";
	static const struct {
		const char *message, *name, *member;
		enum lack_kind kind;
	} rows[] = {
		{ "1:9: error: 'GONE' undeclared here (not in a function)", "GONE", NULL,
		  LACKS_NAME },
		{ "1:9: error: use of undeclared identifier 'GONE'", "GONE", NULL, LACKS_NAME },
		{ "1:9: error: unknown type name 'u9'; did you mean 'u8'?", "u9", NULL,
		  LACKS_TYPE },
		{ "1:9: error: implicit declaration of function 'gone' is invalid in C99 [-W]",
		  "gone", NULL, LACKS_FUNCTION },
		{ "1:17: error: invalid use of undefined type 'struct s'", "struct s", "member",
		  LACKS_TYPE },
		{ "1:17: error: incomplete definition of type 'const struct s'", "struct s",
		  "member", LACKS_TYPE },
		{ "1:9: error: 'const struct s' has no member named 'm'; did you mean 'n'?",
		  "struct s", "m", LACKS_TYPE },
		{ "1:9: error: no member named 'm' in 'struct s'", "struct s", "m", LACKS_TYPE },
		{ "1:9: error: field designator 'm' does not refer to any field in type 'struct s'",
		  "struct s", "m", LACKS_TYPE },
		{ "2:28: error: field 'x' has incomplete type", "struct part", NULL, LACKS_TYPE },
		{ "2:28: error: field has incomplete type 'struct part'", "struct part", NULL,
		  LACKS_TYPE },
		{ "3:1: error: type defaults to 'int' in declaration of 'DEFINE_GONE' [-W]",
		  "DEFINE_GONE", NULL, LACKS_MACRO },
		{ "3:13: error: expected declaration specifiers or '...' before 'y'", "DEFINE_GONE",
		  NULL, LACKS_MACRO },
		{ "1:9: warning: unknown type name 'u9'", NULL, NULL, LACKS_TYPE },
		{ "1:9: note: 'GONE' undeclared", NULL, NULL, LACKS_TYPE },
		{ "1:9: error: too few arguments to function 'f'", NULL, NULL, LACKS_TYPE },
	};
	struct scene scene = scene_new();
	const char *path = scene_write(&scene, "driver.c", source);
	const struct words none = {};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char *messages = words_format("In file included from x.c:1:\n%s:%s\n   1 | int a\n",
					      path, rows[i].message);
		struct lacks lacks = {};

		lacks_read(&lacks, messages, &none);
		ktap_check(t, lacks.nr == !!rows[i].name, __FILE__, __LINE__, "%s: %zu",
			   rows[i].message, lacks.nr);
		if (lacks.nr && rows[i].name) {
			ktap_check(t,
				   !strcmp(lacks.lack[0].name, rows[i].name) &&
					   lacks.lack[0].kind == rows[i].kind,
				   __FILE__, __LINE__, "%s: %s", rows[i].message,
				   lacks.lack[0].name);
			ktap_check(t,
				   !rows[i].member == !lacks.lack[0].members.nr &&
					   (!rows[i].member ||
					    words_have(&lacks.lack[0].members, rows[i].member)),
				   __FILE__, __LINE__, "%s: its member", rows[i].message);
		}
		lacks_free(&lacks);
		free(messages);
	}
	scene_free(&scene);
}

KTAP_MAIN(KTAP_CASE(all_is_named_once), KTAP_CASE(a_name_is_of_its_header),
	  KTAP_CASE(nothing_lacks), KTAP_CASE(stubs_are_found),
	  KTAP_CASE(undefined_symbols_are_named), KTAP_CASE(a_folder_is_one_list),
	  KTAP_CASE(another_error_is_the_compilers), KTAP_CASE(messages_are_read))
