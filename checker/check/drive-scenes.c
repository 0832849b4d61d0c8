/* SPDX-License-Identifier: MIT */
/*
 * drive-scenes.c - a driver's buffer with several mappings, mapped in part by a program, used by the
 * driver's own device, and moved; see drive-export.h
 */
#include "checker/check/own.h"

#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/file.h>

#include <sys/mman.h>

#include "checker/check/drive-export.h"
#include "checker/check/drive.h"
#include "checker/check/watch.h"
#include "host/file.h"

/* --- several mappings ------------------------------------------------------------------------- */

/* The device of @attach has mapped; one that @first has goes, and this one is as good as before. */
static void one_of_two_goes(struct subject *s, struct dma_buf_attachment *first,
			    struct dma_buf_attachment *attach)
{
	struct sg_table *goes, *stays;

	goes = dma_buf_map_attachment_unlocked(first, DMA_BIDIRECTIONAL);
	if (subject_failed(s, "map_dma_buf", PTR_ERR_OR_ZERO(goes)))
		return;
	stays = dma_buf_map_attachment_unlocked(attach, DMA_BIDIRECTIONAL);
	dma_buf_unmap_attachment_unlocked(first, goes, DMA_BIDIRECTIONAL);
	/* That it takes no second one is an exporter's right. */
	if (IS_ERR(stays))
		return;
	s->fault = CHECK_LIFE_10;
	subject_fill(s, 30);
	subject_kept(s, attach->dev, stays, CHECK_LIFE_10, CHECK_LIFE_10);
	dma_buf_unmap_attachment_unlocked(attach, stays, DMA_BIDIRECTIONAL);
}

static void mapped_twice(struct subject *s)
{
	one_of_two_goes(s, s->attach, s->attach);
}

static void mapped_by_two(struct subject *s)
{
	struct dma_buf_attachment *other = dma_buf_attach(s->dmabuf, bench.other);

	if (IS_ERR(other))
		return;
	one_of_two_goes(s, s->attach, other);
	one_of_two_goes(s, other, s->attach);
	dma_buf_detach(s->dmabuf, other);
}

/* What a device is told when its job is queued; the exporter's table may change behind its back. */
static int tell(struct sg_table *told, const struct sg_table *sgt)
{
	struct scatterlist *sg, *to;
	unsigned int i;
	int ret = sg_alloc_table(told, sgt->nents, GFP_KERNEL);

	if (ret)
		return ret;
	to = told->sgl;
	for_each_sgtable_dma_sg(sgt, sg, i) {
		sg_dma_address(to) = sg_dma_address(sg);
		sg_dma_len(to) = sg_dma_len(sg);
		to = sg_next(to);
	}
	return 0;
}

/* A device is to read through its first mapping; there is a second one, through which it writes. */
static void mapped_both_ways(struct subject *s)
{
	struct sg_table *first = dma_buf_map_attachment_unlocked(s->attach, DMA_TO_DEVICE), *second;
	struct sg_table told;

	if (subject_failed(s, "map_dma_buf", PTR_ERR_OR_ZERO(first)))
		return;
	if (tell(&told, first))
		goto unmap;
	second = dma_buf_map_attachment_unlocked(s->attach, DMA_FROM_DEVICE);
	/* That it takes no second one is an exporter's right. */
	if (IS_ERR(second))
		goto forget;
	s->fault = s->denied = CHECK_LIFE_10;
	subject_fill(s, 35);
	if (!subject_failed(s, "begin_cpu_access", subject_cpu(s, true)) &&
	    !subject_device(s, s->attach->dev, &told, false))
		subject_expect(s, CHECK_LIFE_10, "the device");
	dma_buf_unmap_attachment_unlocked(s->attach, second, DMA_FROM_DEVICE);
forget:
	sg_free_table(&told);
unmap:
	dma_buf_unmap_attachment_unlocked(s->attach, first, DMA_TO_DEVICE);
}

/* --- the first access of the CPU -------------------------------------------------------------- */

