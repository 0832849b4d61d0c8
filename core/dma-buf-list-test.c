/* SPDX-License-Identifier: MIT */
/*
 * dma-buf-list-test.c - the list of all buffers, word for word in both syntaxes
 */
#include <linux/device.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "buffer.h"
#include "dma/machine.h"
#include "test-exporter.h"
#include "tests/ktap.h"

struct text {
	char bytes[4096];
	size_t len;
};

static void text_add(void *context, const char *piece, size_t len)
{
	struct text *text = context;

	if (text->len + len < sizeof(text->bytes)) {
		memcpy(text->bytes + text->len, piece, len);
		text->len += len;
	}
}

static void lists_as(struct ktap *t, enum dma_buf_list_format format, const char *want)
{
	struct text text = {};
	bool same;

	dma_buf_list(format, text_add, &text);
	same = !strcmp(text.bytes, want);
	KT_CHECK(t, same);
	if (!same)
		pr_info("got\n%s\nwant\n%s\n", text.bytes, want);
}

static void nothing_is_said_of_nothing(struct ktap *t)
{
	lists_as(t, DMA_BUF_LIST_TEXT, "total: count 0, bytes 0\n");
	lists_as(t, DMA_BUF_LIST_JSON, "{\"buffers\":[],\"count\":0,\"bytes\":0}\n");
}

#define DEVICE_TEXT(importers, state)                                  \
	"buffer: size 4096, flags 0, files 1, exporter test, name , "  \
	"policy cached, vmaps 0\n"                                     \
	"\tdevice: name device, importers " importers ", dynamic no\n" \
	"\t\tslot: direction to_device, state " state ", bytes 4096\n" \
	"total: count 1, bytes 4096\n"

static void kept_mappings_are_told_from_used_ones(struct ktap *t)
{
	struct machine *machine = machine_create(machine_type_find("arm"), 0);
	struct device *dev = machine_add_device(machine, "device", false);
	struct test_exporter exporter = {};
	struct dma_buf *dmabuf = test_export(&exporter, 0);
	struct dma_buf_attachment *attach = dma_buf_attach(dmabuf, dev);
	struct sg_table *sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);

	lists_as(t, DMA_BUF_LIST_TEXT, DEVICE_TEXT("1", "active"));
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
	lists_as(t, DMA_BUF_LIST_TEXT, DEVICE_TEXT("1", "idle"));
	dma_buf_detach(dmabuf, attach);
	lists_as(t, DMA_BUF_LIST_TEXT, DEVICE_TEXT("0", "idle"));
	lists_as(t, DMA_BUF_LIST_JSON,
		 "{\"buffers\":[{\"size\":4096,\"flags\":0,\"files\":1,\"exporter\":\"test\","
		 "\"name\":\"\",\"policy\":\"cached\",\"vmaps\":0,\"devices\":["
		 "{\"name\":\"device\",\"importers\":0,\"dynamic\":false,\"slots\":["
		 "{\"direction\":\"to_device\",\"state\":\"idle\",\"bytes\":4096}]}],"
		 "\"fences\":[]}],\"count\":1,\"bytes\":4096}\n");
	dma_buf_put(dmabuf);
	machine_remove_device(dev);
	machine_destroy(machine);
}

static void attachments_that_keep_nothing_are_listed(struct ktap *t)
{
	struct machine *machine = machine_create(machine_type_find("pc"), 0);
	struct device *dev = machine_add_device(machine, "device", true);
	struct test_exporter exporter = {};
	struct dma_buf_attachment *attach;
	struct dma_buf *dmabuf;

	dma_buf_set_policy(DMA_BUF_POLICY_REMAP);
	dmabuf = test_export(&exporter, 0);
	dma_buf_set_policy(DMA_BUF_POLICY_CACHED);
	attach = dma_buf_attach(dmabuf, dev);
	lists_as(t, DMA_BUF_LIST_TEXT,
		 "buffer: size 4096, flags 0, files 1, exporter test, name , policy remap, "
		 "vmaps 0\n"
		 "\tdevice: name device, importers 1, dynamic no\n"
		 "total: count 1, bytes 4096\n");
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
	machine_remove_device(dev);
	machine_destroy(machine);
}

/* --- names ------------------------------------------------------------------------------------ */

static const char *rude_name(struct dma_fence *fence)
{
	return "a\"b\\c\n\xff";
}

