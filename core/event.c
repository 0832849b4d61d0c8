/* SPDX-License-Identifier: MIT */
/*
 * event.c - those who listen
 */
#include "event.h"

#ifdef LIBDMABUF
#include <linux/errno.h>

event_listener_t event_listener;

static event_listener_t listeners[EVENT_LISTENERS];
static unsigned int nr_listeners;

static void tell_all(const struct event *event)
{
	for (unsigned int i = 0; i < nr_listeners; i++)
		listeners[i](event);
}

/* One is called without a detour. */
static void update(void)
{
	event_listener = nr_listeners > 1 ? tell_all : nr_listeners ? listeners[0] : NULL;
}

int event_listen(event_listener_t listener)
{
	for (unsigned int i = 0; i < nr_listeners; i++)
		if (listeners[i] == listener)
			return -EEXIST;
	if (nr_listeners == EVENT_LISTENERS)
		return -ENOSPC;
	listeners[nr_listeners++] = listener;
	update();
	return 0;
}

void event_unlisten(event_listener_t listener)
{
	unsigned int i, kept = 0;

	for (i = 0; i < nr_listeners; i++)
		if (listeners[i] != listener)
			listeners[kept++] = listeners[i];
	nr_listeners = kept;
	update();
}
#endif