/* What an exporter does only the first time must do for a device that was there before. */
static void first_cpu_access(struct subject *s, bool write)
{
	struct sg_table *sgt = dma_buf_map_attachment_unlocked(s->attach, DMA_BIDIRECTIONAL);

	if (subject_failed(s, "map_dma_buf", PTR_ERR_OR_ZERO(sgt)))
		return;
	subject_fill(s, 40);
	if (write) {
		subject_kept(s, s->attach->dev, sgt, CHECK_COH_03, CHECK_COH_04);
	} else if (!subject_device(s, s->attach->dev, sgt, true) &&
		   !subject_failed(s, "begin_cpu_access", subject_cpu(s, false))) {
		subject_expect(s, CHECK_COH_04, "the CPU");
	}
	dma_buf_unmap_attachment_unlocked(s->attach, sgt, DMA_BIDIRECTIONAL);
}

static void first_read(struct subject *s)
{
	first_cpu_access(s, false);
}

static void first_write(struct subject *s)
{
	first_cpu_access(s, true);
}

/* --- a program maps a part -------------------------------------------------------------------- */

/* Each page alone, as far as the exporter allows: is it the one that was asked for? */
static void look_at_pages(struct subject *s, int fd)
{
	for (size_t from = 0; from < BENCH_BYTES; from += PAGE_SIZE) {
		u8 *page = host_mmap(fd, NULL, PAGE_SIZE, PROT_READ, MAP_SHARED, from);
		struct check_state state;
		size_t at;

		if (IS_ERR(page))
			continue;
		at = bench_differ(page, s->bytes + from, PAGE_SIZE);
		if (at < PAGE_SIZE)
			check_found(CHECK_EXP_07, s->dmabuf, watch_last(&state),
				    "mapped from byte %zu on, a program reads %#x at byte %zu, "
				    "where %#x was written",
				    from, page[at], from + at, s->bytes[from + at]);
		host_munmap(page, PAGE_SIZE);
	}
}

static void mapped_in_parts(struct subject *s)
{
	int fd;

	if (!s->dmabuf->ops->mmap)
		return;
	subject_fill(s, 50);
	if (subject_failed(s, "begin_cpu_access", subject_cpu(s, true)))
		return;
	get_dma_buf(s->dmabuf);
	fd = dma_buf_fd(s->dmabuf, O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		dma_buf_put(s->dmabuf);
		return;
	}
	if (!subject_failed(s, "begin_cpu_access",
			    dma_buf_begin_cpu_access(s->dmabuf, DMA_FROM_DEVICE))) {
		look_at_pages(s, fd);
		dma_buf_end_cpu_access(s->dmabuf, DMA_FROM_DEVICE);
	}
	host_close(fd);
}

/* --- the exporter's own device ---------------------------------------------------------------- */

static void own_device(struct subject *s)
{
	const struct check_adapter *adapter = s->adapter;

	subject_fill(s, 60);
	if (subject_failed(s, "own_access", adapter->own_access(&s->buffer, true, s->bytes)))
		return;
	if (!subject_failed(s, "map_dma_buf", subject_device_once(s, s->attach, false)))
		subject_expect(s, CHECK_COH_07, "the device");
	subject_fill(s, 61);
	if (!subject_failed(s, "map_dma_buf", subject_device_once(s, s->attach, true)) &&
	    !subject_failed(s, "own_access", adapter->own_access(&s->buffer, false, s->seen)))
		subject_expect(s, CHECK_COH_07, "the exporter");
	subject_fill(s, 62);
	if (!subject_failed(s, "begin_cpu_access", subject_cpu(s, true)) &&
	    !subject_failed(s, "own_access", adapter->own_access(&s->buffer, false, s->seen)))
		subject_expect(s, CHECK_COH_07, "the exporter");
}

/* --- moves ------------------------------------------------------------------------------------ */

static void count_notify(struct dma_buf_attachment *attach)
{
	struct subject *s = attach->importer_priv;

	s->told++;
}

static const struct dma_buf_attach_ops follows = {
	.allow_peer2peer = true,
	.move_notify = count_notify,
};

/* As an importer that follows moves maps: all under the reservation. */
static struct sg_table *map_followed(struct dma_buf_attachment *attach)
{
	struct dma_resv *resv = attach->dmabuf->resv;
	struct sg_table *sgt;

	dma_resv_lock(resv, NULL);
	dma_resv_wait_timeout(resv, DMA_RESV_USAGE_KERNEL, false, MAX_SCHEDULE_TIMEOUT);
	sgt = dma_buf_map_attachment(attach, DMA_BIDIRECTIONAL);
	dma_resv_unlock(resv);
	return sgt;
}

