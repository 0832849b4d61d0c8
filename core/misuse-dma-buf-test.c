/* SPDX-License-Identifier: MIT */
/*
 * misuse-dma-buf-test.c - wrong calls of linux/dma-buf.h and linux/dma-buf-mapping.h, each with
 * what it answers here and in Linux 6.12
 */
#include <linux/device.h>
#include <linux/dma-buf-mapping.h>
#include <linux/dma-mapping.h>
#include <linux/file.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/workqueue.h>

#include "dma/window.h"
#include "host/file.h"
#include "test-misuse.h"

#define NONE ((enum dma_data_direction)DMA_NONE)
#define WILD ((enum dma_data_direction)77)

/* Why a row differs, where one reason serves several. */
#define NAMES_THE_BUG "a driver's mistake is named, not only refused"
#define NO_CRASH "no crash on a driver's mistake"
#define SAYS_SO "asserted, where Linux hangs"
#define OURS "no such call"

static const struct dma_buf_attach_ops no_notify;

static void notify(struct dma_buf_attachment *attach)
{
}

static const struct dma_buf_attach_ops follows = { .move_notify = notify };

/* --- exporters -------------------------------------------------------------------------------- */

static struct dma_buf *export_without(struct bed *b, size_t field)
{
	struct dma_buf_ops ops = b->exporter.ops;
	struct dma_buf_export_info info = { .ops = &ops, .size = BYTES, .priv = b };

	memset((char *)&ops + field, 0, sizeof(void *));
	return dma_buf_export(&info);
}

#define WITHOUT(op) misuse_ptr(export_without(&b, offsetof(struct dma_buf_ops, op)))

static void export(struct ktap *t)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf_ops half;
	struct dma_resv resv;
	struct bed b;

	bed_up(t, &b);
	half = b.exporter.ops;
	half.pin = test_pin;

	ROW(t, "dma_buf_export", "no info", ARGUMENT, "WARN export without, -EINVAL",
	    LINUX("crash", NO_CRASH), misuse_ptr(dma_buf_export(misuse_null())));
	ROW(t, "dma_buf_export", "no ops", ARGUMENT, "WARN export without, -EINVAL", SAME,
	    misuse_ptr(dma_buf_export(&info)));
	info.ops = &b.exporter.ops;
	ROW(t, "dma_buf_export", "no priv", ARGUMENT, "WARN export without, -EINVAL", SAME,
	    misuse_ptr(dma_buf_export(&info)));
	ROW(t, "dma_buf_export", "ops without map_dma_buf", ARGUMENT,
	    "WARN export without, -EINVAL", SAME, WITHOUT(map_dma_buf));
	ROW(t, "dma_buf_export", "ops without unmap_dma_buf", ARGUMENT,
	    "WARN export without, -EINVAL", SAME, WITHOUT(unmap_dma_buf));
	ROW(t, "dma_buf_export", "ops without release", ARGUMENT, "WARN export without, -EINVAL",
	    SAME, WITHOUT(release));
	info.priv = &b;
	info.ops = &half;
	ROW(t, "dma_buf_export", "pin without unpin", ARGUMENT,
	    "WARN one of pin and unpin, -EINVAL", SAME, misuse_ptr(dma_buf_export(&info)));

	half.pin = NULL;
	half.tells_moves = true;
	ROW(t, "dma_buf_export", "tells_moves without pin", ARGUMENT, "WARN tells_moves, -EINVAL",
	    LINUX("no such flag", OURS), misuse_ptr(dma_buf_export(&info)));
	half.tells_moves = false;
	half.pin = test_pin;
	half.unpin = test_unpin;
	half.cpu_maps_uncached = true;
	ROW(t, "dma_buf_export", "cpu_maps_uncached of a buffer that moves", ARGUMENT,
	    "WARN cpu_maps_uncached, -EINVAL", LINUX("no such flag", OURS),
	    misuse_ptr(dma_buf_export(&info)));

	dma_resv_init(&resv);
	dma_resv_lock(&resv, NULL);
	info.ops = &b.exporter.ops;
	info.resv = &resv;
	ROW(t, "dma_buf_export", "its resv held", LOCK, "WARN dma_buf_export(), -EDEADLK",
	    LINUX("a pointer", "the core watches the reservation from the export on"),
	    misuse_ptr(dma_buf_export(&info)));
	KT_CHECK(t, dma_resv_held(&resv));
	dma_resv_unlock(&resv);
	dma_resv_fini(&resv);
	bed_down(t, &b);
}

