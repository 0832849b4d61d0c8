/* SPDX-License-Identifier: MIT */
/*
 * mishap.c - see mishap.h
 *
 * What AddressSanitizer reports is taken as text: it has the stacks of the access, the allocation
 * and the free, with source lines, in a form that has not changed in years.
 */
#include <json-c/json.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "checker/check/finding.h"
#include "checker/check/history.h"
#include "checker/check/mishap.h"
#include "checker/check/watch.h"
#include "core/event.h"
#include "host/warn.h"

void __asan_set_error_report_callback(void (*callback)(const char *));
int __lsan_do_recoverable_leak_check(void);
void __sanitizer_set_report_fd(void *fd);
const char *__asan_default_options(void);
const char *__ubsan_default_options(void);

/*
 * Who asks for more memory than there is gets none, as in Linux; leaks are looked for when told.  A
 * module may have names that the library has, too.
 */
const char *__asan_default_options(void)
{
	return "detect_leaks=1:leak_check_at_exit=0:allocator_may_return_null=1:"
	       "max_allocation_size_mb=1024:hard_rss_limit_mb=2048:detect_stack_use_after_return=1:"
	       "handle_abort=0:detect_odr_violation=0:strict_string_checks=1:exitcode=66";
}

const char *__ubsan_default_options(void)
{
	return "print_stacktrace=1";
}

/* --- WARNs ------------------------------------------------------------------------------------ */

/* A WARN that has this in it breaks this rule; the first that fits. */
static const struct {
	const char *text;
	enum check_rule rule;
} warn_rules[] = {
	{ "lock order:", CHECK_LOCK_20 },
	{ "might_sleep()", CHECK_LOCK_21 },
	{ "held by this thread already", CHECK_LOCK_22 },
	{ "not held by this thread", CHECK_LOCK_23 },
	{ "a spinlock held", CHECK_LOCK_23 },
	{ "belongs to no machine", CHECK_LIFE_09 },
	{ "DMA-API: device ", CHECK_BAL_13 }, /* goes with mappings */
	{ "unmap with another direction", CHECK_DIR_05 },
	{ "unmap of what is not mapped", CHECK_BAL_14 },
	{ "past the end of a table", CHECK_EXP_01 },
	{ "without a slot reserved", CHECK_FENCE_02 },
	{ "fences of a container are added one by one", CHECK_FENCE_03 },
	{ "released unsignaled", CHECK_FENCE_04 },
	{ "fences of two contexts have no order", CHECK_FENCE_05 },
	{ "refcount_t:", CHECK_LIFE_06 },
	{ "put_page:", CHECK_LIFE_07 },
	{ "get_page:", CHECK_LIFE_07 },
	{ "__free_pages", CHECK_LIFE_07 },
	{ "still has", CHECK_LIFE_08 }, /* a cache, its objects */
	{ "without move_notify", CHECK_MOVE_01 },
	{ "an exporter without pin", CHECK_MOVE_02 },
	{ "by an importer that does not follow moves", CHECK_MOVE_03 },
	{ "while it is told that it moves", CHECK_MOVE_09 },
	{ "begins within its move", CHECK_MOVE_10 },
	{ "dma-buf: export with one of pin and unpin", CHECK_EXP_05 },
	{ "dma-buf: export without", CHECK_EXP_04 },
	{ "allocated NULL", CHECK_EXP_06 },
	{ "map without an attachment or a direction", CHECK_DIR_06 },
	{ "cpu_access without a buffer or a direction", CHECK_DIR_06 },
};

static enum check_rule rule_of(const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(warn_rules); i++)
		if (strstr(text, warn_rules[i].text))
			return warn_rules[i].rule;
	return CHECK_RUN_03;
}

/*
 * What the library says of a mess that others left, after a finding or before one that will come
 * when the driver is done, is nothing new.
 */
static void warned(const char *file, int line, const char *text)
{
	struct check_state state;
	struct check_stack call;

	if (watch_told)
		return;
	check_stack_take(&call);
	if (!check_stack_of_driver(&call) && (check_any_found() || watch_any()))
		return;
	check_found_call(rule_of(text), NULL, &call, watch_list(&state) ? &state : NULL, "WARN: %s",
			 text);
}

/* --- a sanitizer's report --------------------------------------------------------------------- */

/* What LeakSanitizer's blocks begin with that nothing points to, not even another leak. */
#define DIRECT_LEAK "Direct leak of "

