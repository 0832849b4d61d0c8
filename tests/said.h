/* SPDX-License-Identifier: MIT */
/*
 * said.h - what the library prints, for a test to read
 *
 * Between listen_begin() and listen_end() all of this process's standard error goes to a file; one at a
 * time.  said() may be called meanwhile, by one thread.
 */
#ifndef TESTS_SAID_H
#define TESTS_SAID_H

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

struct listener {
	int before, file;
	char text[4096]; /* of listen_end(): all of it, as far as there is room */
};

static inline void listen_begin(struct listener *l)
{
	l->before = dup(STDERR_FILENO);
	l->file = memfd_create("said", MFD_CLOEXEC);
	dup2(l->file, STDERR_FILENO);
}

static inline const char *said(struct listener *l)
{
	ssize_t len = pread(l->file, l->text, sizeof(l->text) - 1, 0);

	l->text[len > 0 ? len : 0] = '\0';
	return l->text;
}

static inline void listen_end(struct listener *l)
{
	said(l);
	dup2(l->before, STDERR_FILENO);
	close(l->before);
	close(l->file);
}

#endif