static void moves(struct ktap *t)
{
	struct test_exporter exporter = { .ops = { .pin = test_pin, .unpin = test_unpin } };
	struct dma_buf *dmabuf = test_export(&exporter, 0);
	struct dma_buf_attachment *dynamic;
	struct bed b;

	bed_up(t, &b);
	dynamic = dma_buf_dynamic_attach(dmabuf, b.dev, &follows, NULL);

	ROW(t, "dma_buf_pin", "no attachment", ARGUMENT, "WARN does not follow moves, -EINVAL",
	    LINUX("crash", NO_CRASH), dma_buf_pin(misuse_null()));
	dma_resv_lock(b.dmabuf->resv, NULL);
	ROW(t, "dma_buf_pin", "a static importer's attachment", ARGUMENT,
	    "WARN does not follow moves, -EINVAL",
	    LINUX("WARN, 0", "its map pins; a pin nobody asked for would stay"),
	    dma_buf_pin(b.attach));
	ROW(t, "dma_buf_unpin", "a static importer's attachment", ARGUMENT,
	    "WARN does not follow moves", SAME, VOID(dma_buf_unpin(b.attach)));
	dma_resv_unlock(b.dmabuf->resv);
	ROW(t, "dma_buf_pin", "not held", LOCK, "2 WARNs dma_buf_pin(), 0",
	    LINUX("WARN, 0", "the test's exporter asserts as well"), dma_buf_pin(dynamic));
	ROW(t, "dma_buf_unpin", "no attachment", ARGUMENT, "WARN does not follow moves",
	    LINUX("crash", NO_CRASH), VOID(dma_buf_unpin(misuse_null())));
	ROW(t, "dma_buf_unpin", "not held", LOCK, "2 WARNs dma_buf_unpin()",
	    LINUX("WARN", "the test's exporter asserts as well"), VOID(dma_buf_unpin(dynamic)));

	ROW(t, "dma_buf_move_notify", "no buffer", ARGUMENT, "WARN without pin",
	    LINUX("crash", NO_CRASH), VOID(dma_buf_move_notify(misuse_null())));
	ROW(t, "dma_buf_move_notify", "an exporter without pin", ARGUMENT, "WARN without pin",
	    LINUX("calls the importers", "it promised not to move: mappings are kept"),
	    VOID(dma_buf_move_notify(b.dmabuf)));
	ROW(t, "dma_buf_move_notify", "not held", LOCK, "WARN dma_buf_move_notify()", SAME,
	    VOID(dma_buf_move_notify(dmabuf)));
	ROW(t, "dma_buf_invalidate_mappings", "not held", LOCK, "WARN dma_buf_move_notify()", SAME,
	    VOID(dma_buf_invalidate_mappings(dmabuf)));
	ROW(t, "dma_buf_move_begin", "no buffer", ARGUMENT, "WARN without tells_moves, -EINVAL",
	    LINUX("no such call", OURS), dma_buf_move_begin(misuse_null(), 0));
	ROW(t, "dma_buf_move_begin", "an exporter without tells_moves", ARGUMENT,
	    "WARN without tells_moves, -EINVAL", LINUX("no such call", OURS),
	    dma_buf_move_begin(dmabuf, 0));
	ROW(t, "dma_buf_move_end", "a move that has not begun", ORDER, "WARN has not begun",
	    LINUX("no such call", OURS), VOID(dma_buf_move_end(dmabuf)));
	ROW(t, "dma_buf_move_end", "no buffer", ARGUMENT, "WARN has not begun",
	    LINUX("no such call", OURS), VOID(dma_buf_move_end(misuse_null())));
	ROW(t, "dma_buf_map_placement", "no attachment", ARGUMENT, "WARN what is not mapped, 0",
	    LINUX("no such call", OURS), dma_buf_map_placement(misuse_null(), misuse_null()));
	ROW(t, "dma_buf_map_placement", "no table", ARGUMENT, "WARN what is not mapped, 0",
	    LINUX("no such call", OURS), dma_buf_map_placement(b.attach, misuse_null()));
	ROW(t, "dma_buf_revoke", "no buffer", ARGUMENT, "WARN revoke of no buffer, -EINVAL",
	    LINUX("no such call", OURS), dma_buf_revoke(misuse_null(), 0));
	dma_resv_lock(dmabuf->resv, NULL);
	ROW(t, "dma_buf_revoke", "held", LOCK, "WARN dma_buf_revoke(), -EDEADLK",
	    LINUX("no such call", OURS), dma_buf_revoke(dmabuf, 0));
	dma_resv_unlock(dmabuf->resv);
	ROW(t, "dma_buf_attach_revocable", "no attachment", ARGUMENT, "crash", SAME,
	    dma_buf_attach_revocable(misuse_null()));
	ROW(t, "dma_buf_is_dynamic", "no buffer", ARGUMENT, "crash", SAME,
	    dma_buf_is_dynamic(misuse_null()));
	ROW(t, "dma_buf_attachment_is_dynamic", "no attachment", ARGUMENT, "crash", SAME,
	    dma_buf_attachment_is_dynamic(misuse_null()));

	dma_buf_detach(dmabuf, dynamic);
	dma_buf_put(dmabuf);
	bed_down(t, &b);
}

/* --- references ------------------------------------------------------------------------------- */

/* Exporters may share a reservation among buffers. */
static void put_while_held(struct ktap *t)
{
	struct test_exporter exporter = {};
	struct dma_buf *dmabuf;
	struct dma_resv resv;

	dma_resv_init(&resv);
	exporter.resv = &resv;
	dmabuf = test_export(&exporter, 0);
	dma_resv_lock(&resv, NULL);
	ROW(t, "dma_buf_put", "the last one, its exporter's reservation held: released later", LOCK,
	    "nothing", SAME, VOID(dma_buf_put(dmabuf)));
	KT_CHECK(t, dma_resv_held(&resv));
	dma_resv_unlock(&resv);
	flush_delayed_fput();
	KT_EQ(t, exporter.releases, 1);
	dma_resv_fini(&resv);
}