static struct json_object *parse_frame(const char *line)
{
	struct json_object *frame;
	char function[200], place[300], *colon;

	/*     #1 0x55d2c5b6 in function /path/file.c:12:3   or   (/path/object+0x12) */
	if (sscanf(line, " #%*u %*s in %199s %299[^\n]", function, place) != 2)
		return NULL;
	frame = json_object_new_object();
	json_object_object_add(frame, "function", json_object_new_string(check_function(function)));
	colon = strchr(place, ':');
	if (colon) {
		*colon = '\0';
		json_object_object_add(frame, "file", json_object_new_string(place));
		json_object_object_add(frame, "line", json_object_new_int(atoi(colon + 1)));
	}
	return frame;
}

static bool line_has(const char *line, const char *what)
{
	const char *at = strstr(line, what);

	return at && at < strchrnul(line, '\n');
}

/* Of who called the driver: the checker, or the program's start. */
static bool is_outside(const char *line)
{
	return line_has(line, "/checker/check/drive") ||
	       line_has(line, "/checker/check/module.c") || line_has(line, "__libc_start");
}

static bool is_sanitizers(const char *line)
{
	return line_has(line, "libsanitizer/") || line_has(line, "__interceptor_");
}

/* The stack that begins at or behind *@text, and the line before it; *@text goes behind it. */
static struct json_object *parse_stack(const char **text, char *title, size_t size)
{
	struct json_object *frames = NULL, *frame;
	const char *line = *text;
	bool outside = false; /* behind the driver's outermost frame */

	*title = '\0';
	while (line && *line) {
		const char *end = strchrnul(line, '\n');

		frame = parse_frame(line);
		if (frame && !frames)
			frames = json_object_new_array();
		outside |= frame && is_outside(line);
		if (frame && !outside && !is_sanitizers(line))
			json_object_array_add(frames, frame);
		else if (frame)
			json_object_put(frame);
		else if (frames)
			break;
		else if (end > line + 1)
			snprintf(title, size, "%.*s", (int)(end - line), line);
		line = *end ? end + 1 : end;
	}
	*text = line;
	return frames;
}

static void tell_report(enum check_rule rule, const char *text, const char *what)
{
	struct event_remark remark = { .text = what };
	struct json_object *object = json_object_new_object(), *call, *stack, *state;
	char title[256];

	event_tell(EVENT_FINDING, NULL, &remark, 0, 0, 0);
	call = parse_stack(&text, title, sizeof(title));
	json_object_object_add(object, "finding", json_object_new_string(check_rules[rule].id));
	json_object_object_add(object, "text", json_object_new_string(what));
	json_object_object_add(object, "call", call);
	stack = parse_stack(&text, title, sizeof(title));
	if (stack) {
		state = json_object_new_object();
		json_object_object_add(state, "what", json_object_new_string(title));
		json_object_object_add(state, "stack", stack);
		json_object_object_add(object, "state", state);
	}
	json_object_object_add(object, "at", json_object_new_string(check_at_text()));
	json_object_object_add(object, "picture", check_history_picture(NULL));
	check_tell(object);
}

static const struct {
	const char *text;
	enum check_rule rule;
	const char *what;
} report_rules[] = {
	{ "heap-use-after-free", CHECK_LIFE_02, "memory is used after it was freed" },
	{ "attempting double-free", CHECK_LIFE_02, "memory is freed twice" },
	{ "use-after-poison", CHECK_LIFE_02,
	  "a page, or an object of a cache, is used after it was freed" },
	{ "stack-use-after", CHECK_LIFE_02, "a stack is used after its function returned" },
	{ "overflow", CHECK_LIFE_03, "memory is touched outside of its bounds" },
	{ "underflow", CHECK_LIFE_03, "memory is touched outside of its bounds" },
	{ "SEGV", CHECK_RUN_01, "an address is touched where nothing is" },
};

/* A function was called by a pointer that points to none. */
static bool called_nothing;

static void asan_reported(const char *text)
{
	const char *error = strstr(text, "ERROR: AddressSanitizer: ");
	const char *end = error ? strchrnul(error, '\n') : NULL;
	char line[200] = "";

	if (!error)
		return;
	snprintf(line, sizeof(line), "%.*s", (int)(end - error), error);
	for (size_t i = 0; i < ARRAY_SIZE(report_rules); i++) {
		if (!strstr(line, report_rules[i].text))
			continue;
		if (check_first(report_rules[i].rule))
			tell_report(report_rules[i].rule, text,
				    called_nothing ? "a function is called that is NULL"
						   : report_rules[i].what);
		return;
	}
	if (check_first(CHECK_RUN_01))
		tell_report(CHECK_RUN_01, text, line);
}