static void unmap_followed(struct dma_buf_attachment *attach, struct sg_table *sgt)
{
	struct dma_resv *resv = attach->dmabuf->resv;

	dma_resv_lock(resv, NULL);
	dma_buf_unmap_attachment(attach, sgt, DMA_BIDIRECTIONAL);
	dma_resv_unlock(resv);
}

static void followed(struct subject *s, struct dma_buf_attachment *attach)
{
	struct sg_table *sgt = map_followed(attach);
	unsigned int told = s->told;
	int ret;

	if (subject_failed(s, "map_dma_buf", PTR_ERR_OR_ZERO(sgt)))
		return;
	subject_fill(s, 70);
	if (subject_device(s, attach->dev, sgt, true))
		goto unmap;
	/* Its job is done, and the mapping is kept. */
	if (sg_page(sgt->sgl))
		dma_sync_sgtable_for_cpu(attach->dev, sgt, DMA_BIDIRECTIONAL);
	ret = s->adapter->move(&s->buffer);
	if (!ret && s->told == told)
		check_found(CHECK_MOVE_07, s->dmabuf, NULL,
			    "the buffer moved, and an importer with a mapping was not told");
	if (subject_failed(s, "move", ret))
		goto unmap;
	unmap_followed(attach, sgt);
	sgt = map_followed(attach);
	if (subject_failed(s, "map_dma_buf", PTR_ERR_OR_ZERO(sgt)))
		return;
	if (!subject_device(s, attach->dev, sgt, false))
		subject_expect(s, CHECK_MOVE_06, "the device");
unmap:
	unmap_followed(attach, sgt);
}

/* Do bytes come where nothing but that was asked for?  Else nobody knows why others do not. */
static bool bytes_come(void)
{
	return !check_told(CHECK_COH_01) && !check_told(CHECK_COH_02) &&
	       !check_told(CHECK_COH_03) && !check_told(CHECK_COH_04);
}

/* Nobody is attached but an importer that follows. */
static void moved(struct subject *s)
{
	struct dma_buf_attachment *attach;

	if (!dma_buf_is_dynamic(s->dmabuf))
		return;
	attach = dma_buf_dynamic_attach(s->dmabuf, bench.dev, &follows, s);
	if (subject_failed(s, "attach", PTR_ERR_OR_ZERO(attach)))
		return;
	dma_buf_detach(s->dmabuf, s->attach);
	s->attach = attach;
	subject_by_turns(s, attach);
	for (unsigned int i = 0; i < 2 && bytes_come(); i++)
		followed(s, attach);
}

/* Whoever follows no moves has a mapping: the driver says that it cannot, or need not. */
static void moved_though_mapped(struct subject *s)
{
	struct sg_table *sgt = dma_buf_map_attachment_unlocked(s->attach, DMA_BIDIRECTIONAL);

	if (subject_failed(s, "map_dma_buf", PTR_ERR_OR_ZERO(sgt)))
		return;
	s->fault = CHECK_MOVE_08;
	subject_fill(s, 80);
	if (!subject_device(s, s->attach->dev, sgt, true)) {
		s->adapter->move(&s->buffer);
		for (size_t i = 0; i < BENCH_BYTES; i++)
			s->bytes[i] ^= 0xaa;
		if (!subject_device(s, s->attach->dev, sgt, true) &&
		    !subject_failed(s, "begin_cpu_access", subject_cpu(s, false)))
			subject_expect(s, CHECK_MOVE_08, "the CPU");
	}
	dma_buf_unmap_attachment_unlocked(s->attach, sgt, DMA_BIDIRECTIONAL);
}

void drive_scenes(struct subject *s)
{
	subject_try(s, "the CPU reads first while a device keeps its mapping", first_read);
	subject_try(s, "the CPU writes first while a device keeps its mapping", first_write);
	if (!bytes_come())
		return;
	subject_try(s, "two devices map, one unmaps", mapped_by_two);
	subject_try(s, "a device maps twice, and unmaps one", mapped_twice);
	subject_try(s, "a device maps for reading, and for writing, too", mapped_both_ways);
	subject_try(s, "a program maps a part", mapped_in_parts);
	/* Elsewhere an exporter that does not know of it may find its own memory in use. */
	if (s->adapter->own_access && bench.remaps)
		subject_try(s, "its own device uses it", own_device);
	if (!s->adapter->move)
		return;
	subject_try(s, "it moves", moved);
	subject_try(s, "it moves while a device keeps its mapping", moved_though_mapped);
}
