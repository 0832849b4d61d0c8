/* SPDX-License-Identifier: MIT */
/*
 * file-cases.c - what a program says to a buffer's descriptor, and what it is answered
 */
#include <linux/sync_file.h>

#include "world.h"

#define DOC_SYNC "include/uapi/linux/dma-buf.h: struct dma_buf_sync"
#define DOC_NAME "drivers/dma-buf/dma-buf.c: dma_buf_set_name()"
#define DOC_EXPORT "include/uapi/linux/dma-buf.h: struct dma_buf_export_sync_file"
#define DOC_IMPORT "include/uapi/linux/dma-buf.h: struct dma_buf_import_sync_file"
#define DOC_POLL "drivers/dma-buf/dma-buf.c: DOC: implicit fence polling"
#define DOC_USERSPACE "Documentation/driver-api/dma-buf.rst: Userspace Interface Notes"
#define DOC_FDINFO "Documentation/filesystems/proc.rst: DMA Buffer files"
#define DOC_IOCTL "Documentation/driver-api/ioctl.rst: Return code"

#define FLAGS(f) (&(const u64){ f })

static int export_fd(struct world *w)
{
	return dma_buf_fd(world_export(w, STATIC_EXPORTER), O_CLOEXEC);
}

/* --- DMA_BUF_IOCTL_SYNC ----------------------------------------------------------------------- */

static long sync(int fd, u64 flags)
{
	struct dma_buf_sync arg = { .flags = flags };

	return world_ioctl(fd, DMA_BUF_IOCTL_SYNC, &arg);
}

static void sync_asks(struct world *w)
{
	u64 flags = *(const u64 *)w->running->data;
	const char *dir = flags == DMA_BUF_SYNC_RW     ? "both"
			  : flags == DMA_BUF_SYNC_READ ? "from"
						       : "to";
	char want[32];
	int fd = export_fd(w);

	W_EQ(w, sync(fd, flags | DMA_BUF_SYNC_START), 0);
	snprintf(want, sizeof(want), "begin:%s", dir);
	W_LOG(w, want);
	W_EQ(w, sync(fd, flags | DMA_BUF_SYNC_END), 0);
	snprintf(want, sizeof(want), "end:%s", dir);
	W_LOG(w, want);
	world_close(fd);
}

static void sync_bad_flags(struct world *w)
{
	int fd = export_fd(w);

	W_EQ(w, sync(fd, *(const u64 *)w->running->data), -EINVAL);
	W_LOG(w, "");
	world_close(fd);
}

static void sync_bad_pointer(struct world *w)
{
	int fd = export_fd(w);

	W_EQ(w, world_ioctl(fd, DMA_BUF_IOCTL_SYNC, NULL), -EFAULT);
	W_LOG(w, "");
	world_close(fd);
}

static void sync_refused(struct world *w)
{
	int fd = export_fd(w);

	w->answer.begin = -EIO;
	W_EQ(w, sync(fd, DMA_BUF_SYNC_READ), -EIO);
	w->answer.begin = 0;
	W_EQ(w, sync(fd, DMA_BUF_SYNC_READ), 0);
	w->answer.end = -ENOMEM;
	W_EQ(w, sync(fd, DMA_BUF_SYNC_READ | DMA_BUF_SYNC_END), -ENOMEM);
	world_close(fd);
}

static void sync_without_ops(struct world *w)
{
	int fd = dma_buf_fd(world_export(w, BARE_EXPORTER), O_CLOEXEC);

	W_EQ(w, sync(fd, DMA_BUF_SYNC_RW), 0);
	W_EQ(w, sync(fd, DMA_BUF_SYNC_RW | DMA_BUF_SYNC_END), 0);
	world_close(fd);
}

static void sync_end_alone(struct world *w)
{
	int fd = export_fd(w);

	W_EQ(w, sync(fd, DMA_BUF_SYNC_WRITE | DMA_BUF_SYNC_END), 0);
	W_LOG(w, "end:to");
	world_close(fd);
}

/* --- other numbers ---------------------------------------------------------------------------- */

static void unknown(struct world *w)
{
	struct dma_buf_sync arg = { .flags = DMA_BUF_SYNC_RW };
	int fd = export_fd(w);

	W_EQ(w, world_ioctl(fd, *(const u64 *)w->running->data, &arg), -ENOTTY);
	W_LOG(w, "");
	world_close(fd);
}

/* --- the name --------------------------------------------------------------------------------- */

