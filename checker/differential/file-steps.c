/* SPDX-License-Identifier: MIT */
/* file-steps.c - what programs do to descriptors of buffers and sync_files; see subject.h */
#include <linux/poll.h>
#include <linux/string.h>
#include <uapi/linux/dma-buf.h>
#include <uapi/linux/sync_file.h>

#include "host/file.h"
#include "subject.h"

static long control(struct subject_file *file, unsigned int cmd, void *arg)
{
	return host_ioctl(file->fd, cmd, (unsigned long)arg);
}

/* --- buffers ---------------------------------------------------------------------------------- */

enum { BAD_BITS = 1, UNBEGUN, SYNC_WAYS };

static void sync(struct subject_file *file, const struct op *op)
{
	static const enum dma_data_direction directions[] = { DMA_NONE, DMA_FROM_DEVICE,
							      DMA_TO_DEVICE, DMA_BIDIRECTIONAL };
	struct subject_buffer *buffer = file->buffer;
	unsigned int how = op->how % SYNC_WAYS;
	struct dma_buf_sync arg = { .flags = op->arg[1] % (DMA_BUF_SYNC_VALID_FLAGS_MASK + 1) };
	enum dma_data_direction dir = directions[arg.flags & DMA_BUF_SYNC_RW];
	bool ends = arg.flags & DMA_BUF_SYNC_END;
	long ret;

	if (buffer && dir != DMA_NONE && how != BAD_BITS) {
		if (!ends && access_hangs(buffer, dir))
			return;
		if (ends && !buffer->begun[dir] && how != UNBEGUN && !held(buffer)) {
			nothing();
			return;
		}
		if (held(buffer) && syncs_move_bytes(buffer)) {
			nothing();
			return;
		}
		buffer->exported->improper |= ends && !buffer->begun[dir] && has_slots(buffer);
	}
	if (how == BAD_BITS)
		arg.flags |= 1ull << (3 + op->arg[2] % 61);
	ret = control(file, DMA_BUF_IOCTL_SYNC, &arg);
	returned(ret);
	if (!buffer || dir == DMA_NONE || how == BAD_BITS || held(buffer))
		return;
	/* An end whose exporter failed has ended all the same. */
	if (ends && buffer->begun[dir])
		buffer->begun[dir]--;
	else if (!ends && !ret)
		buffer->begun[dir]++;
	if (ends || !ret)
		buffer->synced = true;
}

static void set_name(struct subject_file *file, const struct op *op)
{
	static const char *const names[] = { "",
					     "a",
					     "camera",
					     "thirty-one characters, exactly.",
					     "thirty-two characters, one many.",
					     "tab\tand\nline" };
	void *name = op->how ? NULL : (void *)names[op->arg[1] % ARRAY_SIZE(names)];

	returned(control(file, op->arg[2] & 1 ? DMA_BUF_SET_NAME_A : DMA_BUF_SET_NAME_B, name));
}

static void export_sync_file(struct subject_file *file, const struct op *op)
{
	struct dma_buf_export_sync_file arg = { .flags = op->arg[1] % 4, .fd = -1 };
	struct subject_file *new = free_file();
	long ret;

	if (op->how)
		arg.flags |= 1u << (2 + op->arg[2] % 30);
	if (!new) {
		nothing();
		return;
	}
	ret = control(file, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &arg);
	returned(ret);
	/* Not every core gives one then. */
	if (!ret && file->buffer && held(file->buffer))
		host_close(arg.fd);
	else if (!ret)
		*new = (struct subject_file){ .fd = arg.fd };
}

static void import_sync_file(struct subject_file *file, const struct op *op)
{
	struct subject_file *other = pick_file(op->arg[1]);
	struct dma_buf_import_sync_file arg = { .flags = op->arg[2] % 4, .fd = other->fd };

	if (op->how & 1)
		arg.flags |= 1u << (2 + op->arg[2] % 30);
	if (op->how & 2)
		arg.fd = -1;
	if (file->buffer && !takes_lock(file->buffer))
		return;
	if (file->buffer)
		file->buffer->lock->replaced = true;
	returned(control(file, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &arg));
}

/* --- sync_files ------------------------------------------------------------------------------- */

static void merge(struct subject_file *file, const struct op *op)
{
	struct subject_file *other = pick_file(op->arg[1]), *new = free_file();
	struct sync_merge_data arg = { .name = "merged", .fd2 = other->fd };
	long ret;

	if (!new) {
		nothing();
		return;
	}
	arg.flags = op->how & 1;
	arg.pad = op->how & 2;
	if (op->how & 4)
		arg.fd2 = -1;
	ret = control(file, SYNC_IOC_MERGE, &arg);
	returned(ret);
	if (!ret)
		*new = (struct subject_file){ .fd = arg.fence };
}

