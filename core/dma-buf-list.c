/* SPDX-License-Identifier: MIT */
/*
 * dma-buf-list.c - what there is: every buffer, who is attached, what is kept for him, the fences
 *
 * Invariants
 *   LI1  One walk says what is said; the two syntaxes say the same.
 *   LI2  What programs and drivers call things cannot break either syntax: a byte that is no
 *        printable ASCII is written as \u00NN.
 *   LI3  One buffer's part is of one moment (its reservation is held); the whole list is not.
 *
 * Not here: who may read it.
 */
#include <linux/bug.h>
#include <linux/device.h>
#include <linux/file.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "buffer.h"
#include "slot-set.h"

struct list_out {
	/* constant */
	enum dma_buf_list_format format;
	void (*write)(void *context, const char *text, size_t len);
	void *context;

	unsigned int depth; /* of items */
	bool first;         /* in its item or list: nothing to separate from */
};

/* --- the two syntaxes ------------------------------------------------------------------------- */

static void put(struct list_out *out, const char *text)
{
	out->write(out->context, text, strlen(text));
}

static bool is_json(const struct list_out *out)
{
	return out->format == DMA_BUF_LIST_JSON;
}

/* LI2 */
static void put_escaped(struct list_out *out, const char *text)
{
	for (; *text; text++) {
		unsigned char c = *text;
		char piece[8] = { c };

		if (c < ' ' || c > '~')
			scnprintf(piece, sizeof(piece), "\\u%04x", c);
		else if (c == '"' || c == '\\')
			scnprintf(piece, sizeof(piece), "\\%c", c);
		put(out, piece);
	}
}

static void key(struct list_out *out, const char *name)
{
	if (!out->first)
		put(out, is_json(out) ? "," : ", ");
	out->first = false;
	put(out, is_json(out) ? "\"" : "");
	put(out, name);
	put(out, is_json(out) ? "\":" : " ");
}

static void number(struct list_out *out, const char *name, u64 value)
{
	char text[24];

	key(out, name);
	scnprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	put(out, text);
}

static void word(struct list_out *out, const char *name, const char *value)
{
	key(out, name);
	put(out, is_json(out) ? "\"" : "");
	put_escaped(out, value ?: "");
	put(out, is_json(out) ? "\"" : "");
}

static void flag(struct list_out *out, const char *name, bool value)
{
	key(out, name);
	if (is_json(out))
		put(out, value ? "true" : "false");
	else
		put(out, value ? "yes" : "no");
}

/* Items of one kind; in text they stand indented under what has them. */
static void list_begin(struct list_out *out, const char *plural)
{
	if (is_json(out)) {
		key(out, plural);
		put(out, "[");
	}
	out->first = true;
	out->depth++;
}

static void list_end(struct list_out *out)
{
	if (is_json(out))
		put(out, "]");
	out->first = false;
	out->depth--;
}

static void item_begin(struct list_out *out, const char *singular)
{
	if (is_json(out)) {
		put(out, out->first ? "{" : ",{");
	} else {
		for (unsigned int i = 1; i < out->depth; i++)
			put(out, "\t");
		put(out, singular);
		put(out, ": ");
	}
	out->first = true;
}

/* In text an item is a line, which ends before the items under it. */
static void item_said(struct list_out *out)
{
	if (!is_json(out))
		put(out, "\n");
}

static void item_end(struct list_out *out)
{
	if (is_json(out))
		put(out, "}");
	out->first = false;
}

/* --- one buffer ------------------------------------------------------------------------------- */

static const char *const direction_names[] = {
	[DMA_BIDIRECTIONAL] = "bidirectional",
	[DMA_TO_DEVICE] = "to_device",
	[DMA_FROM_DEVICE] = "from_device",
};

static const char *usage_name(enum dma_resv_usage usage)
{
	switch (usage) {
	case DMA_RESV_USAGE_KERNEL:
		return "kernel";
	case DMA_RESV_USAGE_WRITE:
		return "write";
	case DMA_RESV_USAGE_READ:
		return "read";
	default:
		return "bookkeep";
	}
}

static void list_slot(struct list_out *out, const struct mapping_slot *slot, size_t size)
{
	if (!slot->table)
		return;
	item_begin(out, "slot");
	word(out, "direction", direction_names[slot->table_dir]);
	word(out, "state", mapping_slot_active(slot) ? "active" : "idle");
	number(out, "bytes", size);
	item_said(out);
	item_end(out);
}