static void name(struct world *w)
{
	int fd = export_fd(w);

	W_EQ(w, world_ioctl(fd, DMA_BUF_SET_NAME_A, "first"), 0);
	W_CHECK(w, world_fdinfo(fd, "name:\tfirst"));
	W_EQ(w, world_ioctl(fd, DMA_BUF_SET_NAME_B, "second"), 0);
	W_CHECK(w, world_fdinfo(fd, "name:\tsecond"));
	W_CHECK(w, !world_fdinfo(fd, "name:\tfirst"));
	world_close(fd);
}

static void name_native(struct world *w)
{
	int fd = export_fd(w);

	W_EQ(w, world_ioctl(fd, DMA_BUF_SET_NAME, "native"), 0);
	W_CHECK(w, world_fdinfo(fd, "name:\tnative"));
	world_close(fd);
}

static void name_longest(struct world *w)
{
	char longest[DMA_BUF_NAME_LEN] = {};
	int fd = export_fd(w);

	memset(longest, 'x', sizeof(longest) - 1);
	W_EQ(w, world_ioctl(fd, DMA_BUF_SET_NAME_B, longest), 0);
	W_CHECK(w, world_fdinfo(fd, "name:\txxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"));
	world_close(fd);
}

static void name_too_long(struct world *w)
{
	char too_long[DMA_BUF_NAME_LEN + 1] = {};
	int fd = export_fd(w);

	W_EQ(w, world_ioctl(fd, DMA_BUF_SET_NAME_B, "before"), 0);
	memset(too_long, 'x', sizeof(too_long) - 1);
	W_EQ(w, world_ioctl(fd, DMA_BUF_SET_NAME_B, too_long), -EINVAL);
	W_CHECK(w, world_fdinfo(fd, "name:\tbefore"));
	world_close(fd);
}

static void name_bad_pointer(struct world *w)
{
	int fd = export_fd(w);

	W_EQ(w, world_ioctl(fd, DMA_BUF_SET_NAME_B, NULL), -EFAULT);
	world_close(fd);
}

static void name_while_attached(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct dma_buf_attachment *attach = world_attach(w, dmabuf, false);
	int fd = dma_buf_fd(dmabuf, O_CLOEXEC);

	W_EQ(w, world_ioctl(fd, DMA_BUF_SET_NAME_B, "attached"), 0);
	W_CHECK(w, world_fdinfo(fd, "name:\tattached"));
	dma_buf_detach(dmabuf, attach);
	world_close(fd);
}

/* --- size and fdinfo -------------------------------------------------------------------------- */

static void lseek_end(struct world *w)
{
	int fd = export_fd(w);

	W_EQ(w, world_lseek(fd, 0, SEEK_END), WORLD_BYTES);
	W_EQ(w, world_lseek(fd, 0, SEEK_SET), 0);
	world_close(fd);
}

struct seek {
	loff_t offset;
	int whence;
};

#define SEEK(offset, whence) (&(const struct seek){ offset, whence })

static void lseek_refused(struct world *w)
{
	const struct seek *seek = w->running->data;
	int fd = export_fd(w);

	W_EQ(w, world_lseek(fd, seek->offset, seek->whence), -EINVAL);
	world_close(fd);
}

static void size(struct world *w)
{
	int fd = export_fd(w);

	W_EQ(w, world_size(fd), WORLD_BYTES);
	world_close(fd);
}

static void fdinfo(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	int fd = dma_buf_fd(dmabuf, O_CLOEXEC);
	char want[32];

	snprintf(want, sizeof(want), "size:\t%lu", (unsigned long)WORLD_BYTES);
	W_CHECK(w, world_fdinfo(fd, want));
	W_CHECK(w, world_fdinfo(fd, "exp_name:\tconformance"));
	W_CHECK(w, !world_fdinfo(fd, "name:\t"));
	W_CHECK(w, world_fdinfo(fd, "count:\t1"));
	get_dma_buf(dmabuf);
	W_CHECK(w, world_fdinfo(fd, "count:\t2"));
	dma_buf_put(dmabuf);
	world_close(fd);
}

/* --- poll ------------------------------------------------------------------------------------- */

static void poll_nothing(struct world *w)
{
	int fd = export_fd(w);

	W_EQ(w, world_poll(fd, EPOLLIN | EPOLLOUT), EPOLLIN | EPOLLOUT);
	W_EQ(w, world_poll(fd, EPOLLIN), EPOLLIN);
	W_EQ(w, world_poll(fd, EPOLLOUT), EPOLLOUT);
	world_close(fd);
}