static const struct dma_fence_ops rude_ops = {
	.get_driver_name = rude_name,
	.get_timeline_name = rude_name,
};

static void names_cannot_break_the_syntax(struct ktap *t)
{
	struct test_exporter exporter = {};
	struct dma_buf *dmabuf = test_export(&exporter, 0);
	struct dma_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL);
	static DEFINE_SPINLOCK(lock);
	struct buffer *buffer = to_buffer(dmabuf);

	spin_lock(&buffer->name_lock);
	strscpy(buffer->name, "x\"]}\n", sizeof(buffer->name));
	spin_unlock(&buffer->name_lock);
	dma_fence_init(fence, &rude_ops, &lock, 7, 8);
	dma_resv_lock(dmabuf->resv, NULL);
	KT_EQ(t, dma_resv_reserve_fences(dmabuf->resv, 1), 0);
	dma_resv_add_fence(dmabuf->resv, fence, DMA_RESV_USAGE_WRITE);
	dma_resv_unlock(dmabuf->resv);

	lists_as(t, DMA_BUF_LIST_TEXT,
		 "buffer: size 4096, flags 0, files 1, exporter test, name x\\\"]}\\u000a, "
		 "policy cached, vmaps 0\n"
		 "\tfence: usage write, driver a\\\"b\\\\c\\u000a\\u00ff, "
		 "timeline a\\\"b\\\\c\\u000a\\u00ff, context 7, seqno 8, signaled no\n"
		 "total: count 1, bytes 4096\n");
	dma_fence_signal(fence);
	lists_as(t, DMA_BUF_LIST_JSON,
		 "{\"buffers\":[{\"size\":4096,\"flags\":0,\"files\":1,\"exporter\":\"test\","
		 "\"name\":\"x\\\"]}\\u000a\",\"policy\":\"cached\",\"vmaps\":0,\"devices\":[],"
		 "\"fences\":[{\"usage\":\"write\",\"driver\":\"a\\\"b\\\\c\\u000a\\u00ff\","
		 "\"timeline\":\"a\\\"b\\\\c\\u000a\\u00ff\",\"context\":7,\"seqno\":8,"
		 "\"signaled\":true}]}],\"count\":1,\"bytes\":4096}\n");
	dma_fence_put(fence);
	dma_buf_put(dmabuf);
}

static void two_buffers_are_two(struct ktap *t)
{
	struct test_exporter one = {}, two = {};
	struct dma_buf *first = test_export(&one, 0), *second = test_export(&two, 1);

	lists_as(t, DMA_BUF_LIST_TEXT,
		 "buffer: size 4096, flags 0, files 1, exporter test, name , policy cached, "
		 "vmaps 0\n"
		 "buffer: size 8192, flags 0, files 1, exporter test, name , policy cached, "
		 "vmaps 0\n"
		 "total: count 2, bytes 12288\n");
	dma_buf_put(first);
	dma_buf_put(second);
}

static void a_list_for_nobody_is_misuse(struct ktap *t)
{
	ktap_expect_warn(t, "a list for nobody");
	dma_buf_list(DMA_BUF_LIST_TEXT, NULL, NULL);
}

static int list_notified;

static void list_notify(struct dma_buf_attachment *attach)
{
	list_notified++;
}

