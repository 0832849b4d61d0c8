/* SPDX-License-Identifier: MIT */
/* access-steps.c - the CPU's and the devices' accesses, and their bytes; see subject.h */
#include <linux/anon_inodes.h>
#include <linux/err.h>
#include <linux/slab.h>

#include <sys/mman.h>

#include "dma/engine.h"
#include "dma/machine.h"
#include "host/file.h"
#include "subject.h"

/* --- brackets --------------------------------------------------------------------------------- */

enum { NO_BUFFER = 1, NO_DIRECTION, UNBEGUN, BRACKET_WAYS };

static bool mapped(const struct subject_buffer *buffer, bool to_write)
{
	for (unsigned int i = 0; i < MAPPINGS; i++) {
		const struct subject_mapping *mapping = &subject.mappings[i];

		if (mapping->sgt && mapping->attachment->buffer == buffer &&
		    (!to_write || mapping->dir != DMA_TO_DEVICE))
			return true;
	}
	return false;
}

bool has_slots(const struct subject_buffer *buffer)
{
	return bounced() && mapped(buffer, true);
}

bool syncs_move_bytes(const struct subject_buffer *buffer)
{
	return (bounced() || !machine_type_of(subject.machine)->coherent) && mapped(buffer, false);
}

static void begin(struct subject_buffer *buffer, const struct op *op)
{
	enum dma_data_direction dir = op->arg[1] % DMA_NONE;
	unsigned int how = op->how % BRACKET_WAYS;
	int ret;

	if (how == NO_BUFFER) {
		returned(dma_buf_begin_cpu_access(NULL, dir));
		return;
	}
	if (access_hangs(buffer, how == NO_DIRECTION ? DMA_NONE : dir))
		return;
	if ((how == NO_DIRECTION || held(buffer)) && syncs_move_bytes(buffer)) {
		nothing();
		return;
	}
	ret = dma_buf_begin_cpu_access(buffer->dmabuf, how == NO_DIRECTION ? DMA_NONE : dir);
	returned(ret);
	if (!ret && how != NO_DIRECTION && !held(buffer))
		buffer->begun[dir]++;
}

static void end(struct subject_buffer *buffer, const struct op *op)
{
	enum dma_data_direction dir = op->arg[1] % DMA_NONE;
	unsigned int how = op->how % BRACKET_WAYS;

	if (how == NO_BUFFER) {
		unsent(UNSENT_END_NULL);
	} else if ((how == NO_DIRECTION || held(buffer)) && syncs_move_bytes(buffer)) {
		nothing();
	} else if (how == NO_DIRECTION) {
		returned(dma_buf_end_cpu_access(buffer->dmabuf, DMA_NONE));
	} else if (held(buffer)) {
		/* Not every core ends it then. */
		returned(dma_buf_end_cpu_access(buffer->dmabuf, dir));
	} else if (buffer->begun[dir] || how == UNBEGUN) {
		buffer->exported->improper |= !buffer->begun[dir] && has_slots(buffer);
		returned(dma_buf_end_cpu_access(buffer->dmabuf, dir));
		if (buffer->begun[dir])
			buffer->begun[dir]--;
	} else {
		nothing();
	}
}

/* --- the kernel's own mapping ----------------------------------------------------------------- */

enum { VMAP_NO_BUFFER = 1, VMAP_NO_MAP, VMAP_WRONG_LOCK, VMAP_WAYS };

static void map_kernel(struct subject_buffer *buffer, const struct op *op)
{
	unsigned int how = op->how % VMAP_WAYS;
	struct iosys_map map;
	bool locked = held(buffer);
	int ret;

	if (how == VMAP_NO_BUFFER) {
		returned(locked ? dma_buf_vmap(NULL, &map) : dma_buf_vmap_unlocked(NULL, &map));
		return;
	}
	if (how == VMAP_NO_MAP) {
		unsent(UNSENT_VMAP_NULL);
		return;
	}
	if ((how == VMAP_WRONG_LOCK) == locked && !takes_lock(buffer))
		return;
	ret = locked || how ? dma_buf_vmap(buffer->dmabuf, &map)
			    : dma_buf_vmap_unlocked(buffer->dmabuf, &map);
	returned(ret);
	saw(0, iosys_map_is_set(&map));
	if (ret)
		return;
	saw(1, map.vaddr == page_address(buffer->exported->place));
	buffer->map = map;
	buffer->vmaps++;
}

