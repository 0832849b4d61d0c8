/* SPDX-License-Identifier: MIT */
/* watch-buffers.c - see watch-buffers.h */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "checker/check/finding.h"
#include "checker/check/watch-buffers.h"
#include "core/event.h"

struct exported {
	struct exported *next;
	const struct dma_buf *dmabuf;
	unsigned long nr; /* the how many-th that was exported, from 1 */
	bool refused;
	struct check_stack stack;
	char at[160]; /* what was tried then */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Under lock: those that are not released, the last first. */
static struct exported *buffers;
static unsigned long last_nr;

static void exported(const struct dma_buf *dmabuf)
{
	struct check_stack stack;
	struct exported *buffer;

	check_stack_take(&stack);
	if (!check_stack_of_driver(&stack))
		return;
	buffer = calloc(1, sizeof(*buffer));
	if (!buffer)
		abort();
	buffer->dmabuf = dmabuf;
	buffer->stack = stack;
	snprintf(buffer->at, sizeof(buffer->at), "%s", check_at_text());
	pthread_mutex_lock(&lock);
	buffer->nr = ++last_nr;
	buffer->next = buffers;
	buffers = buffer;
	pthread_mutex_unlock(&lock);
}

static void released(const struct dma_buf *dmabuf)
{
	struct exported **at = &buffers, *buffer;

	pthread_mutex_lock(&lock);
	while (*at && (*at)->dmabuf != dmabuf)
		at = &(*at)->next;
	buffer = *at;
	if (buffer)
		*at = buffer->next;
	pthread_mutex_unlock(&lock);
	free(buffer);
}

static void told(const struct event *event)
{
	if (event->kind == EVENT_EXPORT)
		exported(event->subject);
	else if (event->kind == EVENT_RELEASE)
		released(event->subject);
}

void watch_buffers_start(void)
{
	if (event_listen(told))
		abort();
}

unsigned long watch_buffers_made(void)
{
	unsigned long nr;

	pthread_mutex_lock(&lock);
	nr = last_nr;
	pthread_mutex_unlock(&lock);
	return nr;
}

void watch_buffers_refused(unsigned long made_before)
{
	pthread_mutex_lock(&lock);
	for (struct exported *buffer = buffers; buffer && buffer->nr > made_before;
	     buffer = buffer->next)
		buffer->refused = true;
	pthread_mutex_unlock(&lock);
}

void watch_buffers_left(bool gone)
{
	for (struct exported *buffer = buffers; buffer; buffer = buffer->next)
		if (gone || buffer->refused)
			check_found_call(CHECK_BAL_11, buffer->dmabuf, &buffer->stack, NULL,
					 "a buffer that was exported is not released when the "
					 "driver is done%s; made while: %s",
					 buffer->refused ? ", though the call that made it failed"
							 : "",
					 buffer->at);
}