static void references(struct ktap *t)
{
	struct bed b;
	int fd;

	bed_up(t, &b);
	ROW(t, "dma_buf_fd", "no buffer", ARGUMENT, "WARN a descriptor of no buffer, -EINVAL",
	    LINUX("-EINVAL", NAMES_THE_BUG), dma_buf_fd(misuse_null(), O_CLOEXEC));
	get_dma_buf(b.dmabuf);
	fd = dma_buf_fd(b.dmabuf, O_CLOEXEC | O_RDWR);
	ROW(t, "dma_buf_fd", "flags that are not a descriptor's (O_RDWR): ignored", ARGUMENT, "0",
	    SAME, fd < 0 ? fd : 0);
	host_close(fd);
	ROW(t, "dma_buf_get", "fd -1", DESCRIPTOR, "-EBADF", SAME, misuse_ptr(dma_buf_get(-1)));
	ROW(t, "dma_buf_get", "a closed descriptor", DESCRIPTOR, "-EBADF", SAME,
	    misuse_ptr(dma_buf_get(fd)));
	ROW(t, "dma_buf_put", "no buffer", ARGUMENT, "WARN put of no buffer", SAME,
	    VOID(dma_buf_put(misuse_null())));
	put_while_held(t);
	ROW_NOT_RUN("dma_buf_put", "once too often", ORDER, "use after free", SAME);
	ROW(t, "get_dma_buf", "no buffer", ARGUMENT, "crash", SAME,
	    VOID(get_dma_buf(misuse_null())));
	bed_down(t, &b);
}

/* --- importers -------------------------------------------------------------------------------- */

static void attach(struct ktap *t)
{
	struct bed b;

	bed_up(t, &b);
	ROW(t, "dma_buf_attach", "no buffer", ARGUMENT, "WARN without a buffer, -EINVAL", SAME,
	    misuse_ptr(dma_buf_attach(misuse_null(), b.dev)));
	ROW(t, "dma_buf_attach", "no device", ARGUMENT, "WARN without a buffer, -EINVAL", SAME,
	    misuse_ptr(dma_buf_attach(b.dmabuf, misuse_null())));
	ROW(t, "dma_buf_dynamic_attach", "no buffer", ARGUMENT, "WARN without a buffer, -EINVAL",
	    SAME, misuse_ptr(dma_buf_dynamic_attach(misuse_null(), b.dev, &follows, NULL)));
	ROW(t, "dma_buf_dynamic_attach", "importer_ops without move_notify", ARGUMENT,
	    "WARN without move_notify, -EINVAL", SAME,
	    misuse_ptr(dma_buf_dynamic_attach(b.dmabuf, b.dev, &no_notify, NULL)));
	ROW(t, "dma_buf_detach", "no buffer", ARGUMENT, "WARN not this buffer's", SAME,
	    VOID(dma_buf_detach(misuse_null(), b.attach)));
	ROW(t, "dma_buf_detach", "no attachment", ARGUMENT, "WARN not this buffer's", SAME,
	    VOID(dma_buf_detach(b.dmabuf, misuse_null())));
	ROW(t, "dma_buf_detach", "another buffer's attachment", ARGUMENT, "WARN not this buffer's",
	    SAME, VOID(dma_buf_detach(b.other, b.attach)));
	ROW(t, "dma_buf_attach_no_snoop", "no buffer", ARGUMENT, "WARN without a buffer, -EINVAL",
	    LINUX(OURS, OURS),
	    misuse_ptr(dma_buf_attach_no_snoop(misuse_null(), b.dev, NULL, NULL)));
	ROW(t, "dma_buf_attach_no_snoop", "no device", ARGUMENT, "WARN without a buffer, -EINVAL",
	    LINUX(OURS, OURS),
	    misuse_ptr(dma_buf_attach_no_snoop(b.dmabuf, misuse_null(), NULL, NULL)));
	dma_resv_lock(b.dmabuf->resv, NULL);
	ROW(t, "dma_buf_attach_no_snoop", "held", LOCK, "WARN takes the reservation, -EDEADLK",
	    LINUX(OURS, OURS), misuse_ptr(dma_buf_attach_no_snoop(b.dmabuf, b.dev, NULL, NULL)));
	ROW(t, "dma_buf_attach", "held", LOCK, "WARN takes the reservation, -EDEADLK",
	    LINUX("deadlock", SAYS_SO), misuse_ptr(dma_buf_attach(b.dmabuf, b.dev)));
	ROW(t, "dma_buf_dynamic_attach", "held", LOCK, "WARN takes the reservation, -EDEADLK",
	    LINUX("deadlock", SAYS_SO),
	    misuse_ptr(dma_buf_dynamic_attach(b.dmabuf, b.dev, &follows, NULL)));
	ROW(t, "dma_buf_detach", "held", LOCK, "WARN dma_buf_detach()", LINUX("deadlock", SAYS_SO),
	    VOID(dma_buf_detach(b.dmabuf, b.attach)));
	KT_CHECK(t, dma_resv_held(b.dmabuf->resv));
	dma_resv_unlock(b.dmabuf->resv);
	ROW_NOT_RUN("dma_buf_detach", "twice", ORDER, "use after free", SAME);
	bed_down(t, &b);
}

static void detach_while_mapped(struct ktap *t)
{
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
	struct bed b;

	bed_up(t, &b);
	attach = dma_buf_attach(b.other, b.dev);
	sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
	KT_CHECK(t, !IS_ERR(sgt));
	ROW(t, "dma_buf_detach", "while mapped", ORDER, "WARN detach while mapped",
	    LINUX("use after free", "the attachment stays until its unmap"),
	    VOID(dma_buf_detach(b.other, attach)));
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
	flush_workqueue(system_wq);
	bed_down(t, &b);
}