static void list_device(struct list_out *out, struct device *dev, unsigned int importers,
			bool dynamic)
{
	item_begin(out, "device");
	word(out, "name", dev_name(dev));
	number(out, "importers", importers);
	flag(out, "dynamic", dynamic);
	item_said(out);
}

static void list_set(struct list_out *out, const struct slot_set *set)
{
	list_device(out, set->dev, set->borrowers, set->importer_ops);
	list_begin(out, "slots");
	list_slot(out, &set->first.slot, set->dmabuf->size);
	for (unsigned int i = 0; set->rest && i < 2; i++)
		list_slot(out, &set->rest[i].slot, set->dmabuf->size);
	list_end(out);
	item_end(out);
}

/* Behind a set, so an importer sees another one? */
static bool is_inner(struct buffer *buffer, const struct dma_buf_attachment *attach)
{
	const struct slot_set *set;

	list_for_each_entry(set, &buffer->sets, node)
		for (unsigned int i = 0; i < slot_set_slots(set); i++)
			if (attach == &set->back[i].inner)
				return true;
	return false;
}

static void list_devices(struct list_out *out, struct buffer *buffer)
{
	struct dma_buf_attachment *attach;
	struct slot_set *set;

	list_begin(out, "devices");
	list_for_each_entry(set, &buffer->sets, node)
		list_set(out, set);
	list_for_each_entry(attach, &buffer->dmabuf.attachments, node) {
		if (is_inner(buffer, attach))
			continue;
		list_device(out, attach->dev, 1, attach->importer_ops);
		list_begin(out, "slots");
		list_end(out);
		item_end(out);
	}
	list_end(out);
}

static void list_fences(struct list_out *out, struct dma_resv *resv)
{
	struct dma_resv_iter cursor;
	struct dma_fence *fence;

	list_begin(out, "fences");
	dma_resv_for_each_fence(&cursor, resv, DMA_RESV_USAGE_BOOKKEEP, fence) {
		item_begin(out, "fence");
		word(out, "usage", usage_name(dma_resv_iter_usage(&cursor)));
		word(out, "driver", fence->ops->get_driver_name(fence));
		word(out, "timeline", fence->ops->get_timeline_name(fence));
		number(out, "context", fence->context);
		number(out, "seqno", fence->seqno);
		flag(out, "signaled", dma_fence_is_signaled(fence));
		item_said(out);
		item_end(out);
	}
	list_end(out);
}

static void list_buffer(struct list_out *out, struct buffer *buffer)
{
	struct dma_buf *dmabuf = &buffer->dmabuf;
	char name[DMA_BUF_NAME_LEN];

	spin_lock(&buffer->name_lock);
	memcpy(name, buffer->name, sizeof(name));
	spin_unlock(&buffer->name_lock);

	dma_resv_lock(dmabuf->resv, NULL);
	item_begin(out, "buffer");
	number(out, "size", dmabuf->size);
	number(out, "flags", dmabuf->file->f_flags);
	number(out, "files", file_count(dmabuf->file));
	word(out, "exporter", dmabuf->exp_name);
	word(out, "name", name);
	word(out, "policy", buffer->policy == DMA_BUF_POLICY_REMAP ? "remap" : "cached");
	number(out, "vmaps", buffer->vmap.users);
	item_said(out);
	list_devices(out, buffer);
	list_fences(out, dmabuf->resv);
	item_end(out);
	dma_resv_unlock(dmabuf->resv);
}

void dma_buf_list(enum dma_buf_list_format format,
		  void (*write)(void *context, const char *text, size_t len), void *context)
{
	struct list_out out = { format, write, context, .first = true };
	struct buffer *buffer = NULL;
	u64 count = 0, bytes = 0;

	if (WARN(!write, "dma-buf: a list for nobody\n"))
		return;
	might_sleep();

	if (is_json(&out))
		put(&out, "{");
	list_begin(&out, "buffers");
	while ((buffer = buffer_visit_next(buffer))) {
		list_buffer(&out, buffer);
		count++;
		bytes += buffer->dmabuf.size;
	}
	list_end(&out);
	if (!is_json(&out)) {
		put(&out, "total: ");
		out.first = true;
	}
	number(&out, "count", count);
	number(&out, "bytes", bytes);
	put(&out, is_json(&out) ? "}\n" : "\n");
}
