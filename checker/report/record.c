/* SPDX-License-Identifier: MIT */
/*
 * record.c - what core/event.h tells, kept in the order it was told
 */
#include <linux/atomic.h>
#include <linux/device.h>
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-table.h>
#include <linux/err.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "checker/report/record.h"
#include "dma/cost.h"
#include "host/warn.h"

#define TEXT_BYTES_EACH 16 /* room for text, for each event */

struct record {
	/* constant */
	struct record_entry *entries;
	unsigned int capacity;
	bool last; /* the last are kept, each with room for a name */
	char *texts;
	size_t text_capacity;
	u64 number; /* of the record */
	ktime_t began;
	host_warn_hook_t warned_before;

	atomic64_t told;   /* with those that found no room */
	atomic64_t texted; /* bytes, likewise */
	atomic_t threads;
};

static struct record *recording;
static u64 records;

static __thread struct {
	u64 record; /* whose; 0: none yet */
	u32 number;
	u64 cost[DMA_COST_NR]; /* since the last entry */
} mine;

static void enter_thread(struct record *record)
{
	if (mine.record == record->number)
		return;
	memset(&mine, 0, sizeof(mine));
	mine.record = record->number;
	mine.number = atomic_fetch_add(1, &record->threads);
}

static const char *keep_text(struct record *record, const struct record_entry *entry,
			     const char *text)
{
	size_t most = record->last ? RECORD_NAME_BYTES : RECORD_TEXT_BYTES;
	size_t bytes = strnlen(text, most - 1) + 1;
	s64 at = record->last ? (entry - record->entries) * RECORD_NAME_BYTES
			      : atomic64_fetch_add(bytes, &record->texted);
	char *kept = record->texts + at;

	if (at + bytes > record->text_capacity)
		return "";
	memcpy(kept, text, bytes - 1);
	kept[bytes - 1] = '\0';
	return kept;
}

static void keep_device(struct record *record, struct record_entry *entry, struct device *dev)
{
	entry->dev = dev;
	entry->text = keep_text(record, entry, dev_name(dev));
}

static const char *fence_name(const struct record *record, const struct dma_fence *fence)
{
	return record->last ? "fence" : fence->ops->get_timeline_name((struct dma_fence *)fence);
}

/* What can be read of it only now. */
static void keep_what_goes(struct record *record, struct record_entry *entry)
{
	struct event *event = &entry->event;
	const struct dma_buf_attachment *attach = event->object;
	const struct dma_buf *dmabuf = event->subject;
	const struct dma_fence *fence = event->subject;

	switch (event->kind) {
	case EVENT_EXPORT:
		entry->text = keep_text(record, entry, dmabuf->exp_name ?: "");
		event->c = (unsigned long)dmabuf->resv;
		break;
	case EVENT_NAME:
		entry->text = keep_text(record, entry, event->object);
		break;
	case EVENT_ATTACH:
		keep_device(record, entry, attach->dev);
		event->a = dma_device_domain(attach->dev);
		break;
	case EVENT_DETACH:
	case EVENT_MAP:
	case EVENT_UNMAP:
	case EVENT_ACCESS:
	case EVENT_ACCESS_END:
		entry->dev = attach->dev;
		break;
	case EVENT_EXPORTER_BEGIN:
	case EVENT_EXPORTER_END:
		keep_device(record, entry, (struct device *)event->object);
		event->c = dma_device_domain((struct device *)event->object);
		break;
	case EVENT_SLOT:
		keep_device(record, entry, attach->dev);
		event->a = dma_device_domain(attach->dev);
		event->object = attach->dmabuf;
		break;
	case EVENT_FENCE_ADD:
		entry->text = keep_text(record, entry, fence_name(record, fence));
		event->a |=
			test_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &fence->flags) ? RECORD_SIGNALED : 0;
		break;
	case EVENT_FENCE_SIGNAL:
		event->a = fence->error;
		break;
	case EVENT_NOTE:
	case EVENT_FINDING:
		entry->dev = ((const struct event_remark *)event->object)->dev;
		entry->text = keep_text(record, entry,
					((const struct event_remark *)event->object)->text);
		break;
	default:
		break;
	}
	if (event->kind == EVENT_FENCE_ADD || event->kind == EVENT_FENCE_SIGNAL ||
	    event->kind == EVENT_JOB) {
		event->b = fence->context;
		event->c = fence->seqno;
	}
}