static void poll_reader(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct dma_fence *fence = world_pending_fence(w);
	int fd = dma_buf_fd(dmabuf, O_CLOEXEC);

	world_add_fence(w, dmabuf->resv, fence, DMA_RESV_USAGE_READ);
	W_EQ(w, world_poll(fd, EPOLLIN | EPOLLOUT), EPOLLIN);
	dma_fence_signal(fence);
	W_EQ(w, world_poll(fd, EPOLLIN | EPOLLOUT), EPOLLIN | EPOLLOUT);
	world_close(fd);
}

static void poll_other_events(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	int fd = dma_buf_fd(dmabuf, O_CLOEXEC);

	world_add_fence(w, dmabuf->resv, world_pending_fence(w), DMA_RESV_USAGE_WRITE);
	W_EQ(w, world_poll(fd, EPOLLPRI), 0);
	W_EQ(w, file_count(dmabuf->file), 1);
	world_close(fd);
}

static void poll_second_fence(struct world *w)
{
	struct dma_fence *one = world_pending_fence(w), *other = world_pending_fence(w);
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	int fd = dma_buf_fd(dmabuf, O_CLOEXEC);

	world_add_fence(w, dmabuf->resv, one, DMA_RESV_USAGE_WRITE);
	world_add_fence(w, dmabuf->resv, other, DMA_RESV_USAGE_WRITE);
	W_EQ(w, world_poll(fd, EPOLLIN), 0);
	dma_fence_signal(one);
	W_EQ(w, world_poll(fd, EPOLLIN), 0);
	dma_fence_signal(other);
	W_EQ(w, world_poll(fd, EPOLLIN), EPOLLIN);
	world_close(fd);
}

static void poll_leaves_unlocked(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	int fd = dma_buf_fd(dmabuf, O_CLOEXEC);

	world_add_fence(w, dmabuf->resv, world_pending_fence(w), DMA_RESV_USAGE_WRITE);
	W_EQ(w, world_poll(fd, EPOLLIN | EPOLLOUT), 0);
	W_CHECK(w, !dma_resv_is_locked(dmabuf->resv));
	world_close(fd);
}

/* --- sync files ------------------------------------------------------------------------------- */

static void export_bad_flags(struct world *w)
{
	struct dma_buf_export_sync_file request = { .flags = *(const u64 *)w->running->data,
						    .fd = -7 };
	int fd = export_fd(w);

	W_EQ(w, world_ioctl(fd, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &request), -EINVAL);
	W_EQ(w, request.fd, -7);
	world_close(fd);
}

static void export_bad_pointer(struct world *w)
{
	int fd = export_fd(w);

	W_EQ(w, world_ioctl(fd, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, NULL), -EFAULT);
	world_close(fd);
}

static void export_is_no_buffer(struct world *w)
{
	struct dma_buf_export_sync_file request = { .flags = DMA_BUF_SYNC_RW };
	int fd = export_fd(w);

	W_EQ(w, world_ioctl(fd, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &request), 0);
	W_CHECK(w, request.fd >= 0 && request.fd != fd);
	W_EQ(w, sync(request.fd, DMA_BUF_SYNC_READ), -ENOTTY);
	W_EQ(w, world_poll(request.fd, EPOLLIN), EPOLLIN);
	world_close(request.fd);
	world_close(fd);
}

static void import_bad_flags(struct world *w)
{
	struct dma_buf_export_sync_file exported = { .flags = DMA_BUF_SYNC_RW };
	struct dma_buf_import_sync_file request = { .flags = *(const u64 *)w->running->data };
	int fd = export_fd(w);

	W_EQ(w, world_ioctl(fd, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &exported), 0);
	request.fd = exported.fd;
	W_EQ(w, world_ioctl(fd, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &request), -EINVAL);
	world_close(exported.fd);
	world_close(fd);
}

static void import_bad_pointer(struct world *w)
{
	int fd = export_fd(w);

	W_EQ(w, world_ioctl(fd, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, NULL), -EFAULT);
	world_close(fd);
}

static void import_no_sync_file(struct world *w)
{
	struct dma_buf_import_sync_file request = { .flags = DMA_BUF_SYNC_READ };
	int fd = export_fd(w);

	request.fd = fd;
	W_EQ(w, world_ioctl(fd, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &request), -EINVAL);
	request.fd = -1;
	W_EQ(w, world_ioctl(fd, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &request), -EINVAL);
	world_close(fd);
}

