/* SPDX-License-Identifier: MIT */
/*
 * usage.c - see usage.h
 */
#include <errno.h>
#include <linux/dma-buf.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <uapi/linux/dma-buf.h>

#include "host/port.h"
#include "userdev/listener.h"
#include "userdev/supervisor.h"
#include "userdev/usage.h"

#define REPORT_MOST 100

/* A process that used a buffer. */
struct user {
	struct list_head node; /* in object.users */
	pid_t pid;
	char comm[32];
	unsigned int open; /* brackets begun and not ended */
	bool maps_writable, synced, made, ended;
};

/* A line of the report. */
struct line {
	struct list_head node;
	char text[];
};

static bool is_asked(const struct supervisor *s)
{
	return s->options->stats || s->options->strict;
}

/* --- processes -------------------------------------------------------------------------------- */

static pid_t process_of(pid_t tid)
{
	char path[64], text[64];
	pid_t pid = tid;
	FILE *status;

	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	status = fopen(path, "re");
	while (status && fgets(text, sizeof(text), status))
		if (!strncmp(text, "Tgid:", 5))
			pid = atoi(text + 5);
	if (status)
		fclose(status);
	return pid;
}

static void name_of(pid_t pid, char *comm, size_t size)
{
	char path[64];
	FILE *file;

	strscpy(comm, "?", size);
	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	file = fopen(path, "re");
	if (!file)
		return;
	if (fgets(comm, size, file))
		comm[strcspn(comm, "\n")] = '\0';
	fclose(file);
}

/* The one that made @call, or NULL without memory. */
static struct user *user_of(const struct call *call, struct object *object)
{
	pid_t pid = process_of(call->tid);
	struct user *user;

	list_for_each_entry(user, &object->users, node)
		if (user->pid == pid)
			return user;
	user = kzalloc(sizeof(*user), GFP_KERNEL);
	if (!user)
		return NULL;
	user->pid = pid;
	name_of(pid, user->comm, sizeof(user->comm));
	list_add_tail(&user->node, &object->users);
	return user;
}

void usage_made(struct supervisor *s, const struct call *call, struct object *object)
{
	struct user *user = is_asked(s) ? user_of(call, object) : NULL;

	if (user)
		user->made = true;
}

void usage_map(struct supervisor *s, const struct call *call, struct object *object)
{
	struct user *user = is_asked(s) ? user_of(call, object) : NULL;

	if (user && call->args[2] & PROT_WRITE)
		user->maps_writable = true;
}

void usage_sync(struct supervisor *s, const struct call *call, struct object *object, u64 flags)
{
	struct user *user = is_asked(s) ? user_of(call, object) : NULL;

	if (!user)
		return;
	user->synced = true;
	if (!(flags & DMA_BUF_SYNC_END))
		user->open++;
	else if (user->open)
		user->open--;
}

void usage_exit(struct supervisor *s, const struct call *call)
{
	pid_t pid = process_of(call->tid);
	struct object *object;
	struct user *user;

	list_for_each_entry(object, &s->objects.all, node)
		list_for_each_entry(user, &object->users, node)
			if (user->pid == pid)
				user->ended = true;
}

/* --- the report ------------------------------------------------------------------------------- */

/* What a program chose is not what a terminal, or a reader of UTF-8, is told to do. */
static void make_printable(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

static void report(struct supervisor *s, const char *what, const struct object *object,
		   const struct user *user)
{
	const struct dma_buf *dmabuf = object_buffer(object);
	struct line *line;
	char *text;

	if (s->lines++ >= REPORT_MOST)
		return;
	if (asprintf(&text, "%s: buffer %u%s%s%s, %zu bytes of %s, by %s (%d)", what, object->id,
		     object->name[0] ? " \"" : "", object->name, object->name[0] ? "\"" : "",
		     dmabuf->size, dmabuf->exp_name, user->comm, user->pid) < 0)
		return;
	make_printable(text);
	line = kzalloc(sizeof(*line) + strlen(text) + 1, GFP_KERNEL);
	if (line) {
		strcpy(line->text, text);
		list_add_tail(&line->node, &s->report);
	}
	free(text);
}

static bool has_ended(const struct user *user)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/exe", user->pid);
	return user->ended || stat(path, &st);
}

