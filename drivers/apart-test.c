/* SPDX-License-Identifier: MIT */
/*
 * apart-test.c - no byte of one buffer reaches another: what memory is handed out is zero, and what
 * somebody still has mapped is handed out to nobody
 *
 * Every source of memory that several devices may see is filled with secrets by the CPU and by a
 * device, let go, and asked again for a size that ends inside a page; then all of the last page is
 * looked at, by the CPU and by a device.
 */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/sprintf.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>

#include "dma/engine.h"
#include "dma/machine.h"
#include "drivers/exporters/contiguous-heap.h"
#include "drivers/exporters/system-heap.h"
#include "drivers/exporters/vram.h"
#include "host/file.h"
#include "host/memory.h"
#include "host/warn.h"
#include "tests/ktap.h"

#define SECRET 0xa5
#define BYTES (5 * PAGE_SIZE - 123) /* what is asked for */
#define WHOLE (5 * PAGE_SIZE)       /* what there is */

enum source { SYSTEM, CONTIGUOUS, IN_VRAM, VRAM_IN_SYSTEM, SOURCES };

struct bed {
	struct machine *machine;
	struct device *dev, *gpu;
	struct vram *vram;
	u8 *bytes; /* WHOLE of them */
};

static void bed_up(struct ktap *t, struct bed *bed, const struct machine_type *type)
{
	bed->machine = machine_create(type, 0);
	bed->dev = machine_add_device(bed->machine, "importer", type->coherent);
	bed->gpu = machine_add_device(bed->machine, "gpu", type->coherent);
	bed->vram = vram_create(bed->gpu, 2 * WHOLE);
	KT_CHECK(t, !IS_ERR(bed->vram));
	bed->bytes = kmalloc(WHOLE, GFP_KERNEL);
}

static void bed_down(struct bed *bed)
{
	flush_workqueue(system_wq);
	vram_destroy(bed->vram);
	machine_remove_device(bed->gpu);
	machine_remove_device(bed->dev);
	machine_destroy(bed->machine);
	kfree(bed->bytes);
}

static struct dma_buf *allocate(struct bed *bed, enum source source)
{
	switch (source) {
	case SYSTEM:
		return system_heap_allocate(BYTES);
	case CONTIGUOUS:
		return contiguous_heap_allocate(BYTES);
	case IN_VRAM:
		return vram_allocate(bed->vram, BYTES, VRAM_PLACEMENT_VRAM, NULL);
	default:
		return vram_allocate(bed->vram, BYTES, VRAM_PLACEMENT_SYSTEM, NULL);
	}
}

static size_t zeroes(const u8 *bytes)
{
	size_t count = 0;

	for (size_t i = 0; i < WHOLE; i++)
		count += !bytes[i];
	return count;
}

/* --- the CPU and a device, each at the whole buffer ------------------------------------------- */

static void cpu(struct ktap *t, struct bed *bed, struct dma_buf *dmabuf, bool write)
{
	enum dma_data_direction dir = write ? DMA_TO_DEVICE : DMA_FROM_DEVICE;
	struct iosys_map map;
	void *at;

	KT_EQ(t, dmabuf->size, WHOLE);
	KT_EQ(t, dma_buf_begin_cpu_access(dmabuf, dir), 0);
	KT_EQ(t, dma_buf_vmap_unlocked(dmabuf, &map), 0);
	at = map.is_iomem ? map.vaddr_iomem : map.vaddr;
	memcpy(write ? at : bed->bytes, write ? bed->bytes : at, WHOLE);
	dma_buf_vunmap_unlocked(dmabuf, &map);
	KT_EQ(t, dma_buf_end_cpu_access(dmabuf, dir), 0);
}

static void device(struct ktap *t, struct bed *bed, struct dma_buf *dmabuf, bool write)
{
	enum dma_data_direction dir = write ? DMA_FROM_DEVICE : DMA_TO_DEVICE;
	struct dma_buf_attachment *attach = dma_buf_attach(dmabuf, bed->dev);
	struct sg_table *sgt = dma_buf_map_attachment_unlocked(attach, dir);

	KT_ASSERT(t, !IS_ERR(sgt));
	KT_EQ(t,
	      write ? dma_engine_write(bed->dev, sgt, 0, bed->bytes, WHOLE)
		    : dma_engine_read(bed->dev, sgt, 0, bed->bytes, WHOLE),
	      0);
	dma_buf_unmap_attachment_unlocked(attach, sgt, dir);
	dma_buf_detach(dmabuf, attach);
}