static void info(struct subject_file *file, const struct op *op)
{
	struct sync_fence_info fences[8] = {};
	struct sync_file_info arg = {
		.num_fences = op->arg[1] % (ARRAY_SIZE(fences) + 1),
		.sync_fence_info = (uintptr_t)fences,
	};
	long ret;

	arg.flags = op->how & 1;
	arg.pad = op->how & 2;
	ret = control(file, SYNC_IOC_FILE_INFO, &arg);
	returned(ret);
	if (ret)
		return;
	saw(0, arg.num_fences);
	saw(1, arg.status);
	saw(2, !strcmp(arg.name, "merged"));
	for (unsigned int i = 0; op->arg[1] % (ARRAY_SIZE(fences) + 1) && i < arg.num_fences; i++) {
		saw(3, fences[i].status);
		saw(4, fences[i].timestamp_ns != 0);
		saw(5, fences[i].driver_name[0] << 8 | fences[i].obj_name[0]);
	}
}

static void deadline(struct subject_file *file, const struct op *op)
{
	struct sync_set_deadline arg = { .deadline_ns = op->arg[1], .pad = op->how };

	returned(control(file, SYNC_IOC_SET_DEADLINE, &arg));
}

/* --- any -------------------------------------------------------------------------------------- */

static void unknown(struct subject_file *file, const struct op *op)
{
	static const unsigned int commands[] = {
		0,
		~0u,
		_IO(DMA_BUF_BASE, 0),
		_IOW(DMA_BUF_BASE, 0, u32),
		_IOW(DMA_BUF_BASE, 9, u64),
		_IOW(SYNC_IOC_MAGIC, 1, u64),
		_IOWR(DMA_BUF_BASE, 3, struct dma_buf_export_sync_file),
	};
	u64 arg[8] = {};

	returned(control(file, commands[op->arg[1] % ARRAY_SIZE(commands)], arg));
}

static void poll_file(struct subject_file *file, const struct op *op)
{
	static const __poll_t events[] = { EPOLLIN, EPOLLOUT, EPOLLIN | EPOLLOUT, 0 };
	bool replaced = file->buffer && file->buffer->lock->replaced;

	if (file->buffer && !takes_lock(file->buffer))
		return;
	if (file->buffer && file->buffer->lock == &subject.shared_lock)
		subject.shared_polled = true;
	note(EVENT_RETURNED, -1, -1,
	     host_poll(file->fd, events[op->arg[1] % ARRAY_SIZE(events)], 0),
	     replaced ? EVENT_REPLACED : 0);
}

static void seek(struct subject_file *file, const struct op *op)
{
	static const loff_t offsets[] = { 0, 0, 1, -1, 4096, S64_MAX };

	returned(host_lseek(file->fd, offsets[op->arg[1] % ARRAY_SIZE(offsets)], op->arg[2] % 5));
}

/* From the first line that is the buffer's; before it are numbers of the system's. */
static void fdinfo(struct subject_file *file)
{
	char text[512];
	ssize_t len = host_fdinfo(file->fd, text, sizeof(text));
	const char *from = len > 0 ? strstr(text, "size:") : NULL;
	u64 hash = 0;

	returned(min(len, 0));
	for (; from && *from; from++)
		hash = hash * 31 + *from;
	saw(0, hash >> 1);
}

void file_step(const struct op *op)
{
	struct subject_file *file = pick_file(op->arg[0]);

	if (!file) {
		nothing();
		return;
	}
	switch (op->code) {
	case OP_SYNC:
		sync(file, op);
		break;
	case OP_SET_NAME:
		set_name(file, op);
		break;
	case OP_EXPORT_SYNC_FILE:
		export_sync_file(file, op);
		break;
	case OP_IMPORT_SYNC_FILE:
		import_sync_file(file, op);
		break;
	case OP_MERGE:
		merge(file, op);
		break;
	case OP_INFO:
		info(file, op);
		break;
	case OP_DEADLINE:
		deadline(file, op);
		break;
	case OP_IOCTL:
		unknown(file, op);
		break;
	case OP_POLL:
		poll_file(file, op);
		break;
	case OP_LSEEK:
		seek(file, op);
		break;
	default:
		fdinfo(file);
		break;
	}
}