/* Was this block of LeakSanitizer's report allocated by a driver's own kmalloc() or its like? */
static bool is_drivers_leak(const char *block)
{
	void *pc;

	for (const char *line = strchr(block, '\n'); line && line[1] != '\n';
	     line = strchr(line + 1, '\n')) {
		if (sscanf(line, " #%*u %p", &pc) != 1)
			return false;
		if (!is_sanitizers(line + 1) && !line_has(line + 1, "/host/"))
			return check_address_of_driver(pc);
	}
	return false;
}

/* What the library allocated for a driver that lost it has a rule of its own. */
static void tell_leak(const char *text)
{
	for (const char *block = strstr(text, DIRECT_LEAK); block;
	     block = strstr(block + 1, DIRECT_LEAK))
		if (is_drivers_leak(block) && check_first(CHECK_LIFE_04)) {
			tell_report(CHECK_LIFE_04, block,
				    "memory that is allocated here is not freed");
			return;
		}
}

void mishap_leaks(void)
{
	int fd = memfd_create("leaks", MFD_CLOEXEC);
	off_t size;
	char *text;

	__sanitizer_set_report_fd((void *)(long)fd);
	if (__lsan_do_recoverable_leak_check()) {
		size = lseek(fd, 0, SEEK_END);
		text = calloc(1, size + 1);
		if (pread(fd, text, size, 0) == size)
			tell_leak(text);
		free(text);
	}
	__sanitizer_set_report_fd((void *)2L);
	close(fd);
}

/* --- signals ---------------------------------------------------------------------------------- */

/* The parent lost its patience: where is everybody? */
static void hung(int signal)
{
	check_found(CHECK_RUN_02, NULL, NULL, "a call does not come back: %s", check_at_text());
	_exit(1);
}

static void ate(int signal)
{
	check_found(CHECK_RUN_05, NULL, NULL, "the driver %s: %s",
		    signal == SIGUSR2 ? "takes memory without end" : "starts threads without end",
		    check_at_text());
	_exit(1);
}

static void aborted(int signal)
{
	check_found(CHECK_RUN_01, NULL, NULL, "the driver ends the machine: BUG()");
	_exit(1);
}

static struct sigaction asans;

/* AddressSanitizer finds no stack where no function is: it gets the one of the call. */
static void touched(int signal, siginfo_t *info, void *context)
{
	mcontext_t *machine = &((ucontext_t *)context)->uc_mcontext;

#if defined(__x86_64__)
	called_nothing = (unsigned long)machine->gregs[REG_RIP] < PAGE_SIZE;
	if (called_nothing) {
		machine->gregs[REG_RIP] = *(greg_t *)machine->gregs[REG_RSP] - 1;
		machine->gregs[REG_RSP] += sizeof(greg_t);
	}
#elif defined(__aarch64__)
	called_nothing = machine->pc < PAGE_SIZE;
	if (called_nothing)
		machine->pc = machine->regs[30] - 4;
#endif
	asans.sa_sigaction(signal, info, context);
}

static void watch_touches(void)
{
	struct sigaction touch;

	sigaction(SIGSEGV, NULL, &asans);
	if (!(asans.sa_flags & SA_SIGINFO))
		return;
	touch = asans;
	touch.sa_sigaction = touched;
	sigaction(SIGSEGV, &touch, NULL);
}

static bool over;

static void ended(void)
{
	if (!over)
		check_found(CHECK_RUN_01, NULL, NULL, "the driver ends the process");
}

void mishap_over(void)
{
	over = true;
}

void mishap_watch(void)
{
	struct sigaction hang = { .sa_handler = hung }, abort = { .sa_handler = aborted };
	struct sigaction eat = { .sa_handler = ate };

	host_set_warn_hook(warned);
	__asan_set_error_report_callback(asan_reported);
	sigaction(SIGUSR1, &hang, NULL);
	sigaction(SIGUSR2, &eat, NULL);
	sigaction(SIGURG, &eat, NULL);
	sigaction(SIGABRT, &abort, NULL);
	watch_touches();
	atexit(ended);
}