void usage_end(struct supervisor *s, struct object *object)
{
	unsigned int users = 0;
	struct user *user, *next;

	list_for_each_entry(user, &object->users, node)
		users++;
	if (users > 1)
		s->done.shared++;
	list_for_each_entry_safe(user, next, &object->users, node) {
		if (user->made && users == 1 && has_ended(user)) {
			s->leaks++;
			report(s, "leaked", object, user);
		}
		if (user->maps_writable && !user->synced) {
			s->broken++;
			report(s, "mapped writable and never SYNCed", object, user);
		}
		if (user->open) {
			s->broken++;
			report(s,
			       has_ended(user) ? "SYNC START without END"
					       : "closed between SYNC START and END",
			       object, user);
		}
		list_del(&user->node);
		kfree(user);
	}
}

/* --- the trace -------------------------------------------------------------------------------- */

int usage_init(struct supervisor *s)
{
	s->began = port_time_ns();
	if (!s->options->trace)
		return 0;
	s->trace = fopen(s->options->trace, "we");
	if (s->trace)
		return 0;
	fprintf(stderr, "dmabuf run: %s: %s\n", s->options->trace, strerror(errno));
	return -errno;
}

/* A program chooses its paths: none is more than a word of a line. */
static void write_escaped(FILE *to, const char *text)
{
	for (; *text; text++)
		fprintf(to, *text > ' ' && *text <= '~' && *text != '\\' ? "%c" : "\\x%02x",
			(unsigned char)*text);
}

void usage_trace(struct supervisor *s, const struct call *call, const struct object *object,
		 const char *what, long ret)
{
	u64 now;

	if (!s->trace)
		return;
	now = port_time_ns() - s->began;
	fprintf(s->trace, "%llu.%06llu %d ", (unsigned long long)(now / 1000000000),
		(unsigned long long)(now / 1000 % 1000000), call->tid);
	if (object)
		fprintf(s->trace, "#%u ", object->id);
	write_escaped(s->trace, what);
	if (ret < 0)
		fprintf(s->trace, " = %s\n", strerrorname_np(-ret) ?: "?");
	else
		fprintf(s->trace, " = %ld\n", ret);
}

unsigned int usage_fini(struct supervisor *s)
{
	struct line *line, *next;
	bool told = s->options->stats || s->options->strict;

	if (s->options->stats)
		fprintf(stderr,
			"dmabuf run: %llu buffers of heaps, %llu bytes, at most %llu at once; %llu "
			"udmabufs; "
			"%llu shared; %llu maps, %llu SYNCs; %llu timelines, %llu sync_files; "
			"%llu calls answered; %u leaked, %u rules broken\n",
			(unsigned long long)s->done.buffers, (unsigned long long)s->done.bytes,
			(unsigned long long)s->budget.most, (unsigned long long)s->done.udmabufs,
			(unsigned long long)s->done.shared, (unsigned long long)s->done.maps,
			(unsigned long long)s->done.syncs, (unsigned long long)s->done.timelines,
			(unsigned long long)s->done.fences, (unsigned long long)s->done.calls,
			s->leaks, s->broken);
	list_for_each_entry_safe(line, next, &s->report, node) {
		if (told)
			fprintf(stderr, "dmabuf run: %s\n", line->text);
		list_del(&line->node);
		kfree(line);
	}
	if (told && s->lines > REPORT_MOST)
		fprintf(stderr, "dmabuf run: ... and %u more\n", s->lines - REPORT_MOST);
	if (s->trace)
		fclose(s->trace);
	return s->leaks + s->broken;
}