static void note_event(const struct event *event)
{
	struct record *record = recording;
	struct record_entry *entry;
	u64 n;

	enter_thread(record);
	n = atomic64_fetch_add(1, &record->told);
	if (n >= record->capacity && !record->last)
		return;
	entry = &record->entries[n % record->capacity];
	*entry = (struct record_entry){ .event = *event };
	entry->ns = ktime_to_ns(ktime_sub(ktime_get(), record->began));
	entry->thread = mine.number;
	memcpy(entry->cost, mine.cost, sizeof(mine.cost));
	memset(mine.cost, 0, sizeof(mine.cost));
	keep_what_goes(record, entry);
	smp_store_release(&entry->filled, true);
}

static void note_cost(enum dma_cost kind, u64 n)
{
	enter_thread(recording);
	mine.cost[kind] += n;
}

static void note_warning(const char *file, int line, const char *text)
{
	struct event_remark finding = { .text = text };

	event_tell(EVENT_FINDING, NULL, &finding, 0, 0, 0);
	(recording->warned_before ?: host_warn_print)(file, line, text);
}

static struct record *record_new(unsigned int events, size_t text_bytes)
{
	struct record *record = kzalloc(sizeof(*record), GFP_KERNEL);

	if (!record)
		return ERR_PTR(-ENOMEM);
	record->capacity = events;
	record->text_capacity = text_bytes;
	record->entries = kvcalloc(events, sizeof(*record->entries), GFP_KERNEL);
	record->texts = kvzalloc(text_bytes, GFP_KERNEL);
	if (record->entries && record->texts)
		return record;
	record_free(record);
	return ERR_PTR(-ENOMEM);
}

static int listen(struct record *record)
{
	int ret;

	record->number = ++records;
	record->began = ktime_get();
	recording = record;
	ret = event_listen(note_event);
	if (ret)
		recording = NULL;
	else
		dma_cost_listener = note_cost;
	return ret;
}

static struct record *start(unsigned int events, size_t text_bytes, bool last)
{
	struct record *record;
	int ret;

	if (recording)
		return ERR_PTR(-EBUSY);
	record = record_new(events, text_bytes);
	if (IS_ERR(record))
		return record;
	record->last = last;
	ret = listen(record);
	if (!ret)
		return record;
	record_free(record);
	return ERR_PTR(ret);
}

struct record *record_start(unsigned int events)
{
	struct record *record =
		start(events, (size_t)events * TEXT_BYTES_EACH + RECORD_TEXT_BYTES, false);

	if (!IS_ERR(record))
		record->warned_before = host_set_warn_hook(note_warning);
	return record;
}

struct record *record_start_last(unsigned int events)
{
	return start(events, (size_t)events * RECORD_NAME_BYTES, true);
}

struct record *record_of(const struct record_entry *entries, unsigned int nr)
{
	struct record *record = record_new(nr ?: 1, (size_t)(nr ?: 1) * RECORD_NAME_BYTES);

	if (IS_ERR(record))
		return record;
	record->last = true;
	for (unsigned int i = 0; i < nr; i++) {
		record->entries[i] = entries[i];
		if (entries[i].text)
			record->entries[i].text =
				keep_text(record, &record->entries[i], entries[i].text);
	}
	atomic64_set(&record->told, nr);
	return record;
}

void record_stop(struct record *record)
{
	if (recording != record)
		return;
	if (!record->last)
		host_set_warn_hook(record->warned_before);
	dma_cost_listener = NULL;
	event_unlisten(note_event);
	recording = NULL;
}

void record_free(struct record *record)
{
	if (!record)
		return;
	record_stop(record);
	kvfree(record->texts);
	kvfree(record->entries);
	kfree(record);
}

unsigned int record_events(const struct record *record)
{
	return min_t(u64, atomic64_read(&record->told), record->capacity);
}

u64 record_dropped(const struct record *record)
{
	return atomic64_read(&record->told) - record_events(record);
}

const struct record_entry *record_entry(const struct record *record, unsigned int n)
{
	u64 first = record->last ? record_dropped(record) : 0;

	if (n >= record_events(record))
		return NULL;
	return &record->entries[(first + n) % record->capacity];
}