/* Kept ones by direction, and beside them attachments of importers that follow moves. */
static void what_moves_is_told_from_what_stays(struct ktap *t)
{
	static const struct dma_buf_attach_ops follows = { .move_notify = list_notify };
	struct machine *machine = machine_create(machine_type_find("arm"), 0);
	struct device *dev = machine_add_device(machine, "device", false);
	struct test_exporter exporter = { .ops = { .pin = test_pin, .unpin = test_unpin } };
	struct dma_buf_attachment *first, *stays, *last;
	struct sg_table *to, *from;
	struct dma_buf *dmabuf;

	for (int widens = 0; widens < 2; widens++) {
		exporter.ops.may_widen = widens;
		dmabuf = test_export(&exporter, 0);
		first = dma_buf_dynamic_attach(dmabuf, dev, &follows, NULL);
		stays = dma_buf_attach(dmabuf, dev);
		last = dma_buf_dynamic_attach(dmabuf, dev, &follows, NULL);
		to = dma_buf_map_attachment_unlocked(stays, DMA_TO_DEVICE);
		from = dma_buf_map_attachment_unlocked(stays, DMA_FROM_DEVICE);
		dma_buf_unmap_attachment_unlocked(stays, from, DMA_FROM_DEVICE);
		lists_as(t, DMA_BUF_LIST_TEXT,
			 widens ? "buffer: size 4096, flags 0, files 1, exporter test, name , "
				  "policy cached, vmaps 0\n"
				  "\tdevice: name device, importers 1, dynamic no\n"
				  "\t\tslot: direction bidirectional, state active, bytes 4096\n"
				  "\tdevice: name device, importers 1, dynamic yes\n"
				  "\tdevice: name device, importers 1, dynamic yes\n"
				  "total: count 1, bytes 4096\n"
				: "buffer: size 4096, flags 0, files 1, exporter test, name , "
				  "policy cached, vmaps 0\n"
				  "\tdevice: name device, importers 1, dynamic no\n"
				  "\t\tslot: direction to_device, state active, bytes 4096\n"
				  "\t\tslot: direction from_device, state idle, bytes 4096\n"
				  "\tdevice: name device, importers 1, dynamic yes\n"
				  "\tdevice: name device, importers 1, dynamic yes\n"
				  "total: count 1, bytes 4096\n");
		dma_buf_unmap_attachment_unlocked(stays, to, DMA_TO_DEVICE);
		dma_buf_detach(dmabuf, last);
		dma_buf_detach(dmabuf, stays);
		dma_buf_detach(dmabuf, first);
		dma_buf_put(dmabuf);
	}
	machine_remove_device(dev);
	machine_destroy(machine);
}

static const char *plain_name(struct dma_fence *fence)
{
	return fence->seqno ? "plain" : NULL;
}

static const struct dma_fence_ops plain_ops = {
	.get_driver_name = plain_name,
	.get_timeline_name = plain_name,
};

/* Also one whose driver says no name. */
static void fences_of_every_usage(struct ktap *t)
{
	struct test_exporter exporter = {};
	struct dma_buf *dmabuf = test_export(&exporter, 0);
	struct dma_fence *fence[4];
	static DEFINE_SPINLOCK(lock);

	dma_resv_lock(dmabuf->resv, NULL);
	KT_EQ(t, dma_resv_reserve_fences(dmabuf->resv, 4), 0);
	for (int i = 0; i < 4; i++) {
		fence[i] = kzalloc(sizeof(*fence[i]), GFP_KERNEL);
		dma_fence_init(fence[i], &plain_ops, &lock, 7 + i, i);
		dma_resv_add_fence(dmabuf->resv, fence[i], DMA_RESV_USAGE_KERNEL + i);
	}
	dma_resv_unlock(dmabuf->resv);
#define FENCE(usage, name, context, seqno)                                            \
	"{\"usage\":\"" usage "\",\"driver\":\"" name "\",\"timeline\":\"" name "\"," \
	"\"context\":" context ",\"seqno\":" seqno ",\"signaled\":false}"
	lists_as(t, DMA_BUF_LIST_JSON,
		 "{\"buffers\":[{\"size\":4096,\"flags\":0,\"files\":1,\"exporter\":\"test\","
		 "\"name\":\"\",\"policy\":\"cached\",\"vmaps\":0,\"devices\":[],\"fences\":"
		 "[" FENCE("kernel", "", "7", "0") "," FENCE("write", "plain", "8", "1") "," FENCE(
			 "read", "plain", "9",
			 "2") "," FENCE("bookkeep", "plain", "10",
					"3") "]}],\"count\":1,\"bytes\":4096}\n");
#undef FENCE
	for (int i = 0; i < 4; i++) {
		dma_fence_signal(fence[i]);
		dma_fence_put(fence[i]);
	}
	dma_buf_put(dmabuf);
}

KTAP_MAIN(KTAP_CASE(nothing_is_said_of_nothing), KTAP_CASE(kept_mappings_are_told_from_used_ones),
	  KTAP_CASE(attachments_that_keep_nothing_are_listed),
	  KTAP_CASE(names_cannot_break_the_syntax), KTAP_CASE(two_buffers_are_two),
	  KTAP_CASE(a_list_for_nobody_is_misuse), KTAP_CASE(what_moves_is_told_from_what_stays),
	  KTAP_CASE(fences_of_every_usage))