static void map(struct ktap *t)
{
	struct sg_table *sgt;
	struct bed b;

	bed_up(t, &b);
	sgt = dma_buf_map_attachment_unlocked(b.attach, DMA_TO_DEVICE);
	KT_CHECK(t, !IS_ERR(sgt));
	dma_buf_unmap_attachment_unlocked(b.attach, sgt, DMA_TO_DEVICE);

	ROW(t, "dma_buf_map_attachment_unlocked", "no attachment", ARGUMENT,
	    "WARN without an attachment, -EINVAL", SAME,
	    misuse_ptr(dma_buf_map_attachment_unlocked(misuse_null(), DMA_TO_DEVICE)));
	ROW(t, "dma_buf_map_attachment_unlocked", "DMA_NONE", ARGUMENT,
	    "WARN without an attachment, -EINVAL", LINUX("BUG in the exporter's map", NO_CRASH),
	    misuse_ptr(dma_buf_map_attachment_unlocked(b.attach, NONE)));
	dma_resv_lock(b.dmabuf->resv, NULL);
	ROW(t, "dma_buf_map_attachment", "no attachment", ARGUMENT,
	    "WARN without an attachment, -EINVAL", SAME,
	    misuse_ptr(dma_buf_map_attachment(misuse_null(), DMA_TO_DEVICE)));
	ROW(t, "dma_buf_map_attachment", "no direction there is", ARGUMENT,
	    "WARN without an attachment, -EINVAL", LINUX("BUG in the exporter's map", NO_CRASH),
	    misuse_ptr(dma_buf_map_attachment(b.attach, WILD)));
	ROW_CHECKED(t, "dma_buf_map_attachment_unlocked", "held", LOCK,
		    "WARN takes the reservation, -EDEADLK", LINUX("deadlock", SAYS_SO),
		    misuse_ptr(dma_buf_map_attachment_unlocked(b.attach, DMA_TO_DEVICE)));
	KT_CHECK(t, dma_resv_held(b.dmabuf->resv));
	dma_resv_unlock(b.dmabuf->resv);
	ROW_CHECKED(t, "dma_buf_map_attachment", "not held", LOCK,
		    "WARN with the reservation locked, a pointer", SAME,
		    misuse_ptr(sgt = dma_buf_map_attachment(b.attach, DMA_TO_DEVICE)));
#ifdef LIBDMABUF_CHECKS
	dma_buf_unmap_attachment_unlocked(b.attach, sgt, DMA_TO_DEVICE);
#endif
	bed_down(t, &b);
}

/* The paths that keep nothing have the same rules. */
static void map_under_remap(struct ktap *t)
{
	struct sg_table *sgt;
	struct bed b;

	dma_buf_set_policy(DMA_BUF_POLICY_REMAP);
	bed_up(t, &b);
	dma_resv_lock(b.dmabuf->resv, NULL);
	ROW(t, "dma_buf_map_attachment_unlocked", "held, policy remap", LOCK,
	    "WARN takes the reservation, -EDEADLK", LINUX("deadlock", SAYS_SO),
	    misuse_ptr(dma_buf_map_attachment_unlocked(b.attach, DMA_TO_DEVICE)));
	sgt = dma_buf_map_attachment(b.attach, DMA_TO_DEVICE);
	KT_CHECK(t, !IS_ERR(sgt));
	ROW(t, "dma_buf_unmap_attachment_unlocked", "held, policy remap", LOCK,
	    "WARN takes the reservation", LINUX("deadlock", SAYS_SO),
	    VOID(dma_buf_unmap_attachment_unlocked(b.attach, sgt, DMA_TO_DEVICE)));
	ROW(t, "dma_buf_unmap_attachment", "another direction, policy remap", ARGUMENT,
	    "WARN with direction 2",
	    LINUX("the exporter's map undone for the wrong direction",
		  "the exporter gets the direction it mapped with"),
	    VOID(dma_buf_unmap_attachment(b.attach, sgt, DMA_FROM_DEVICE)));
	ROW(t, "dma_buf_unmap_attachment", "twice, policy remap", ORDER, "WARN not mapped",
	    LINUX("use after free", "what is mapped is remembered"),
	    VOID(dma_buf_unmap_attachment(b.attach, sgt, DMA_TO_DEVICE)));
	KT_CHECK(t, dma_resv_held(b.dmabuf->resv));
	dma_resv_unlock(b.dmabuf->resv);
	bed_down(t, &b);
	dma_buf_set_policy(DMA_BUF_POLICY_CACHED);
}

