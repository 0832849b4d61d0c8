/* SPDX-License-Identifier: MIT */
/* buffer-steps.c - buffers, references, attachments, mappings, pins and moves; see subject.h */
#include <linux/err.h>
#include <linux/file.h>
#include <linux/kconfig.h>
#include <linux/scatterlist.h>

#include "dma/machine.h"
#include "host/file.h"
#include "subject.h"

/* --- buffers ---------------------------------------------------------------------------------- */

enum { NO_PRIV = 1, NO_MAP, NO_UNMAP, NO_RELEASE, NO_UNPIN, CACHE_AND_PIN, EXPORT_WAYS };

/* What is missing, or too much. */
static void spoil(struct dma_buf_export_info *info, struct dma_buf_ops *ops, unsigned int how)
{
	switch (how) {
	case NO_PRIV:
		info->priv = NULL;
		break;
	case NO_MAP:
		ops->map_dma_buf = NULL;
		break;
	case NO_UNMAP:
		ops->unmap_dma_buf = NULL;
		break;
	case NO_RELEASE:
		ops->release = NULL;
		break;
	case NO_UNPIN:
		if (ops->unpin)
			ops->unpin = NULL;
		else
			ops->unpin = (void *)spoil;
		break;
	case CACHE_AND_PIN:
		ops->cache_sgt_mapping = true;
		break;
	}
}

static struct subject_buffer *free_buffer(void)
{
	for (unsigned int i = 0; i < BUFFERS; i++)
		if (!subject.buffers[i].dmabuf)
			return &subject.buffers[i];
	return NULL;
}

static void export(const struct op *op)
{
	unsigned int how = op->how % EXPORT_WAYS;
	unsigned int kind = op->arg[0] | (how == CACHE_AND_PIN ? EXPORTER_DYNAMIC : 0);
	struct subject_buffer *buffer = free_buffer();
	bool shared = kind & EXPORTER_SHARED;
	struct exported *exported;
	struct dma_buf *dmabuf;

	if (!buffer) {
		nothing();
		return;
	}
	if (shared && subject.shared_lock.owner >= 0 &&
	    subject.shared_lock.owner != (int)subject.thread) {
		unsent(UNSENT_EXPORT_LOCKED);
		return;
	}
	exported = exported_new(kind, 1 + op->arg[1] % PAGES_MAX);
	if (!exported) {
		returned(-ENOSPC);
		return;
	}

	struct dma_buf_export_info info = {
		.exp_name = "differential",
		.owner = THIS_MODULE,
		.ops = &exported->ops,
		.size = exported->size,
		.flags = kind & EXPORTER_READ_ONLY ? O_RDONLY : O_RDWR,
		.priv = exported,
		.resv = shared ? subject.shared : NULL,
	};
	spoil(&info, &exported->ops, how);
	dmabuf = dma_buf_export(&info);
	returned(PTR_ERR_OR_ZERO(dmabuf));
	if (IS_ERR(dmabuf)) {
		atomic_dec(&subject.live_exported);
		exported_free(exported);
		return;
	}
	/* Not every core answers alike; the program goes on without. */
	if (how || (shared && subject.shared_lock.owner >= 0)) {
		dma_buf_put(dmabuf);
		return;
	}
	*buffer = (struct subject_buffer){ .dmabuf = dmabuf, .exported = exported, .refs = 1 };
	buffer->own_lock.owner = -1;
	buffer->own_lock.replaced = false;
	buffer->lock = shared ? &subject.shared_lock : &buffer->own_lock;
}

static void put(struct subject_buffer *buffer, const struct op *op)
{
	if (op->how) {
		dma_buf_put(NULL);
		returned(0);
	} else if (!buffer->refs) {
		nothing();
	} else if (keeps_buffer(buffer)) {
		struct dma_buf *dmabuf = buffer->dmabuf;

		buffer->refs--;
		forget_if_dead(buffer);
		dma_buf_put(dmabuf);
		returned(0);
	}
}