static void unmap_kernel(struct subject_buffer *buffer, const struct op *op)
{
	unsigned int how = op->how % VMAP_WAYS;
	struct iosys_map map = buffer->map;
	bool locked = held(buffer);

	if (how == VMAP_NO_BUFFER) {
		if (locked)
			dma_buf_vunmap(NULL, &map);
		else
			dma_buf_vunmap_unlocked(NULL, &map);
		returned(0);
		return;
	}
	if (!buffer->vmaps || how == VMAP_NO_MAP) {
		unsent(buffer->vmaps ? UNSENT_VUNMAP_OTHER : UNSENT_VUNMAP_TWICE);
		return;
	}
	if ((how == VMAP_WRONG_LOCK) == locked && !takes_lock(buffer))
		return;
	if (locked || how)
		dma_buf_vunmap(buffer->dmabuf, &map);
	else
		dma_buf_vunmap_unlocked(buffer->dmabuf, &map);
	returned(0);
	buffer->vmaps--;
}

/* --- a program's mappings --------------------------------------------------------------------- */

enum { MMAP_PRIVATE = 1, MMAP_READS, MMAP_FAR, MMAP_WAYS };

static void map_file(const struct op *op)
{
	struct subject_file *file = pick_file(op->arg[0]);
	struct subject_area *area = NULL;
	size_t bytes = (op->arg[1] % (PAGES_MAX + 2)) << PAGE_SHIFT;
	off_t offset = (off_t)(op->arg[2] % (PAGES_MAX + 1)) << PAGE_SHIFT;
	unsigned int how = op->how % MMAP_WAYS;
	bool writable = how != MMAP_READS;
	void *at;

	for (unsigned int i = 0; i < AREAS && !area; i++)
		if (!subject.areas[i].at)
			area = &subject.areas[i];
	if (!file || !area) {
		nothing();
		return;
	}
	if (how == MMAP_FAR)
		offset |= (off_t)1 << 62;
	at = host_mmap(file->fd, NULL, bytes, PROT_READ | (writable ? PROT_WRITE : 0),
		       how == MMAP_PRIVATE ? MAP_PRIVATE : MAP_SHARED, offset);
	returned(PTR_ERR_OR_ZERO(at));
	if (IS_ERR(at))
		return;
	*area = (struct subject_area){
		.at = at,
		.bytes = bytes,
		.offset = offset,
		.shared = how != MMAP_PRIVATE,
		.writable = writable && how != MMAP_PRIVATE,
		.buffer = file->buffer,
	};
	file->buffer->areas++;
	file->buffer->synced = false;
}

static void unmap_area(const struct op *op)
{
	struct subject_area *area = pick_area(op->arg[0]);

	if (!area) {
		nothing();
		return;
	}
	if (!keeps_buffer(area->buffer))
		return;
	returned(host_munmap(area->at, area->bytes));
	area->at = NULL;
	area->buffer->areas--;
	forget_if_dead(area->buffer);
}

enum { VMA_OVERFLOWS = 1, VMA_NO_VMA, VMA_NO_BUFFER, VMA_WAYS };

/* Another driver's file, through which a buffer is mapped. */
struct door {
	struct dma_buf *dmabuf;
	unsigned long pgoff;
	bool no_vma;
	int ret;
};

static int door_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct door *door = file->private_data;

	door->ret = dma_buf_mmap(door->dmabuf, door->no_vma ? NULL : vma, door->pgoff);
	return door->ret;
}

