/* SPDX-License-Identifier: MIT */
/*
 * misuse.c - see misuse.h
 *
 * Invariants
 *   1  One row runs at a time; what it did is in `record`, which a child shares with its parent.
 *   2  A child only runs its row: it says how that ended by its exit status or its signal.
 */
#include "tests/misuse.h"
#include "host/warn.h"

#include <linux/bug.h>
#include <linux/errno.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

struct record {
	unsigned int warns;
	char words[128]; /* of the first WARN */
	long value;
};

static struct record *record;
static host_warn_hook_t outer_hook;
static bool in_child;
static FILE *table; /* NULL: none is printed */

static const char *const kinds[] = {
	[ARGUMENT] = "argument",     [LOCK] = "lock", [ORDER] = "order",
	[DESCRIPTOR] = "descriptor", [SIZE] = "size",
};

void *misuse_null(void)
{
	static void *volatile null;

	return null;
}

static void note_warn(const char *file, int line, const char *text)
{
	if (!record->warns++)
		snprintf(record->words, sizeof(record->words), "%s", text);
}

static bool ends_the_program(const struct misuse *row)
{
	return !strcmp(row->here, "BUG") || !strcmp(row->here, "crash");
}

static void print_row(const struct misuse *row, const char *here)
{
	if (table)
		fprintf(table, "| `%s` | %s | %s | %s | %s | %s |\n", row->call, row->what,
			kinds[row->kind], here, row->in_linux ?: "same", row->why ?: "");
}

static void check(struct ktap *t, const struct misuse *row, const char *file, int line,
		  const char *got, bool ok)
{
	ktap_check(t, ok, file, line, "%s, %s: expected %s, got %s", row->call, row->what,
		   row->here, got);
	ktap_check(t, !row->in_linux || row->why, file, line,
		   "%s, %s: not as in Linux, and nothing says why", row->call, row->what);
}

/* --- what happened, as text ------------------------------------------------------------------- */

static void value_text(long value, char *text, size_t size)
{
	const char *name = value < 0 && value > -MAX_ERRNO ? strerrorname_np((int)-value) : NULL;

	if (value == MISUSE_VOID)
		text[0] = '\0';
	else if (value == MISUSE_NULL)
		snprintf(text, size, "NULL");
	else if (value == MISUSE_POINTER)
		snprintf(text, size, "a pointer");
	else if (value == MISUSE_NO_ADDRESS)
		snprintf(text, size, "DMA_MAPPING_ERROR");
	else if (value == -ERESTARTSYS)
		snprintf(text, size, "-ERESTARTSYS");
	else if (name)
		snprintf(text, size, "-%s", name);
	else
		snprintf(text, size, "%ld", value);
}

/* Splits "2 WARNs words, value" in place; returns how many WARNs. */
static unsigned int split(char *expected, char **words, char **value)
{
	unsigned int warns = 1;
	char *rest = expected;

	*words = *value = "";
	if (strncmp(rest, "WARN", 4)) {
		if (!strstr(rest, " WARNs")) {
			*value = strcmp(rest, "nothing") ? rest : "";
			return 0;
		}
		warns = strtoul(rest, &rest, 10);
		rest += strlen(" WARNs");
	} else {
		rest += strlen("WARN");
	}
	if (*rest == ' ')
		*words = ++rest;
	rest = strstr(rest, ", ");
	if (rest) {
		*rest = '\0';
		*value = rest + 2;
	}
	return warns;
}

/* --- running ---------------------------------------------------------------------------------- */

static void run_in_child(struct ktap *t, const struct misuse *row)
{
	const char *got = "no end";
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		in_child = true;
		/* The sanitizers' word on it is not wanted, nor their handlers. */
		if (!freopen("/dev/null", "w", stderr))
			_exit(2);
		dup2(fileno(stderr), 2);
		signal(SIGSEGV, SIG_DFL);
		signal(SIGBUS, SIG_DFL);
		return;
	}
	if (pid > 0 && waitpid(pid, &status, 0) == pid) {
		/* a sanitizer that is told to halt exits */
		if (WIFSIGNALED(status))
			got = WTERMSIG(status) == SIGABRT ? "BUG" : "crash";
		else if (WEXITSTATUS(status) == 1)
			got = "crash";
	}
	check(t, row, __FILE__, __LINE__, got, !strcmp(got, row->here));
	print_row(row, got);
}

bool misuse_begin(struct ktap *t, const struct misuse *row)
{
	memset(record, 0, sizeof(*record));
	host_warn_rearm();
	if (ends_the_program(row)) {
		run_in_child(t, row);
		if (!in_child)
			return false;
	}
	outer_hook = host_set_warn_hook(note_warn);
	return true;
}

void misuse_end(struct ktap *t, const struct misuse *row, const char *file, int line, long value)
{
	char got[200], expected[160], number[32], *words, *wanted, *mark;
	unsigned int warns;

	if (in_child)
		_exit(0);
	host_set_warn_hook(outer_hook);

	value_text(value, number, sizeof(number));
	/* What differs from run to run stands behind a bracket. */
	mark = strchr(record->words, '[');
	if (mark)
		*mark = '\0';
	if (!record->warns)
		snprintf(got, sizeof(got), "%s", number[0] ? number : "nothing");
	else if (record->warns == 1)
		snprintf(got, sizeof(got), "WARN \"%s\"%s%s", record->words, number[0] ? ", " : "",
			 number);
	else
		snprintf(got, sizeof(got), "%u WARNs \"%s\"%s%s", record->warns, record->words,
			 number[0] ? ", " : "", number);

	snprintf(expected, sizeof(expected), "%s", row->here);
	warns = split(expected, &words, &wanted);
	check(t, row, file, line, got,
	      warns == record->warns && strstr(record->words, words) && !strcmp(wanted, number));
	print_row(row, got);
}

void misuse_not_run(const struct misuse *row)
{
	char here[200];

	snprintf(here, sizeof(here), "%s (not run)", row->here);
	print_row(row, here);
}

int misuse_main(int argc, char **argv, const struct ktap_case *cases, size_t count)
{
	record = mmap(NULL, sizeof(*record), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (record == MAP_FAILED)
		return 2;
	if (argc == 2 && !strcmp(argv[1], "--table")) {
		table = fdopen(dup(1), "w");
		if (!table || !freopen("/dev/null", "w", stdout))
			return 2;
		argc = 1;
	}
	return ktap_main(argc, argv, cases, count);
}