static void descriptor(struct subject_buffer *buffer, const struct op *op)
{
	struct subject_file *file = free_file();
	int fd;

	if (op->how) {
		returned(dma_buf_fd(NULL, O_CLOEXEC));
		return;
	}
	if (!file || !buffer->refs) {
		nothing();
		return;
	}
	fd = dma_buf_fd(buffer->dmabuf, O_CLOEXEC);
	returned(min(fd, 0));
	if (fd < 0)
		return;
	*file = (struct subject_file){ .fd = fd, .buffer = buffer };
	buffer->refs--;
	buffer->files++;
}

static void get(const struct op *op)
{
	struct subject_file *file = pick_file(op->arg[0]);
	struct dma_buf *dmabuf;

	if (!file && !op->how) {
		nothing();
		return;
	}
	dmabuf = dma_buf_get(op->how ? -(int)op->how : file->fd);
	returned(PTR_ERR_OR_ZERO(dmabuf));
	if (IS_ERR(dmabuf))
		return;
	saw(0, dmabuf == file->buffer->dmabuf);
	file->buffer->refs++;
}

static void close_file(const struct op *op)
{
	struct subject_file *file = pick_file(op->arg[0]);
	struct subject_buffer *buffer;

	if (!file) {
		nothing();
		return;
	}
	buffer = file->buffer;
	if (buffer && !keeps_buffer(buffer))
		return;
	if (buffer) {
		buffer->files--;
		forget_if_dead(buffer);
	}
	returned(host_close(file->fd));
	file->fd = -1;
}

static void duplicate(const struct op *op)
{
	struct subject_file *file = pick_file(op->arg[0]), *other = free_file();
	int fd;

	if (!file || !other) {
		nothing();
		return;
	}
	fd = host_dup(file->fd, O_CLOEXEC);
	returned(min(fd, 0));
	if (fd < 0)
		return;
	*other = (struct subject_file){ .fd = fd, .buffer = file->buffer };
	if (file->buffer)
		file->buffer->files++;
}

/* --- moves ------------------------------------------------------------------------------------ */

/* Follows from the program alone: a core that pins later or earlier changes nothing. */
static bool may_move(struct subject_buffer *buffer)
{
	bool open = buffer->pins || buffer->vmaps || buffer->areas;

	for (unsigned int dir = 0; dir < 3; dir++)
		open |= buffer->begun[dir];
	for (unsigned int i = 0; i < ATTACHMENTS; i++) {
		struct subject_attachment *attachment = &subject.attachments[i];

		open |= attachment->attach && attachment->buffer == buffer &&
			attachment->importer == IMPORTER_STATIC;
	}
	for (unsigned int i = 0; i < MAPPINGS; i++) {
		struct subject_mapping *mapping = &subject.mappings[i];

		open |= mapping->sgt && mapping->attachment->buffer == buffer &&
			mapping->dir != DMA_TO_DEVICE &&
			mapping->attachment->importer != IMPORTER_UNMAPS;
	}
	return !open;
}

static void move(struct subject_buffer *buffer, const struct op *op)
{
	bool dynamic = buffer->exported->kind & EXPORTER_DYNAMIC, locked = held(buffer);

	if (dynamic && !may_move(buffer)) {
		returned(-EBUSY);
		return;
	}
	/* Who cannot move says so all the same. */
	if (!dynamic && !op->how) {
		nothing();
		return;
	}
	if (!locked && !takes_lock(buffer))
		return;
	if (!locked)
		dma_resv_lock(buffer->dmabuf->resv, NULL);
	dma_buf_move_notify(buffer->dmabuf);
	if (dynamic)
		returned(exported_move(buffer->exported));
	for (unsigned int i = 0; dynamic && i < MAPPINGS; i++) {
		struct subject_mapping *mapping = &subject.mappings[i];

		if (mapping->sgt && mapping->attachment->buffer == buffer)
			mapping->moved = true;
	}
	if (!locked)
		dma_resv_unlock(buffer->dmabuf->resv);
}

/* --- attachments ------------------------------------------------------------------------------ */

enum { NO_DEVICE = 1, NO_BUFFER, NO_MOVE_NOTIFY, ATTACH_WAYS };

static struct subject_attachment *free_attachment(void)
{
	for (unsigned int i = 0; i < ATTACHMENTS; i++)
		if (!subject.attachments[i].attach)
			return &subject.attachments[i];
	return NULL;
}