static void import_signaled(struct world *w)
{
	struct dma_buf_export_sync_file exported = { .flags = DMA_BUF_SYNC_RW };
	struct dma_buf_import_sync_file request = { .flags = DMA_BUF_SYNC_WRITE };
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	int fd = dma_buf_fd(dmabuf, O_CLOEXEC);

	W_EQ(w, world_ioctl(fd, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &exported), 0);
	request.fd = exported.fd;
	W_EQ(w, world_ioctl(fd, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &request), 0);
	W_EQ(w, world_poll(fd, EPOLLOUT), EPOLLOUT);
	world_close(exported.fd);
	world_close(fd);
}

static void import_keeps_others(struct world *w)
{
	struct dma_fence *before = world_pending_fence(w), *brought = world_pending_fence(w);
	struct dma_buf_export_sync_file exported = { .flags = DMA_BUF_SYNC_RW };
	struct dma_buf_import_sync_file request = { .flags = DMA_BUF_SYNC_READ };
	struct dma_buf *from = world_export(w, STATIC_EXPORTER);
	struct dma_buf *to = world_export(w, STATIC_EXPORTER);
	int from_fd = dma_buf_fd(from, O_CLOEXEC), to_fd = dma_buf_fd(to, O_CLOEXEC);

	world_add_fence(w, to->resv, before, DMA_RESV_USAGE_WRITE);
	world_add_fence(w, from->resv, brought, DMA_RESV_USAGE_WRITE);
	W_EQ(w, world_ioctl(from_fd, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &exported), 0);
	request.fd = exported.fd;
	W_EQ(w, world_ioctl(to_fd, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &request), 0);
	dma_fence_signal(brought);
	W_EQ(w, world_poll(to_fd, EPOLLIN), 0);
	dma_fence_signal(before);
	W_EQ(w, world_poll(to_fd, EPOLLIN | EPOLLOUT), EPOLLIN | EPOLLOUT);
	world_close(exported.fd);
	world_close(from_fd);
	world_close(to_fd);
}

