/* SPDX-License-Identifier: MIT */
/*
 * event.c - the one who listens
 */
#include "event.h"

#ifdef LIBDMABUF
void (*event_listener)(const struct event *event);
#endif