static void unmap(struct ktap *t)
{
	struct sg_table *sgt, other = {};
	struct bed b;

	bed_up(t, &b);
	sgt = dma_buf_map_attachment_unlocked(b.attach, DMA_TO_DEVICE);
	KT_CHECK(t, !IS_ERR(sgt));

	ROW(t, "dma_buf_unmap_attachment_unlocked", "no attachment", ARGUMENT,
	    "WARN without an attachment", SAME,
	    VOID(dma_buf_unmap_attachment_unlocked(misuse_null(), sgt, DMA_TO_DEVICE)));
	ROW(t, "dma_buf_unmap_attachment_unlocked", "no table", ARGUMENT,
	    "WARN without an attachment", SAME,
	    VOID(dma_buf_unmap_attachment_unlocked(b.attach, misuse_null(), DMA_TO_DEVICE)));
	ROW(t, "dma_buf_unmap_attachment_unlocked", "DMA_NONE", ARGUMENT,
	    "WARN without an attachment", LINUX("BUG in the exporter's unmap", NO_CRASH),
	    VOID(dma_buf_unmap_attachment_unlocked(b.attach, sgt, NONE)));
	ROW(t, "dma_buf_unmap_attachment_unlocked", "another table", ARGUMENT, "WARN not mapped",
	    LINUX("undefined", "every table of a mapping is known"),
	    VOID(dma_buf_unmap_attachment_unlocked(b.attach, &other, DMA_TO_DEVICE)));
	dma_resv_lock(b.dmabuf->resv, NULL);
	ROW(t, "dma_buf_unmap_attachment", "no attachment", ARGUMENT, "WARN without an attachment",
	    SAME, VOID(dma_buf_unmap_attachment(misuse_null(), sgt, DMA_TO_DEVICE)));
	ROW(t, "dma_buf_unmap_attachment", "no table", ARGUMENT, "WARN without an attachment", SAME,
	    VOID(dma_buf_unmap_attachment(b.attach, misuse_null(), DMA_TO_DEVICE)));
	ROW_CHECKED(t, "dma_buf_unmap_attachment_unlocked", "held", LOCK,
		    "WARN takes the reservation", LINUX("deadlock", SAYS_SO),
		    VOID(dma_buf_unmap_attachment_unlocked(b.attach, sgt, DMA_TO_DEVICE)));
	KT_CHECK(t, dma_resv_held(b.dmabuf->resv));
	dma_resv_unlock(b.dmabuf->resv);
	ROW(t, "dma_buf_unmap_attachment_unlocked", "another direction", ARGUMENT,
	    "WARN with direction 2",
	    LINUX("the exporter's map undone for the wrong direction",
		  "the mapping that the table is of ends"),
	    VOID(dma_buf_unmap_attachment_unlocked(b.attach, sgt, DMA_FROM_DEVICE)));
	ROW(t, "dma_buf_unmap_attachment_unlocked", "twice", ORDER, "WARN",
	    LINUX("use after free", "users are counted"),
	    VOID(dma_buf_unmap_attachment_unlocked(b.attach, sgt, DMA_TO_DEVICE)));
	sgt = dma_buf_map_attachment_unlocked(b.attach, DMA_TO_DEVICE);
	ROW_CHECKED(t, "dma_buf_unmap_attachment", "not held", LOCK,
		    "WARN with the reservation locked", SAME,
		    VOID(dma_buf_unmap_attachment(b.attach, sgt, DMA_TO_DEVICE)));
#ifndef LIBDMABUF_CHECKS
	dma_buf_unmap_attachment_unlocked(b.attach, sgt, DMA_TO_DEVICE);
#endif
	bed_down(t, &b);
}

static void one_access(struct ktap *t)
{
	struct sg_table *sgt;
	struct bed b;

	bed_up(t, &b);
	sgt = dma_buf_map_attachment_unlocked(b.attach, DMA_TO_DEVICE);
	ROW(t, "dma_buf_begin_access", "no attachment", ARGUMENT, "WARN without an attachment",
	    LINUX(OURS, OURS), VOID(dma_buf_begin_access(misuse_null(), sgt, DMA_TO_DEVICE)));
	ROW(t, "dma_buf_begin_access", "no table", ARGUMENT, "WARN without an attachment",
	    LINUX(OURS, OURS), VOID(dma_buf_begin_access(b.attach, misuse_null(), DMA_TO_DEVICE)));
	ROW(t, "dma_buf_begin_access", "DMA_NONE", ARGUMENT, "WARN without an attachment",
	    LINUX(OURS, OURS), VOID(dma_buf_begin_access(b.attach, sgt, NONE)));
	ROW(t, "dma_buf_end_access", "no attachment", ARGUMENT, "WARN without an attachment",
	    LINUX(OURS, OURS), VOID(dma_buf_end_access(misuse_null(), sgt, DMA_TO_DEVICE)));
	ROW(t, "dma_buf_end_access", "DMA_NONE", ARGUMENT, "WARN without an attachment",
	    LINUX(OURS, OURS), VOID(dma_buf_end_access(b.attach, sgt, NONE)));
	dma_resv_lock(b.dmabuf->resv, NULL);
	ROW(t, "dma_buf_begin_access", "held", LOCK, "WARN dma_buf_begin_access()",
	    LINUX(OURS, OURS), VOID(dma_buf_begin_access(b.attach, sgt, DMA_TO_DEVICE)));
	ROW(t, "dma_buf_end_access", "held", LOCK, "WARN dma_buf_end_access()", LINUX(OURS, OURS),
	    VOID(dma_buf_end_access(b.attach, sgt, DMA_TO_DEVICE)));
	dma_resv_unlock(b.dmabuf->resv);
	dma_buf_unmap_attachment_unlocked(b.attach, sgt, DMA_TO_DEVICE);
	bed_down(t, &b);
}