static const struct world_case cases[] = {
	{ "file.sync_read", "READ is DMA_FROM_DEVICE: the CPU reads what devices wrote", DOC_SYNC,
	  sync_asks, FLAGS(DMA_BUF_SYNC_READ) },
	{ "file.sync_write", "WRITE is DMA_TO_DEVICE", DOC_SYNC, sync_asks,
	  FLAGS(DMA_BUF_SYNC_WRITE) },
	{ "file.sync_rw", "RW is DMA_BIDIRECTIONAL", DOC_SYNC, sync_asks, FLAGS(DMA_BUF_SYNC_RW) },
	{ "file.sync_start_of_nothing", "START without READ and WRITE: -EINVAL", DOC_SYNC,
	  sync_bad_flags, FLAGS(DMA_BUF_SYNC_START) },
	{ "file.sync_end_of_nothing", "END without READ and WRITE: -EINVAL", DOC_SYNC,
	  sync_bad_flags, FLAGS(DMA_BUF_SYNC_END) },
	{ "file.sync_unknown_flag", "a flag that is none: -EINVAL", DOC_SYNC, sync_bad_flags,
	  FLAGS(DMA_BUF_SYNC_RW | 8) },
	{ "file.sync_unknown_high_flag", "the upper half of the flags counts, too: -EINVAL",
	  DOC_SYNC, sync_bad_flags, FLAGS(DMA_BUF_SYNC_RW | 1ull << 40) },
	{ "file.sync_all_flags", "all flags at once: -EINVAL", DOC_SYNC, sync_bad_flags,
	  FLAGS(~0ull) },
	{ "file.sync_bad_pointer", "a pointer to nowhere: -EFAULT", DOC_IOCTL, sync_bad_pointer },
	{ "file.sync_refused", "errnos of the exporter reach the program", DOC_SYNC, sync_refused },
	{ "file.sync_without_ops", "an exporter without begin and end: 0", DOC_SYNC,
	  sync_without_ops },
	{ "file.sync_end_alone", "an END without START reaches the exporter", DOC_SYNC,
	  sync_end_alone },

	{ "file.unknown_number", "a number of the buffer's that there is not: -ENOTTY", DOC_IOCTL,
	  unknown, FLAGS(_IO(DMA_BUF_BASE, 99)) },
	{ "file.unknown_type", "a number of other files: -ENOTTY", DOC_IOCTL, unknown,
	  FLAGS(_IOW('x', 0, struct dma_buf_sync)) },
	{ "file.unknown_size", "the number with another size: -ENOTTY", DOC_IOCTL, unknown,
	  FLAGS(_IOW(DMA_BUF_BASE, 0, u32)) },
	{ "file.unknown_direction", "the number with another direction: -ENOTTY", DOC_IOCTL,
	  unknown, FLAGS(_IOR(DMA_BUF_BASE, 0, struct dma_buf_sync)) },

	{ "file.name", "a name is set, and set again; both numbers do", DOC_NAME, name },
	{ "file.name_native", "the number of the program's word size is one of the two", DOC_NAME,
	  name_native },
	{ "file.name_longest", "a name has up to 31 bytes", DOC_NAME, name_longest },
	{ "file.name_too_long", "one more: -EINVAL, and the name is the one before", DOC_NAME,
	  name_too_long },
	{ "file.name_bad_pointer", "a pointer to nowhere: -EFAULT", DOC_IOCTL, name_bad_pointer },
	{ "file.name_while_attached", "a buffer may be named while devices are attached",
	  "drivers/dma-buf/dma-buf.c: dma_buf_ioctl()", name_while_attached },

	{ "file.lseek_end", "lseek to the end tells the size, and to the start 0", DOC_USERSPACE,
	  lseek_end },
	{ "file.lseek_cur", "there is no position: SEEK_CUR is -EINVAL", DOC_USERSPACE,
	  lseek_refused, SEEK(0, SEEK_CUR) },
	{ "file.lseek_inside", "an offset from the start is -EINVAL", DOC_USERSPACE, lseek_refused,
	  SEEK(1, SEEK_SET) },
	{ "file.lseek_from_end", "an offset from the end is -EINVAL", DOC_USERSPACE, lseek_refused,
	  SEEK(-1, SEEK_END) },
	{ "file.size", "fstat tells the size", DOC_USERSPACE, size },
	{ "file.fdinfo", "fdinfo tells size, exporter, references, and a name if there is one",
	  DOC_FDINFO, fdinfo },

	{ "file.poll_nothing", "a buffer without fences may be read and written", DOC_POLL,
	  poll_nothing },
	{ "file.poll_reader", "a reader's fence keeps writers waiting, not readers", DOC_POLL,
	  poll_reader },
	{ "file.poll_other_events", "other events never hold, and hang on nothing", DOC_POLL,
	  poll_other_events },
	{ "file.poll_second_fence", "EPOLLIN holds when the last writer is done", DOC_POLL,
	  poll_second_fence },
	{ "file.poll_leaves_unlocked", "a poll that waits holds no reservation", DOC_POLL,
	  poll_leaves_unlocked },

	{ "file.export_without_flags", "neither READ nor WRITE: -EINVAL", DOC_EXPORT,
	  export_bad_flags, FLAGS(0) },
	{ "file.export_unknown_flag", "a flag that is none: -EINVAL, and no descriptor is written",
	  DOC_EXPORT, export_bad_flags, FLAGS(DMA_BUF_SYNC_RW | DMA_BUF_SYNC_END) },
	{ "file.export_bad_pointer", "a pointer to nowhere: -EFAULT", DOC_IOCTL,
	  export_bad_pointer },
	{ "file.export_is_no_buffer",
	  "a sync_file is a file of its own, with poll and without SYNC", DOC_EXPORT,
	  export_is_no_buffer },
	{ "file.import_without_flags", "neither READ nor WRITE: -EINVAL", DOC_IMPORT,
	  import_bad_flags, FLAGS(0) },
	{ "file.import_unknown_flag", "a flag that is none: -EINVAL", DOC_IMPORT, import_bad_flags,
	  FLAGS(DMA_BUF_SYNC_READ | 1ul << 31) },
	{ "file.import_bad_pointer", "a pointer to nowhere: -EFAULT", DOC_IOCTL,
	  import_bad_pointer },
	{ "file.import_no_sync_file", "a descriptor that is no sync_file, or none: -EINVAL",
	  DOC_IMPORT, import_no_sync_file },
	{ "file.import_signaled", "a sync_file that is signaled may be imported, and nobody waits",
	  DOC_IMPORT, import_signaled },
	{ "file.import_keeps_others", "an import takes no other fence away", DOC_IMPORT,
	  import_keeps_others },
};

const struct world_group file_group = { "file", cases, ARRAY_SIZE(cases) };