static void attach_wrongly(struct subject_buffer *buffer, unsigned int how)
{
	static const struct dma_buf_attach_ops without;
	struct device *dev = how == NO_DEVICE ? NULL : subject.devices[0];
	struct dma_buf *dmabuf = how == NO_BUFFER ? NULL : buffer->dmabuf;
	struct dma_buf_attachment *attach;

	attach = how == NO_MOVE_NOTIFY ? dma_buf_dynamic_attach(dmabuf, dev, &without, NULL)
				       : dma_buf_attach(dmabuf, dev);
	returned(PTR_ERR_OR_ZERO(attach));
}

static void attach(struct subject_buffer *buffer, const struct op *op)
{
	struct subject_attachment *attachment = free_attachment();
	enum importer_kind importer = op->arg[2] % IMPORTERS;
	unsigned int device = op->arg[1] % DEVICES, kind = buffer->exported->kind;
	bool follows = importer != IMPORTER_STATIC, mixed = follows != !!(kind & EXPORTER_DYNAMIC);
	struct dma_buf_attachment *attach;

	if (op->how % ATTACH_WAYS) {
		attach_wrongly(buffer, op->how % ATTACH_WAYS);
		return;
	}
	if (!attachment) {
		nothing();
		return;
	}
	if (!takes_lock(buffer))
		return;
	if (mixed && !follows && unsignaled(buffer, DMA_RESV_USAGE_KERNEL)) {
		unsent(UNSENT_KEPT_WAITS);
		return;
	}
	if (mixed)
		keeps(buffer->exported);
	attach = follows ? dma_buf_dynamic_attach(buffer->dmabuf, subject.devices[device],
						  &importer_ops[importer], attachment)
			 : dma_buf_attach(buffer->dmabuf, subject.devices[device]);
	returned(PTR_ERR_OR_ZERO(attach));
	if (IS_ERR(attach))
		return;
	saw(0, attach->peer2peer);
	*attachment = (struct subject_attachment){
		.attach = attach,
		.id = subject.next_attachment++,
		.buffer = buffer,
		.importer = importer,
		.device = device,
		.kept = mixed || (kind & EXPORTER_CACHE && !(kind & EXPORTER_DYNAMIC)),
		.kept_dir = mixed ? DMA_BIDIRECTIONAL : -1,
	};
	buffer->attachments++;
}

static void detach(struct subject_attachment *attachment, const struct op *op)
{
	struct subject_buffer *buffer = attachment->buffer;

	if (op->how) {
		struct subject_buffer *other = pick_buffer(op->arg[1]);

		dma_buf_detach(op->how & 1 || other == buffer ? NULL : other->dmabuf,
			       op->how & 2 ? NULL : attachment->attach);
		returned(0);
		return;
	}
	if (attachment->maps) {
		unsent(UNSENT_DETACH_MAPPED);
		return;
	}
	if (!takes_lock(buffer))
		return;
	dma_buf_detach(buffer->dmabuf, attachment->attach);
	returned(0);
	buffer->pins -= attachment->pins;
	attachment->attach = NULL;
	buffer->attachments--;
}

/* --- mappings --------------------------------------------------------------------------------- */

enum {
	NO_ATTACHMENT = 1,
	NO_DIRECTION,
	WRONG_LOCK,
	MAP_WAYS,
	WRONG_DIRECTION = MAP_WAYS,
	NO_TABLE,
	TWICE,
	UNMAP_WAYS
};

/* Of a kept mapping the lock is looked at in builds that check. */
static bool unheard(unsigned int how)
{
	return how == WRONG_LOCK && !IS_ENABLED(LIBDMABUF_CHECKS);
}

static struct subject_mapping *free_mapping(void)
{
	for (unsigned int i = 0; i < MAPPINGS; i++)
		if (!subject.mappings[i].sgt)
			return &subject.mappings[i];
	return NULL;
}

/* Would this map wait for a fence that nobody signals? Notes. */
static bool map_hangs(struct subject_attachment *attachment)
{
	if (attachment->importer != IMPORTER_STATIC ||
	    !unsignaled(attachment->buffer, DMA_RESV_USAGE_KERNEL))
		return false;
	if (attachment->kept) {
		unsent(UNSENT_KEPT_WAITS);
		return true;
	}
	if (subject.interrupted[subject.thread])
		return false;
	unsent(UNSENT_WAITS_FOR_FENCE);
	return true;
}