static void exporters_access(struct ktap *t)
{
	struct bed b;

	bed_up(t, &b);
	ROW(t, "dma_buf_begin_exporter_access", "no buffer", ARGUMENT,
	    "WARN without a buffer, -EINVAL", LINUX(OURS, OURS),
	    dma_buf_begin_exporter_access(misuse_null(), b.dev, NULL, DMA_TO_DEVICE));
	ROW(t, "dma_buf_begin_exporter_access", "no device", ARGUMENT,
	    "WARN without a buffer, -EINVAL", LINUX(OURS, OURS),
	    dma_buf_begin_exporter_access(b.dmabuf, misuse_null(), NULL, DMA_TO_DEVICE));
	ROW(t, "dma_buf_begin_exporter_access", "DMA_NONE", ARGUMENT,
	    "WARN without a buffer, -EINVAL", LINUX(OURS, OURS),
	    dma_buf_begin_exporter_access(b.dmabuf, b.dev, NULL, NONE));
	ROW(t, "dma_buf_end_exporter_access", "no buffer", ARGUMENT, "WARN without a buffer",
	    LINUX(OURS, OURS),
	    VOID(dma_buf_end_exporter_access(misuse_null(), b.dev, NULL, DMA_TO_DEVICE)));
	ROW(t, "dma_buf_end_exporter_access", "no direction there is", ARGUMENT,
	    "WARN without a buffer", LINUX(OURS, OURS),
	    VOID(dma_buf_end_exporter_access(b.dmabuf, b.dev, NULL, WILD)));
	bed_down(t, &b);
}

/* --- the CPU ---------------------------------------------------------------------------------- */

static void cpu_access(struct ktap *t)
{
	struct bed b;

	bed_up(t, &b);
	ROW(t, "dma_buf_begin_cpu_access", "no buffer", ARGUMENT, "WARN without a buffer, -EINVAL",
	    SAME, dma_buf_begin_cpu_access(misuse_null(), DMA_TO_DEVICE));
	ROW(t, "dma_buf_begin_cpu_access", "DMA_NONE", ARGUMENT, "WARN without a buffer, -EINVAL",
	    LINUX("what the exporter says", NAMES_THE_BUG),
	    dma_buf_begin_cpu_access(b.dmabuf, NONE));
	ROW(t, "dma_buf_end_cpu_access", "no buffer", ARGUMENT, "WARN without a buffer, -EINVAL",
	    LINUX("WARN, then a crash", NO_CRASH),
	    dma_buf_end_cpu_access(misuse_null(), DMA_TO_DEVICE));
	ROW(t, "dma_buf_end_cpu_access", "no direction there is", ARGUMENT,
	    "WARN without a buffer, -EINVAL", LINUX("what the exporter says", NAMES_THE_BUG),
	    dma_buf_end_cpu_access(b.dmabuf, WILD));
	ROW(t, "dma_buf_begin_cpu_access_partial", "no buffer", ARGUMENT,
	    "WARN without a buffer, -EINVAL", LINUX(OURS, OURS),
	    dma_buf_begin_cpu_access_partial(misuse_null(), DMA_TO_DEVICE, 0, 0));
	ROW(t, "dma_buf_begin_cpu_access_partial", "one byte past the end", SIZE,
	    "WARN outside the buffer, -EINVAL", LINUX(OURS, OURS),
	    dma_buf_begin_cpu_access_partial(b.dmabuf, DMA_TO_DEVICE, 1, BYTES));
	ROW(t, "dma_buf_begin_cpu_access_partial", "offset + len overflows", SIZE,
	    "WARN outside the buffer, -EINVAL", LINUX(OURS, OURS),
	    dma_buf_begin_cpu_access_partial(b.dmabuf, DMA_TO_DEVICE, 8, SIZE_MAX - 4));
	ROW(t, "dma_buf_begin_cpu_access_partial", "offset SIZE_MAX, len 0", SIZE,
	    "WARN outside the buffer, -EINVAL", LINUX(OURS, OURS),
	    dma_buf_begin_cpu_access_partial(b.dmabuf, DMA_TO_DEVICE, SIZE_MAX, 0));
	ROW(t, "dma_buf_begin_cpu_access_partial", "0 bytes at the end", SIZE, "0",
	    LINUX(OURS, OURS), dma_buf_begin_cpu_access_partial(b.dmabuf, DMA_TO_DEVICE, BYTES, 0));
	ROW(t, "dma_buf_end_cpu_access_partial", "0 bytes at the end", SIZE, "0", LINUX(OURS, OURS),
	    dma_buf_end_cpu_access_partial(b.dmabuf, DMA_TO_DEVICE, BYTES, 0));
	ROW(t, "dma_buf_end_cpu_access_partial", "offset + len overflows", SIZE,
	    "WARN outside the buffer, -EINVAL", LINUX(OURS, OURS),
	    dma_buf_end_cpu_access_partial(b.dmabuf, DMA_TO_DEVICE, 8, SIZE_MAX - 4));
	dma_resv_lock(b.dmabuf->resv, NULL);
	ROW(t, "dma_buf_begin_cpu_access", "held", LOCK,
	    "WARN dma_buf_begin_cpu_access_partial(), -EDEADLK",
	    LINUX("0, lockdep warns", "an exporter's op may take it"),
	    dma_buf_begin_cpu_access(b.dmabuf, DMA_TO_DEVICE));
	ROW(t, "dma_buf_end_cpu_access", "held", LOCK,
	    "WARN dma_buf_end_cpu_access_partial(), -EDEADLK",
	    LINUX("0, lockdep warns", "an exporter's op may take it"),
	    dma_buf_end_cpu_access(b.dmabuf, DMA_TO_DEVICE));
	dma_resv_unlock(b.dmabuf->resv);
	KT_EQ(t, b.exporter.begins, 1);
	KT_EQ(t, b.exporter.ends, 1);
	bed_down(t, &b);
}