/* Leaves secrets wherever the next buffer may come from. */
static void leave_secrets(struct ktap *t, struct bed *bed)
{
	struct dma_buf *dmabuf[SOURCES];
	dma_addr_t addr;
	void *coherent;

	for (int i = 0; i < SOURCES; i++) {
		dmabuf[i] = allocate(bed, i);
		KT_ASSERT(t, !IS_ERR(dmabuf[i]));
		memset(bed->bytes, SECRET, WHOLE);
		cpu(t, bed, dmabuf[i], true);
		device(t, bed, dmabuf[i], true);
	}
	coherent = dma_alloc_coherent(bed->dev, WHOLE, &addr, GFP_KERNEL);
	KT_ASSERT(t, coherent);
	memset(coherent, SECRET, WHOLE);
	dma_free_coherent(bed->dev, WHOLE, coherent, addr);
	for (int i = 0; i < SOURCES; i++)
		dma_buf_put(dmabuf[i]);
	flush_workqueue(system_wq);
}

/* --- zeroed ----------------------------------------------------------------------------------- */

static void new_buffers_hold_nothing(struct ktap *t)
{
	for (int policy = DMA_BUF_POLICY_CACHED; policy <= DMA_BUF_POLICY_REMAP; policy++)
		for (const struct machine_type *type = machine_types; type->name; type++)
			for (int i = 0; i < SOURCES; i++) {
				struct dma_buf *dmabuf;
				struct bed bed;

				dma_buf_set_policy(policy);
				bed_up(t, &bed, type);
				leave_secrets(t, &bed);
				dmabuf = allocate(&bed, i);
				cpu(t, &bed, dmabuf, false);
				KT_EQ(t, zeroes(bed.bytes), WHOLE);
				device(t, &bed, dmabuf, false);
				KT_EQ(t, zeroes(bed.bytes), WHOLE);
				dma_buf_put(dmabuf);

				/* A device is the first to look. */
				leave_secrets(t, &bed);
				dmabuf = allocate(&bed, i);
				device(t, &bed, dmabuf, false);
				KT_EQ(t, zeroes(bed.bytes), WHOLE);
				dma_buf_put(dmabuf);
				bed_down(&bed);
			}
	dma_buf_set_policy(DMA_BUF_POLICY_CACHED);
}

/* A device that writes only a part of a buffer leaves the rest as it was: zero. */
static void a_part_written_brings_no_more(struct ktap *t)
{
	for (int policy = DMA_BUF_POLICY_CACHED; policy <= DMA_BUF_POLICY_REMAP; policy++)
		for (const struct machine_type *type = machine_types; type->name; type++) {
			struct dma_buf_attachment *attach;
			struct dma_buf *dmabuf;
			struct sg_table *sgt;
			struct bed bed;
			u8 one = 1;

			dma_buf_set_policy(policy);
			bed_up(t, &bed, type);
			leave_secrets(t, &bed);
			dmabuf = allocate(&bed, SYSTEM);
			attach = dma_buf_attach(dmabuf, bed.dev);
			sgt = dma_buf_map_attachment_unlocked(attach, DMA_FROM_DEVICE);
			KT_ASSERT(t, !IS_ERR(sgt));
			KT_EQ(t, dma_engine_write(bed.dev, sgt, PAGE_SIZE + 5, &one, 1), 0);
			dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_FROM_DEVICE);
			dma_buf_detach(dmabuf, attach);
			cpu(t, &bed, dmabuf, false);
			KT_EQ(t, zeroes(bed.bytes), WHOLE - 1);
			KT_EQ(t, bed.bytes[PAGE_SIZE + 5], 1);
			dma_buf_put(dmabuf);
			bed_down(&bed);
		}
	dma_buf_set_policy(DMA_BUF_POLICY_CACHED);
}

/* What moves in and out of device memory leaves nothing behind in either. */
static void moves_leave_nothing_behind(struct ktap *t)
{
	for (const struct machine_type *type = machine_types; type->name; type++)
		for (int where = VRAM_PLACEMENT_VRAM; where <= VRAM_PLACEMENT_SYSTEM; where++) {
			struct dma_buf *dmabuf, *next;
			struct bed bed;

			bed_up(t, &bed, type);
			dmabuf = vram_allocate(bed.vram, BYTES, where, NULL);
			memset(bed.bytes, SECRET, WHOLE);
			cpu(t, &bed, dmabuf, true);
			dma_resv_lock(dmabuf->resv, NULL);
			KT_EQ(t, vram_move(dmabuf, !where), 0);
			dma_resv_unlock(dmabuf->resv);
			/* The place that it left. */
			next = vram_allocate(bed.vram, BYTES, where, NULL);
			cpu(t, &bed, next, false);
			KT_EQ(t, zeroes(bed.bytes), WHOLE);
			cpu(t, &bed, dmabuf, false);
			KT_EQ(t, zeroes(bed.bytes), 0);
			dma_buf_put(next);
			dma_buf_put(dmabuf);
			bed_down(&bed);
		}
}