static const struct file_operations door_fops = { .mmap = door_mmap };

static void map_through(struct subject_buffer *buffer, const struct op *op)
{
	unsigned int how = op->how % VMA_WAYS;
	size_t bytes = (1 + op->arg[1] % (PAGES_MAX + 1)) << PAGE_SHIFT;
	struct door door = {
		.dmabuf = how == VMA_NO_BUFFER ? NULL : buffer->dmabuf,
		.pgoff = how == VMA_OVERFLOWS ? -1ul : op->arg[2] % (PAGES_MAX + 1),
		.no_vma = how == VMA_NO_VMA,
	};
	int fd = anon_inode_getfd("door", &door_fops, &door, O_RDWR | O_CLOEXEC);
	void *at;

	at = host_mmap(fd, NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
	returned(door.ret);
	if (!IS_ERR(at)) {
		host_munmap(at, bytes);
		buffer->synced = buffer->synced && buffer->areas;
	}
	host_close(fd);
}

/* --- bytes ------------------------------------------------------------------------------------ */

struct range {
	size_t offset, len;
};

/* Lines in part and whole, now and then more than a page. */
static struct range range(const struct exported *exported, u8 place)
{
	struct range range = { .len = 1 + place * 29 % (place % 5 ? 200 : 5000) };

	range.len = min(range.len, exported->size);
	range.offset = place * 211 % (exported->size - range.len + 1);
	return range;
}

static void fill(u8 *bytes, size_t len, u8 value)
{
	for (size_t i = 0; i < len; i++)
		bytes[i] = value + i * 7;
}

static u64 hash(const u8 *bytes, size_t len)
{
	u64 hash = 0xcbf29ce484222325;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3;
	return hash;
}

static void note_bytes(struct subject_buffer *buffer, const u8 *bytes, struct range range)
{
	struct exported *exported = buffer->exported;
	bool same = !memcmp(bytes, exported->shadow + range.offset, range.len);

	/* What was written last has no meaning once somebody wrote beside the rules. */
	note(EVENT_BYTES, exported->id, same || exported->improper, hash(bytes, range.len) >> 1,
	     (exported->kept ? EVENT_BUFFER_KEPT : 0) | (exported->improper ? EVENT_IMPROPER : 0));
}

/* Makes an access that is not proper, if the program does; returns whether it is to be made. */
static bool allowed(struct subject_buffer *buffer, bool proper)
{
	if (!proper && !subject.improper) {
		nothing();
		return false;
	}
	if (!proper)
		buffer->exported->improper = true;
	return true;
}

static bool bracketed(const struct subject_buffer *buffer)
{
	return buffer->begun[DMA_BIDIRECTIONAL] + buffer->begun[DMA_TO_DEVICE] +
	       buffer->begun[DMA_FROM_DEVICE];
}

/* SU2 */
static bool proper_for_cpu(const struct subject_buffer *buffer, bool write)
{
	bool unbracketed = buffer->vmaps;

	for (unsigned int i = 0; i < MAPPINGS; i++) {
		const struct subject_mapping *mapping = &subject.mappings[i];

		if (mapping->sgt && mapping->attachment->buffer == buffer)
			return false;
	}
	for (unsigned int i = 0; i < AREAS; i++) {
		const struct subject_area *area = &subject.areas[i];

		unbracketed |= area->at && area->buffer == buffer && !buffer->synced &&
			       (area->writable || !write);
	}
	return unbracketed || buffer->begun[DMA_BIDIRECTIONAL] ||
	       buffer->begun[write ? DMA_TO_DEVICE : DMA_FROM_DEVICE];
}

static bool proper_for_device(const struct subject_mapping *mapping, bool write)
{
	const struct subject_buffer *buffer = mapping->attachment->buffer;

	for (unsigned int i = 0; i < MAPPINGS; i++) {
		const struct subject_mapping *other = &subject.mappings[i];

		if (!other->sgt || other == mapping || other->attachment->buffer != buffer)
			continue;
		if (write || other->dir != DMA_TO_DEVICE || mapping->dir != DMA_TO_DEVICE)
			return false;
	}
	return !mapping->moved && !bracketed(buffer);
}

/* Through a program's mapping if that is wanted and there is one of the whole range. */
static u8 *address(struct subject_buffer *buffer, struct range range, bool write, bool mapped)
{
	for (unsigned int i = 0; mapped && i < AREAS; i++) {
		struct subject_area *area = &subject.areas[i];

		if (area->at && area->buffer == buffer && area->shared &&
		    (area->writable || !write) && area->offset <= range.offset &&
		    area->offset + area->bytes >= range.offset + range.len)
			return (u8 *)area->at + range.offset - area->offset;
	}
	return (u8 *)page_address(buffer->exported->place) + range.offset;
}

static void cpu_access(struct subject_buffer *buffer, const struct op *op)
{
	struct exported *exported = buffer->exported;
	struct range where = range(exported, op->arg[1]);
	bool write = op->code == OP_CPU_WRITE;
	u8 *at = address(buffer, where, write, op->how);

	if (!allowed(buffer, proper_for_cpu(buffer, write)))
		return;
	if (write) {
		fill(at, where.len, op->arg[2]);
		memcpy(exported->shadow + where.offset, at, where.len);
		returned(0);
	} else {
		note_bytes(buffer, at, where);
	}
}

static void device_access(struct subject_mapping *mapping, const struct op *op)
{
	struct subject_buffer *buffer = mapping->attachment->buffer;
	struct range where = range(buffer->exported, op->arg[1]);
	struct device *dev = subject.devices[mapping->attachment->device];
	bool write = op->code == OP_DEVICE_WRITE, permitted, proper;
	u8 bytes[5000];
	int ret;

	permitted = mapping->dir == DMA_BIDIRECTIONAL ||
		    mapping->dir == (write ? DMA_FROM_DEVICE : DMA_TO_DEVICE);
	if (!permitted && buffer->exported->kept) {
		unsent(UNSENT_KEPT_ACCESS);
		return;
	}
	/* An IOMMU refuses what the mapping does not permit; without one another's may permit it. */
	if (!permitted && !machine_type_of(subject.machine)->iommu) {
		nothing();
		return;
	}
	proper = !permitted || proper_for_device(mapping, write);
	if (!allowed(buffer, proper))
		return;
	if (write) {
		fill(bytes, where.len, op->arg[2]);
		ret = dma_engine_write(dev, mapping->sgt, where.offset, bytes, where.len);
		if (!ret)
			memcpy(buffer->exported->shadow + where.offset, bytes, where.len);
	} else {
		ret = dma_engine_read(dev, mapping->sgt, where.offset, bytes, where.len);
		if (!ret)
			note_bytes(buffer, bytes, where);
	}
	returned(ret);
}

/* --- which ------------------------------------------------------------------------------------ */

void access_step(const struct op *op)
{
	struct subject_buffer *buffer = pick_buffer(op->arg[0]);
	struct subject_mapping *mapping = pick_mapping(op->arg[0]);

	if (op->code == OP_MMAP) {
		map_file(op);
		return;
	}
	if (op->code == OP_MUNMAP) {
		unmap_area(op);
		return;
	}
	if (op->code == OP_DEVICE_WRITE || op->code == OP_DEVICE_READ) {
		if (mapping)
			device_access(mapping, op);
		else
			nothing();
		return;
	}
	if (!buffer) {
		nothing();
		return;
	}
	switch (op->code) {
	case OP_BEGIN:
		begin(buffer, op);
		break;
	case OP_END:
		end(buffer, op);
		break;
	case OP_VMAP:
		map_kernel(buffer, op);
		break;
	case OP_VUNMAP:
		unmap_kernel(buffer, op);
		break;
	case OP_VMA:
		map_through(buffer, op);
		break;
	default:
		cpu_access(buffer, op);
		break;
	}
}