static void mapping_for_programs(struct ktap *t)
{
	struct vm_area_struct vma = { .vm_end = PAGE_SIZE };
	struct bed b;

	bed_up(t, &b);
	ROW(t, "dma_buf_mmap", "no buffer", ARGUMENT, "WARN mmap without a buffer, -EINVAL", SAME,
	    dma_buf_mmap(misuse_null(), &vma, 0));
	ROW(t, "dma_buf_mmap", "no vma", ARGUMENT, "WARN mmap without a buffer, -EINVAL", SAME,
	    dma_buf_mmap(b.dmabuf, misuse_null(), 0));
	ROW(t, "dma_buf_mmap", "a page past the end", SIZE, "-EINVAL", SAME,
	    dma_buf_mmap(b.dmabuf, &vma, 2));
	ROW(t, "dma_buf_mmap", "pgoff + pages overflows", SIZE, "-EOVERFLOW", SAME,
	    dma_buf_mmap(b.dmabuf, &vma, ULONG_MAX));
	ROW(t, "dma_buf_mmap", "pgoff whose bytes overflow", SIZE, "-EINVAL", SAME,
	    dma_buf_mmap(b.dmabuf, &vma, ULONG_MAX >> PAGE_SHIFT));
	b.exporter.ops.mmap = NULL;
	ROW(t, "dma_buf_mmap", "an exporter without mmap", ARGUMENT, "-EINVAL", SAME,
	    dma_buf_mmap(b.dmabuf, &vma, 0));
	KT_EQ(t, b.exporter.mmaps, 0);
	bed_down(t, &b);
}

static int vmap_bytes(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct test_exporter *exporter = dmabuf->priv;

	iosys_map_set_vaddr(map, test_bytes(exporter));
	return 0;
}

static void vmaps(struct ktap *t)
{
	struct iosys_map map, wrong = {};
	struct bed b;

	bed_up(t, &b);
	ROW(t, "dma_buf_vmap_unlocked", "an exporter without vmap", ARGUMENT, "-EINVAL", SAME,
	    dma_buf_vmap_unlocked(b.dmabuf, &map));
	b.exporter.ops.vmap = vmap_bytes;
	ROW(t, "dma_buf_vmap_unlocked", "no buffer", ARGUMENT, "WARN without a buffer, -EINVAL",
	    SAME, dma_buf_vmap_unlocked(misuse_null(), &map));
	ROW(t, "dma_buf_vmap_unlocked", "no map", ARGUMENT, "WARN without a buffer, -EINVAL",
	    LINUX("crash", NO_CRASH), dma_buf_vmap_unlocked(b.dmabuf, misuse_null()));
	ROW(t, "dma_buf_vmap", "no buffer", ARGUMENT, "WARN without a buffer, -EINVAL", SAME,
	    dma_buf_vmap(misuse_null(), &map));
	ROW(t, "dma_buf_vmap_bracketed", "no buffer", ARGUMENT, "WARN without a buffer, -EINVAL",
	    LINUX(OURS, OURS), dma_buf_vmap_bracketed(misuse_null(), &map));
	ROW(t, "dma_buf_vunmap_unlocked", "no buffer", ARGUMENT, "WARN without a buffer", SAME,
	    VOID(dma_buf_vunmap_unlocked(misuse_null(), &map)));
	ROW(t, "dma_buf_vunmap_unlocked", "not mapped", ORDER, "WARN not mapped",
	    LINUX("BUG", "nothing is broken yet"), VOID(dma_buf_vunmap_unlocked(b.dmabuf, &wrong)));

	dma_resv_lock(b.dmabuf->resv, NULL);
	ROW(t, "dma_buf_vmap_unlocked", "held", LOCK, "WARN dma_buf_vmap_unlocked(), -EDEADLK",
	    LINUX("deadlock", SAYS_SO), dma_buf_vmap_unlocked(b.dmabuf, &map));
	KT_EQ(t, dma_buf_vmap(b.dmabuf, &map), 0);
	ROW(t, "dma_buf_vunmap_unlocked", "held", LOCK, "WARN dma_buf_vunmap_unlocked()",
	    LINUX("deadlock", SAYS_SO), VOID(dma_buf_vunmap_unlocked(b.dmabuf, &map)));
	KT_CHECK(t, dma_resv_held(b.dmabuf->resv));
	ROW(t, "dma_buf_vunmap", "no buffer", ARGUMENT, "WARN without a buffer", SAME,
	    VOID(dma_buf_vunmap(misuse_null(), &map)));
	ROW(t, "dma_buf_vunmap", "no map", ARGUMENT, "WARN without a buffer",
	    LINUX("crash", NO_CRASH), VOID(dma_buf_vunmap(b.dmabuf, misuse_null())));
	ROW(t, "dma_buf_vunmap", "another map", ARGUMENT, "WARN another map",
	    LINUX("BUG", "nothing is broken yet"), VOID(dma_buf_vunmap(b.dmabuf, &wrong)));
	dma_buf_vunmap(b.dmabuf, &map);
	ROW(t, "dma_buf_vunmap", "once too often", ORDER, "WARN not mapped",
	    LINUX("BUG", "nothing is broken yet"), VOID(dma_buf_vunmap(b.dmabuf, &map)));
	dma_resv_unlock(b.dmabuf->resv);

	ROW(t, "dma_buf_vmap", "not held", LOCK, "WARN dma_buf_vmap(), 0", SAME,
	    dma_buf_vmap(b.dmabuf, &map));
	ROW(t, "dma_buf_vunmap", "not held", LOCK, "WARN dma_buf_vunmap()", SAME,
	    VOID(dma_buf_vunmap(b.dmabuf, &map)));
	ROW(t, "dma_buf_vmap_bracketed", "not held", LOCK, "WARN dma_buf_vmap(), 0",
	    LINUX(OURS, OURS), dma_buf_vmap_bracketed(b.dmabuf, &map));
	dma_buf_vunmap_unlocked(b.dmabuf, &map);
	bed_down(t, &b);
}