/* Behind bounce slots each of two mappings that are open at once, one to write, has its own bytes. */
static bool overlaps(const struct subject_mapping *mapping)
{
	if (!bounced())
		return false;
	for (unsigned int i = 0; i < MAPPINGS; i++) {
		const struct subject_mapping *other = &subject.mappings[i];

		if (other->sgt && other != mapping &&
		    other->attachment->buffer == mapping->attachment->buffer &&
		    (other->dir != DMA_TO_DEVICE || mapping->dir != DMA_TO_DEVICE))
			return true;
	}
	return false;
}

static size_t mapped_bytes(struct sg_table *sgt)
{
	struct scatterlist *sg;
	size_t bytes = 0;
	unsigned int i;

	for_each_sgtable_dma_sg(sgt, sg, i)
		bytes += sg_dma_len(sg);
	return bytes;
}

static void map(struct subject_attachment *attachment, const struct op *op)
{
	struct subject_buffer *buffer = attachment->buffer;
	enum dma_data_direction dir = op->arg[1] % DMA_NONE;
	struct subject_mapping *mapping = free_mapping();
	unsigned int how = op->how % MAP_WAYS;
	bool locked = held(buffer), busy;
	struct sg_table *sgt;

	if (how == NO_ATTACHMENT) {
		sgt = locked ? dma_buf_map_attachment(NULL, dir)
			     : dma_buf_map_attachment_unlocked(NULL, dir);
		returned(PTR_ERR_OR_ZERO(sgt));
		return;
	}
	if (how == NO_DIRECTION) {
		unsent(UNSENT_MAP_NONE);
		return;
	}
	if (!mapping || unheard(how)) {
		nothing();
		return;
	}
	if (((how == WRONG_LOCK) == locked && !takes_lock(buffer)) || map_hangs(attachment))
		return;
	if (attachment->kept)
		keeps(buffer->exported);
	sgt = locked || how == WRONG_LOCK
		      ? dma_buf_map_attachment(attachment->attach, dir)
		      : dma_buf_map_attachment_unlocked(attachment->attach, dir);
	returned(PTR_ERR_OR_ZERO(sgt));
	busy = attachment->kept_dir > DMA_BIDIRECTIONAL && attachment->kept_dir != (int)dir;
	if (IS_ERR(sgt))
		return;
	saw(0, mapped_bytes(sgt));
	*mapping = (struct subject_mapping){
		.sgt = sgt,
		.id = subject.next_mapping++,
		.attachment = attachment,
		.dir = dir,
	};
	attachment->maps++;
	buffer->exported->improper |= !busy && overlaps(mapping);
	/* 6.12 refuses it, so the program goes on without. */
	if (busy)
		do_unmap(mapping, locked || how == WRONG_LOCK);
	else if (attachment->kept && attachment->kept_dir < 0)
		attachment->kept_dir = dir;
}

void do_unmap(struct subject_mapping *mapping, bool locked)
{
	struct dma_buf_attachment *attach = mapping->attachment->attach;
	struct sg_table *sgt = mapping->sgt;

	mapping->sgt = NULL;
	mapping->attachment->maps--;
	if (locked)
		dma_buf_unmap_attachment(attach, sgt, mapping->dir);
	else
		dma_buf_unmap_attachment_unlocked(attach, sgt, mapping->dir);
}

static void unmap(struct subject_mapping *mapping, const struct op *op)
{
	struct subject_buffer *buffer = mapping->attachment->buffer;
	struct dma_buf_attachment *attach = mapping->attachment->attach;
	unsigned int how = op->how % UNMAP_WAYS;
	bool locked = held(buffer);

	if (how == TWICE || how == WRONG_DIRECTION || how == NO_DIRECTION) {
		unsent(how == TWICE ? UNSENT_UNMAP_TWICE : UNSENT_UNMAP_DIRECTION);
		return;
	}
	if (how == NO_ATTACHMENT || how == NO_TABLE) {
		if (locked)
			dma_buf_unmap_attachment(how == NO_TABLE ? attach : NULL, NULL,
						 mapping->dir);
		else
			dma_buf_unmap_attachment_unlocked(how == NO_TABLE ? attach : NULL, NULL,
							  mapping->dir);
		returned(0);
		return;
	}
	if (unheard(how)) {
		nothing();
		return;
	}
	if ((how == WRONG_LOCK) == locked && !takes_lock(buffer))
		return;
	do_unmap(mapping, locked || how == WRONG_LOCK);
	returned(0);
}