/* Memory that CPU and device share, to its last page's end. */
static void coherent_memory_holds_nothing(struct ktap *t)
{
	for (const struct machine_type *type = machine_types; type->name; type++) {
		struct scatterlist sg;
		struct sg_table table = { .sgl = &sg, .nents = 1, .orig_nents = 1 };
		dma_addr_t addr;
		struct bed bed;
		u8 *coherent;

		bed_up(t, &bed, type);
		leave_secrets(t, &bed);
		coherent = dma_alloc_coherent(bed.dev, BYTES, &addr, GFP_KERNEL);
		KT_ASSERT(t, coherent);
		KT_EQ(t, zeroes(coherent), WHOLE);
		sg_init_table(&sg, 1);
		sg_dma_address(&sg) = addr;
		sg_dma_len(&sg) = WHOLE;
		KT_EQ(t, dma_engine_read(bed.dev, &table, 0, bed.bytes, WHOLE), 0);
		KT_EQ(t, zeroes(bed.bytes), WHOLE);
		dma_free_coherent(bed.dev, BYTES, coherent, addr);
		bed_down(&bed);
	}
}

/* --- quarantine ------------------------------------------------------------------------------- */

#define OTHERS 8

static u64 pages_used(void)
{
	struct host_memory_stats stats;

	host_memory_stats(&stats);
	return stats.pages_used;
}

/*
 * An importer detaches while it has a mapping, and its device goes on writing: into nobody's
 * buffer.  With the unmap the memory goes.
 */
static void detached_while_mapped_is_nobody_elses(struct ktap *t)
{
	for (int policy = DMA_BUF_POLICY_CACHED; policy <= DMA_BUF_POLICY_REMAP; policy++)
		for (const struct machine_type *type = machine_types; type->name; type++) {
			struct dma_buf_attachment *attach;
			struct dma_buf *lost, *others[OTHERS];
			struct sg_table *sgt;
			struct bed bed;
			u64 before;

			dma_buf_set_policy(policy);
			bed_up(t, &bed, type);
			before = pages_used();
			lost = allocate(&bed, SYSTEM);
			attach = dma_buf_attach(lost, bed.dev);
			sgt = dma_buf_map_attachment_unlocked(attach, DMA_FROM_DEVICE);
			KT_ASSERT(t, !IS_ERR(sgt));
			ktap_expect_warn(t, "detach while mapped");
			dma_buf_detach(lost, attach);
			dma_buf_put(lost);
			flush_workqueue(system_wq);
			KT_EQ(t, pages_used(), before + 5);

			for (int i = 0; i < OTHERS; i++)
				others[i] = allocate(&bed, i % 2 ? CONTIGUOUS : SYSTEM);
			memset(bed.bytes, SECRET, WHOLE);
			KT_EQ(t, dma_engine_write(bed.dev, sgt, 0, bed.bytes, WHOLE), 0);
			dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_FROM_DEVICE);
			flush_workqueue(system_wq);
			for (int i = 0; i < OTHERS; i++) {
				cpu(t, &bed, others[i], false);
				KT_EQ(t, zeroes(bed.bytes), WHOLE);
				dma_buf_put(others[i]);
			}
			KT_EQ(t, pages_used(), before);
			bed_down(&bed);
		}
	dma_buf_set_policy(DMA_BUF_POLICY_CACHED);
}

/* --- kept mappings ---------------------------------------------------------------------------- */

/*
 * What an idle mapping still lets a device reach is the buffer that it was of; it ends before the
 * memory is anybody else's, and under policy remap with the unmap.
 */
