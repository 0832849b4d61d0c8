/* SPDX-License-Identifier: MIT */
/*
 * history.c - see history.h
 *
 * The record is of the last events and goes on while it is read.
 */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/kernel.h>

#include "checker/check/history.h"
#include "checker/report/record.h"

#define HISTORY_ENTRIES 8192
#define HISTORY_SHOWN 16
#define PICTURE_ENTRIES 3000

static struct record *record;
static bool wanted; /* pictures */

static const char *const direction_names[] = { "BIDIRECTIONAL", "TO_DEVICE", "FROM_DEVICE",
					       "NONE" };

static const char *direction(u64 dir)
{
	return dir < ARRAY_SIZE(direction_names) ? direction_names[dir] : "nonsense";
}

void check_history_start(bool pictures)
{
	record = record_start_last(HISTORY_ENTRIES);
	if (IS_ERR(record))
		record = NULL;
	wanted = pictures;
}

static unsigned int nr_entries(void)
{
	return record ? record_events(record) : 0;
}

/* --- as words --------------------------------------------------------------------------------- */

/* Only the calls that bring a device tell its name. */
static const char *device_of(unsigned int n)
{
	const void *dev = record_entry(record, n)->dev;

	for (unsigned int i = dev ? n : 0; i-- > 0;)
		if (record_entry(record, i)->dev == dev && record_entry(record, i)->text)
			return record_entry(record, i)->text;
	return "a device";
}

static void describe(unsigned int n, char *text, size_t size)
{
	const struct record_entry *entry = record_entry(record, n);
	const struct event *event = &entry->event;

	switch (event->kind) {
	case EVENT_EXPORT:
		snprintf(text, size, "exported by %s, %llu bytes", entry->text,
			 (unsigned long long)event->a);
		break;
	case EVENT_RELEASE:
		snprintf(text, size, "released");
		break;
	case EVENT_ATTACH:
		snprintf(text, size, "%s attached", entry->text);
		break;
	case EVENT_DETACH:
		snprintf(text, size, "%s detached", device_of(n));
		break;
	case EVENT_MAP:
		snprintf(text, size, "%s mapped, %s", device_of(n), direction(event->a));
		break;
	case EVENT_UNMAP:
		snprintf(text, size, "%s unmapped, %s", device_of(n), direction(event->a));
		break;
	case EVENT_ACCESS:
		snprintf(text, size, "%s begins an access, %s", device_of(n), direction(event->a));
		break;
	case EVENT_ACCESS_END:
		snprintf(text, size, "%s ends an access, %s", device_of(n), direction(event->a));
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

/* Is it the buffer's, and told in words? */
static bool is_told(const struct event *event, const void *dmabuf, const void *resv)
{
	switch (event->kind) {
	case EVENT_EXPORT:
	case EVENT_RELEASE:
	case EVENT_ATTACH:
	case EVENT_DETACH:
	case EVENT_MAP:
	case EVENT_UNMAP:
	case EVENT_ACCESS:
	case EVENT_ACCESS_END:
	case EVENT_CPU_BEGIN:
	case EVENT_CPU_END:
	case EVENT_MOVE:
		return event->subject == dmabuf;
	case EVENT_FENCE_ADD:
		return resv && event->object == resv;
	default:
		return false;
	}
}

/* Where it was exported, the latest at this address; nr_entries() when that is forgotten. */
static unsigned int find_export(const void *dmabuf, unsigned int nr)
{
	for (unsigned int i = nr; i-- > 0;) {
		const struct event *event = &record_entry(record, i)->event;

		if (event->kind == EVENT_EXPORT && event->subject == dmabuf)
			return i;
	}
	return nr;
}

struct json_object *check_history_json(const struct dma_buf *dmabuf)
{
	unsigned int nr = nr_entries(), export = find_export(dmabuf, nr), told = 0;
	const void *resv = export < nr ? (void *)record_entry(record, export)->event.c : NULL;
	struct json_object *texts = json_object_new_array();
	unsigned int shown[HISTORY_SHOWN];
	char text[128];

	for (unsigned int i = nr; i-- > 0 && told < HISTORY_SHOWN;) {
		if (is_told(&record_entry(record, i)->event, dmabuf, resv))
			shown[told++] = i;
		if (i == export)
			break;
	}
	while (told) {
		describe(shown[--told], text, sizeof(text));
		json_object_array_add(texts, json_object_new_string(text));
	}
	return texts;
}

/* --- as a picture ----------------------------------------------------------------------------- */

static void add_number(struct json_object *array, unsigned long number)
{
	json_object_array_add(array, json_object_new_int64((int64_t)number));
}

static struct json_object *entry_json(const struct record_entry *entry)
{
	struct json_object *array = json_object_new_array();

	add_number(array, entry->event.kind);
	add_number(array, (unsigned long)entry->event.subject);
	add_number(array, (unsigned long)entry->event.object);
	add_number(array, entry->event.a);
	add_number(array, entry->event.b);
	add_number(array, entry->event.c);
	add_number(array, (unsigned long)entry->dev);
	add_number(array, entry->ns);
	add_number(array, entry->thread);
	json_object_array_add(array, entry->text ? json_object_new_string(entry->text) : NULL);
	for (unsigned int i = 0; i < DMA_COST_NR; i++)
		add_number(array, entry->cost[i]);
	return array;
}

/* The buffer of the last call that was told. */
static const void *last_buffer(unsigned int nr)
{
	for (unsigned int i = nr; i-- > 0;) {
		const struct event *event = &record_entry(record, i)->event;

		if (event->kind != EVENT_FENCE_ADD && is_told(event, event->subject, NULL))
			return event->subject;
	}
	return NULL;
}

struct json_object *check_history_picture(const struct dma_buf *dmabuf)
{
	unsigned int nr = wanted ? nr_entries() : 0, export, from;
	const void *buffer = dmabuf ?: last_buffer(nr);
	struct json_object *picture, *entries;

	export = find_export(buffer, nr);
	if (export == nr)
		return NULL;
	picture = json_object_new_object();
	entries = json_object_new_array();
	json_object_object_add(picture, "buffer",
			       json_object_new_int64((int64_t)(unsigned long)buffer));
	json_object_object_add(picture, "entries", entries);
	/* Of a long life the beginning, which names things, and the end. */
	from = nr - export > PICTURE_ENTRIES ? nr - PICTURE_ENTRIES : export;
	for (unsigned int i = export; i < nr; i++)
		if (i < export + PICTURE_ENTRIES / 10 || i >= from)
			json_object_array_add(entries, entry_json(record_entry(record, i)));
	return picture;
}
