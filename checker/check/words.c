/* SPDX-License-Identifier: MIT */
/* words.c - see words.h */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "checker/check/words.h"

extern char **environ;

static void *need(void *memory)
{
	if (!memory) {
		fprintf(stderr, "dmabuf check: %s\n", strerror(ENOMEM));
		exit(2);
	}
	return memory;
}

static void add(struct words *words, char *word)
{
	words->word = need(reallocarray(words->word, words->nr + 2, sizeof(*words->word)));
	words->word[words->nr++] = word;
	words->word[words->nr] = NULL;
}

static char *format_arguments(const char *format, va_list arguments)
{
	char *text;

	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	return need(text);
}

char *words_format(const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	text = format_arguments(format, arguments);
	va_end(arguments);
	return text;
}

void words_add(struct words *words, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	add(words, format_arguments(format, arguments));
	va_end(arguments);
}

void words_add_all(struct words *words, const struct words *more)
{
	for (size_t i = 0; i < more->nr; i++)
		add(words, need(strdup(more->word[i])));
}

void words_split(struct words *words, const char *text)
{
	while (*text) {
		size_t length = 0;

		while (text[length] && !isspace((unsigned char)text[length]))
			length++;
		if (length)
			add(words, need(strndup(text, length)));
		text += length + !!text[length];
	}
}

bool words_have(const struct words *words, const char *word)
{
	for (size_t i = 0; i < words->nr; i++)
		if (!strcmp(words->word[i], word))
			return true;
	return false;
}

void words_free(struct words *words)
{
	for (size_t i = 0; i < words->nr; i++)
		free(words->word[i]);
	free(words->word);
	*words = (struct words){};
}

char *words_file(const char *path)
{
	FILE *file = fopen(path, "re");
	size_t room = 0, length = 0, got;
	char *text = NULL;
	int error;

	if (!file)
		return NULL;
	do {
		room = 2 * room + 4096;
		text = need(realloc(text, room + 1));
		got = fread(text + length, 1, room - length, file);
		length += got;
	} while (got && !ferror(file));
	text[length] = '\0';
	error = ferror(file) ? errno : 0;
	fclose(file);
	if (!error)
		return text;
	free(text);
	errno = error;
	return NULL;
}

/* --- commands --------------------------------------------------------------------------------- */

/* This program's environment, but what tools say is English, and none is a part of make's run. */
static struct words english(void)
{
	static const char *const dropped[] = { "LC_ALL=", "LANGUAGE=", "MAKEFLAGS=", "MFLAGS=",
					       "MAKELEVEL=" };
	struct words words = {};

	for (char **entry = environ; *entry; entry++) {
		size_t i = 0;

		while (i < sizeof(dropped) / sizeof(*dropped) &&
		       strncmp(*entry, dropped[i], strlen(dropped[i])))
			i++;
		if (i == sizeof(dropped) / sizeof(*dropped))
			words_add(&words, "%s", *entry);
	}
	words_add(&words, "LC_ALL=C");
	return words;
}

static int start(pid_t *pid, const struct words *words, const char *output)
{
	struct words environment = english();
	posix_spawn_file_actions_t actions;
	int error = posix_spawn_file_actions_init(&actions);

	if (error) {
		words_free(&environment);
		return error;
	}
	error = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	if (!error && output) {
		error = posix_spawn_file_actions_addopen(&actions, 1, output,
							 O_WRONLY | O_CREAT | O_TRUNC, 0600);
		error = error ?: posix_spawn_file_actions_adddup2(&actions, 1, 2);
	}
	if (!error)
		error = posix_spawnp(pid, words->word[0], &actions, NULL, words->word,
				     environment.word);
	posix_spawn_file_actions_destroy(&actions);
	words_free(&environment);
	return error;
}

static int end(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int command_run(const struct words *words, const char *output)
{
	pid_t pid;
	int error = start(&pid, words, output);

	if (!error)
		return end(pid);
	errno = error;
	return -1;
}

long command_run_all(const struct words *commands, const struct words *outputs, size_t nr)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	size_t together = processors > 0 ? (size_t)processors : 1, started = 0, ended = 0;
	pid_t *pids = need(calloc(nr + 1, sizeof(*pids)));
	size_t failed = nr;
	int error = 0;

	while (ended < started || (started < nr && !error)) {
		if (started < nr && !error && started - ended < together) {
			error = start(&pids[started], &commands[started], outputs->word[started]);
			started += !error;
			continue;
		}
		if (end(pids[ended]) && failed == nr)
			failed = ended;
		ended++;
	}
	free(pids);
	if (!error)
		return failed;
	errno = error;
	return -1;
}
