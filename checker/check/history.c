/* SPDX-License-Identifier: MIT */
/*
 * history.c - see history.h
 *
 * A ring that overwrites its oldest; told under any lock, so it takes none and allocates nothing.
 * Two threads that tell at once get entries of their own; one that is overtaken by a whole round
 * writes into a newer entry, which then reads oddly and harms nobody.
 */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include <linux/device.h>
#include <linux/dma-buf.h>
#include <linux/kernel.h>

#include "checker/check/history.h"
#include "core/event.h"

#define HISTORY_ENTRIES 4096
#define HISTORY_SHOWN 16

struct entry {
	struct event event;
	const void *buffer, *resv; /* one of them, or neither; only to be compared */
	char name[40];
};

static struct entry entries[HISTORY_ENTRIES];
static unsigned long next_entry;

static const char *const direction_names[] = { "BIDIRECTIONAL", "TO_DEVICE", "FROM_DEVICE",
					       "NONE" };

static const char *direction(u64 dir)
{
	return dir < ARRAY_SIZE(direction_names) ? direction_names[dir] : "nonsense";
}

static const char *device_of(const struct dma_buf_attachment *attach)
{
	return attach->dev ? dev_name(attach->dev) : "no device";
}

static void listen(const struct event *event)
{
	struct entry entry = { .event = *event };
	const char *name = NULL;

	switch (event->kind) {
	case EVENT_EXPORT:
		entry.resv = ((const struct dma_buf *)event->subject)->resv;
		name = ((const struct dma_buf *)event->subject)->exp_name;
		break;
	case EVENT_ATTACH:
	case EVENT_DETACH:
	case EVENT_MAP:
	case EVENT_UNMAP:
	case EVENT_ACCESS:
	case EVENT_ACCESS_END:
		name = device_of(event->object);
		break;
	case EVENT_RELEASE:
	case EVENT_CPU_BEGIN:
	case EVENT_CPU_END:
	case EVENT_MOVE:
		break;
	case EVENT_FENCE_ADD:
		entry.resv = event->object;
		break;
	default:
		return;
	}
	if (event->kind != EVENT_FENCE_ADD)
		entry.buffer = event->subject;
	snprintf(entry.name, sizeof(entry.name), "%s", name ?: "");
	entries[__atomic_fetch_add(&next_entry, 1, __ATOMIC_RELAXED) % HISTORY_ENTRIES] = entry;
}

void check_history_start(void)
{
	event_listen(listen);
}

static void describe(const struct entry *entry, char *text, size_t size)
{
	const struct event *event = &entry->event;

	switch (event->kind) {
	case EVENT_EXPORT:
		snprintf(text, size, "exported by %s, %llu bytes", entry->name,
			 (unsigned long long)event->a);
		break;
	case EVENT_RELEASE:
		snprintf(text, size, "released");
		break;
	case EVENT_ATTACH:
		snprintf(text, size, "%s attached", entry->name);
		break;
	case EVENT_DETACH:
		snprintf(text, size, "%s detached", entry->name);
		break;
	case EVENT_MAP:
		snprintf(text, size, "%s mapped, %s", entry->name, direction(event->a));
		break;
	case EVENT_UNMAP:
		snprintf(text, size, "%s unmapped, %s", entry->name, direction(event->a));
		break;
	case EVENT_ACCESS:
		snprintf(text, size, "%s begins an access, %s", entry->name, direction(event->a));
		break;
	case EVENT_ACCESS_END:
		snprintf(text, size, "%s ends an access, %s", entry->name, direction(event->a));
		break;
	case EVENT_CPU_BEGIN:
		snprintf(text, size, "CPU access begins, %s", direction(event->c));
		break;
	case EVENT_CPU_END:
		snprintf(text, size, "CPU access ends, %s", direction(event->c));
		break;
	case EVENT_MOVE:
		snprintf(text, size, "its importers were told that it moves");
		break;
	default:
		snprintf(text, size, "a fence was added, usage %llu", (unsigned long long)event->a);
	}
}

/* The entry of its export, the latest at this address; NULL when it is forgotten. */
static const struct entry *find_export(const struct dma_buf *dmabuf, unsigned long first,
				       unsigned long end)
{
	for (unsigned long i = end; i-- > first;) {
		const struct entry *entry = &entries[i % HISTORY_ENTRIES];

		if (entry->event.kind == EVENT_EXPORT && entry->buffer == dmabuf)
			return entry;
	}
	return NULL;
}

struct json_object *check_history_json(const struct dma_buf *dmabuf)
{
	unsigned long end = __atomic_load_n(&next_entry, __ATOMIC_RELAXED);
	unsigned long first = end > HISTORY_ENTRIES ? end - HISTORY_ENTRIES : 0;
	const struct entry *export = find_export(dmabuf, first, end);
	const struct entry *shown[HISTORY_SHOWN];
	struct json_object *texts = json_object_new_array();
	unsigned int nr = 0;
	char text[128];

	for (unsigned long i = end; i-- > first && nr < HISTORY_SHOWN;) {
		const struct entry *entry = &entries[i % HISTORY_ENTRIES];

		if (entry->buffer == dmabuf || (export && entry->resv == export->resv))
			shown[nr++] = entry;
		if (entry == export)
			break;
	}
	while (nr) {
		describe(shown[--nr], text, sizeof(text));
		json_object_array_add(texts, json_object_new_string(text));
	}
	return texts;
}