/* --- pins ------------------------------------------------------------------------------------- */

enum { PIN_STATIC = 1, PIN_NOT_HELD, PIN_NULL, PIN_WAYS };

static void pin_static(const struct op *op)
{
	struct subject_attachment *attachment = pick_attachment(op->arg[0], false);
	struct dma_resv *resv;
	int ret;

	if (!attachment || attachment->importer != IMPORTER_STATIC) {
		nothing();
		return;
	}
	if (!held(attachment->buffer) && !takes_lock(attachment->buffer))
		return;
	resv = attachment->buffer->dmabuf->resv;
	if (!held(attachment->buffer))
		dma_resv_lock(resv, NULL);
	ret = dma_buf_pin(attachment->attach);
	returned(ret);
	if (!ret)
		dma_buf_unpin(attachment->attach);
	if (!held(attachment->buffer))
		dma_resv_unlock(resv);
}

static void pin(const struct op *op)
{
	struct subject_attachment *attachment = pick_attachment(op->arg[0], true);
	unsigned int how = op->how % PIN_WAYS;
	struct subject_buffer *buffer;
	bool locks;
	int ret = 0;

	if (how == PIN_NULL) {
		unsent(UNSENT_PIN_NULL);
		return;
	}
	if (how == PIN_STATIC && op->code == OP_PIN) {
		pin_static(op);
		return;
	}
	if (!attachment || (op->code == OP_UNPIN && !attachment->pins)) {
		nothing();
		return;
	}
	buffer = attachment->buffer;
	locks = !held(buffer) && how != PIN_NOT_HELD;
	if (!held(buffer) && !takes_lock(buffer))
		return;
	if (locks)
		dma_resv_lock(buffer->dmabuf->resv, NULL);
	subject.pinning = true;
	if (op->code == OP_PIN)
		ret = dma_buf_pin(attachment->attach);
	else
		dma_buf_unpin(attachment->attach);
	subject.pinning = false;
	if (locks)
		dma_resv_unlock(buffer->dmabuf->resv);
	returned(ret);
	if (ret)
		return;
	attachment->pins += op->code == OP_PIN ? 1 : -1;
	buffer->pins += op->code == OP_PIN ? 1 : -1;
}

/* --- which ------------------------------------------------------------------------------------ */

static void attachment_step(const struct op *op)
{
	struct subject_attachment *attachment = pick_attachment(op->arg[0], false);
	struct subject_mapping *mapping = pick_mapping(op->arg[0]);

	if (op->code == OP_UNMAP && mapping)
		unmap(mapping, op);
	else if (op->code == OP_DETACH && attachment)
		detach(attachment, op);
	else if (op->code == OP_MAP && attachment)
		map(attachment, op);
	else
		nothing();
}

void buffer_step(const struct op *op)
{
	struct subject_buffer *buffer = pick_buffer(op->arg[0]);

	switch (op->code) {
	case OP_EXPORT:
		export(op);
		return;
	case OP_GET:
		get(op);
		return;
	case OP_CLOSE:
		close_file(op);
		return;
	case OP_DUP:
		duplicate(op);
		return;
	case OP_PIN:
	case OP_UNPIN:
		pin(op);
		return;
	case OP_DETACH:
	case OP_MAP:
	case OP_UNMAP:
		attachment_step(op);
		return;
	}
	if (!buffer) {
		nothing();
		return;
	}
	switch (op->code) {
	case OP_REF:
		get_dma_buf(buffer->dmabuf);
		buffer->refs++;
		returned(0);
		break;
	case OP_PUT:
		put(buffer, op);
		break;
	case OP_FD:
		descriptor(buffer, op);
		break;
	case OP_MOVE:
		move(buffer, op);
		break;
	default:
		attach(buffer, op);
		break;
	}
}