static void a_kept_mapping_ends_with_its_buffer(struct ktap *t)
{
	for (int policy = DMA_BUF_POLICY_CACHED; policy <= DMA_BUF_POLICY_REMAP; policy++)
		for (const struct machine_type *type = machine_types; type->name; type++) {
			struct scatterlist sg;
			struct sg_table forged = { .sgl = &sg, .nents = 1, .orig_nents = 1 };
			int kept = policy == DMA_BUF_POLICY_CACHED ? 0 : -EFAULT;
			struct dma_buf_attachment *attach;
			struct dma_buf *dmabuf, *next;
			struct sg_table *sgt;
			struct bed bed;
			u8 byte = SECRET;

			dma_buf_set_policy(policy);
			bed_up(t, &bed, type);
			dmabuf = allocate(&bed, CONTIGUOUS);
			attach = dma_buf_attach(dmabuf, bed.dev);
			sgt = dma_buf_map_attachment_unlocked(attach, DMA_FROM_DEVICE);
			KT_ASSERT(t, !IS_ERR(sgt));
			sg_init_table(&sg, 1);
			sg_dma_address(&sg) = sg_dma_address(sgt->sgl);
			sg_dma_len(&sg) = 1;
			dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_FROM_DEVICE);
			KT_EQ(t, dma_engine_write(bed.dev, &forged, 0, &byte, 1), kept);
			KT_EQ(t, dma_engine_read(bed.dev, &forged, 0, &byte, 1), -EFAULT);
			dma_buf_detach(dmabuf, attach);
			dma_buf_put(dmabuf);
			flush_workqueue(system_wq);

			next = allocate(&bed, CONTIGUOUS);
			KT_EQ(t, dma_engine_write(bed.dev, &forged, 0, &byte, 1), -EFAULT);
			cpu(t, &bed, next, false);
			KT_EQ(t, zeroes(bed.bytes), WHOLE);
			dma_buf_put(next);
			bed_down(&bed);
		}
	dma_buf_set_policy(DMA_BUF_POLICY_CACHED);
}

/* --- messages --------------------------------------------------------------------------------- */

static char told[16384];
static size_t told_len;

static void note(void *context, const char *text, size_t len)
{
	len = min(len, sizeof(told) - 1 - told_len);
	memcpy(told + told_len, text, len);
	told_len += len;
}

static void note_warn(const char *file, int line, const char *text)
{
	note(NULL, text, strlen(text));
}

static bool tells_address(const void *address)
{
	char digits[32];

	snprintf(digits, sizeof(digits), "%lx", (unsigned long)address);
	return strstr(told, digits);
}

/* Lists, fdinfo and WARNs about a buffer full of a word: neither the word nor where anything is. */
static void messages_tell_no_bytes_and_no_addresses(struct ktap *t)
{
	struct dma_buf *dmabuf = system_heap_allocate(BYTES);
	struct dma_buf_attachment *attach;
	host_warn_hook_t hook;
	struct sg_table *sgt;
	struct bed bed;
	size_t len;
	u8 *bytes;
	int fd;

	bed_up(t, &bed, machine_type_find("arm"));
	bytes = system_heap_vaddr(dmabuf, 0, &len);
	for (size_t i = 0; i + 6 <= len; i += 6)
		memcpy(bytes + i, "secret", 6);
	attach = dma_buf_attach(dmabuf, bed.dev);
	sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
	KT_ASSERT(t, !IS_ERR(sgt));

	told_len = 0;
	dma_buf_list(DMA_BUF_LIST_TEXT, note, NULL);
	dma_buf_list(DMA_BUF_LIST_JSON, note, NULL);
	fd = dma_buf_fd(dmabuf, O_CLOEXEC);
	KT_CHECK(t, host_fdinfo(fd, told + told_len, sizeof(told) - told_len) > 0);
	told_len = strlen(told);
	KT_CHECK(t, strstr(told, "importer") && strstr(told, "size:"));

	hook = host_set_warn_hook(note_warn);
	dma_buf_detach(dmabuf, attach);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_FROM_DEVICE);
	dma_sync_single_for_cpu(bed.dev, 1, 1, DMA_FROM_DEVICE);
	dma_unmap_page(bed.dev, 1, 1, DMA_FROM_DEVICE);
	vunmap(bytes + 1);
	virt_to_page(bed.bytes);
	host_set_warn_hook(hook);
	told[told_len] = '\0';
	KT_CHECK(t, strstr(told, "detach while mapped") && strstr(told, "vunmap"));

	KT_CHECK(t, !strstr(told, "secret") && !strstr(told, "736563726574"));
	KT_CHECK(t, !tells_address(bytes) && !tells_address(bytes + 1));
	KT_CHECK(t, !tells_address(dmabuf) && !tells_address(attach) && !tells_address(sgt));
	KT_CHECK(t, !tells_address(bed.dev) && !tells_address(bed.bytes));
	host_close(fd);
	bed_down(&bed);
}

KTAP_MAIN(KTAP_CASE(new_buffers_hold_nothing), KTAP_CASE(a_part_written_brings_no_more),
	  KTAP_CASE(moves_leave_nothing_behind), KTAP_CASE(coherent_memory_holds_nothing),
	  KTAP_CASE(detached_while_mapped_is_nobody_elses),
	  KTAP_CASE(a_kept_mapping_ends_with_its_buffer),
	  KTAP_CASE(messages_tell_no_bytes_and_no_addresses))