/* --- tables of device memory ------------------------------------------------------------------ */

#define SGT(prov, vec, nr, size) \
	misuse_ptr(dma_buf_phys_vec_to_sgt(b.attach, prov, vec, nr, size, DMA_BIDIRECTIONAL))
#define LATER(what) LINUX(what, "the call is Linux 6.19's")

static void device_memory(struct ktap *t)
{
	struct p2pdma_provider *provider;
	struct dma_window *window;
	struct phys_vec vec[2];
	struct sg_table *sgt = NULL;
	struct bed b;

	bed_up(t, &b);
	window = dma_window_create(b.dev, 4 * PAGE_SIZE);
	provider = dma_window_provider(window);
	vec[0] = (struct phys_vec){ dma_window_start(window), PAGE_SIZE };
	vec[1] = (struct phys_vec){ dma_window_start(window) + PAGE_SIZE, SIZE_MAX & PAGE_MASK };

	dma_resv_lock(b.dmabuf->resv, NULL);
	ROW(t, "dma_buf_phys_vec_to_sgt", "no attachment", ARGUMENT, "WARN !attach, -EINVAL",
	    LATER("WARN, -EINVAL"),
	    misuse_ptr(dma_buf_phys_vec_to_sgt(misuse_null(), provider, vec, 1, PAGE_SIZE,
					       DMA_BIDIRECTIONAL)));
	ROW(t, "dma_buf_phys_vec_to_sgt", "no provider", ARGUMENT, "WARN !attach, -EINVAL",
	    LATER("WARN, -EINVAL"), SGT(misuse_null(), vec, 1, PAGE_SIZE));
	ROW(t, "dma_buf_phys_vec_to_sgt", "no ranges", ARGUMENT, "WARN !attach, -EINVAL",
	    LATER("crash"), SGT(provider, misuse_null(), 1, PAGE_SIZE));
	ROW(t, "dma_buf_phys_vec_to_sgt", "0 ranges", SIZE, "-EINVAL", LATER("undefined"),
	    SGT(provider, vec, 0, 0));
	ROW(t, "dma_buf_phys_vec_to_sgt", "ranges that are not size", SIZE, "-EINVAL",
	    LATER("undefined"), SGT(provider, vec, 1, 2 * PAGE_SIZE));
	ROW(t, "dma_buf_phys_vec_to_sgt", "ranges whose sum overflows", SIZE, "-EINVAL",
	    LATER("undefined"), SGT(provider, vec, 2, 0));
	ROW(t, "dma_buf_phys_vec_to_sgt", "no direction there is", ARGUMENT,
	    "WARN !valid_dma_direction, -EINVAL", LATER("WARN, -EINVAL"),
	    misuse_ptr(dma_buf_phys_vec_to_sgt(b.attach, provider, vec, 1, PAGE_SIZE, NONE)));
	vec[1].len = 100;
	ROW(t, "dma_buf_phys_vec_to_sgt", "a range that is not whole pages", SIZE, "-EINVAL",
	    LATER("a pointer"), SGT(provider, vec, 2, PAGE_SIZE + 100));
	ROW(t, "dma_buf_free_sgt", "no attachment", ARGUMENT, "WARN !attach", LATER("crash"),
	    VOID(dma_buf_free_sgt(misuse_null(), misuse_null(), DMA_BIDIRECTIONAL)));
	ROW(t, "dma_buf_free_sgt", "no table", ARGUMENT, "WARN !attach", LATER("crash"),
	    VOID(dma_buf_free_sgt(b.attach, misuse_null(), DMA_BIDIRECTIONAL)));
	dma_resv_unlock(b.dmabuf->resv);
	ROW(t, "dma_buf_phys_vec_to_sgt", "not held", LOCK,
	    "WARN dma_buf_phys_vec_to_sgt(), a pointer", LATER("WARN, a pointer"),
	    misuse_ptr(sgt = dma_buf_phys_vec_to_sgt(b.attach, provider, vec, 1, PAGE_SIZE,
						     DMA_BIDIRECTIONAL)));
	ROW(t, "dma_buf_free_sgt", "not held", LOCK, "WARN dma_buf_free_sgt()", LATER("WARN"),
	    VOID(dma_buf_free_sgt(b.attach, sgt, DMA_BIDIRECTIONAL)));
	bed_down(t, &b);
}

/* --- what there is ---------------------------------------------------------------------------- */

static void policy(struct ktap *t)
{
	ROW(t, "dma_buf_list", "no function to write with", ARGUMENT, "WARN a list for nobody",
	    LINUX(OURS, OURS), VOID(dma_buf_list(DMA_BUF_LIST_TEXT, misuse_null(), NULL)));
}

MISUSE_MAIN(KTAP_CASE(export), KTAP_CASE(moves), KTAP_CASE(references), KTAP_CASE(attach),
	    KTAP_CASE(detach_while_mapped), KTAP_CASE(map), KTAP_CASE(map_under_remap),
	    KTAP_CASE(unmap), KTAP_CASE(one_access), KTAP_CASE(exporters_access),
	    KTAP_CASE(cpu_access), KTAP_CASE(mapping_for_programs), KTAP_CASE(vmaps),
	    KTAP_CASE(device_memory), KTAP_CASE(policy))
