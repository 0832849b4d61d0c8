/* SPDX-License-Identifier: MIT */
/*
 * world.c - see world.h
 *
 * The exporter keeps the rules of a good one: what is in begin_cpu_access and end_cpu_access syncs
 * each table that is mapped, as Linux's system heap does.
 */
#include <linux/anon_inodes.h>
#include <linux/dma-mapping.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "dma/engine.h"
#include "dma/machine.h"
#include "host/file.h"
#include "host/task.h"
#include "host/warn.h"
#include "world.h"

struct world_buffer {
	struct list_head node; /* of world.buffers */
	struct world *world;
	struct page *pages;
	struct mutex lock;       /* guards mappings */
	struct list_head mapped; /* struct world_mapping */
	struct world_mapping *only;
	int attaches, pins, maps, vmaps;
	unsigned int releases;
	bool exported;
	struct dma_resv *resv; /* once exported; valid until released */
};

struct world_mapping {
	struct list_head node;
	struct sg_table sgt;
	struct device *dev;
	enum dma_data_direction dir;
	unsigned int users;
};

struct world_fence {
	struct dma_fence base; /* first: dma_fence_free() frees it */
	spinlock_t lock;
	struct list_head node;
	struct world *world;
	bool on_demand;
};

static struct world *the_world;

/* --- checks ----------------------------------------------------------------------------------- */

bool world_check(struct world *w, bool ok, const char *file, int line, const char *fmt, ...)
{
	const char *base = strrchr(file, '/');
	va_list args;
	int len;

	if (ok || w->problem[0])
		return ok;
	len = snprintf(w->problem, sizeof(w->problem), "%s:%d: ", base ? base + 1 : file, line);
	va_start(args, fmt);
	vsnprintf(w->problem + len, sizeof(w->problem) - len, fmt, args);
	va_end(args);
	return ok;
}

void world_demand(struct world *w, bool ok)
{
	if (!ok)
		longjmp(w->abandon, 1);
}

/* What does not fit is cut off, on every core at the same place as long as they answer alike. */
static void saw(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void saw(struct world *w, const char *fmt, ...)
{
	size_t len = strlen(w->answers);
	va_list args;

	va_start(args, fmt);
	vsnprintf(w->answers + len, sizeof(w->answers) - len, fmt, args);
	va_end(args);
}

void world_saw(struct world *w, const char *what, long long value)
{
	saw(w, "%s: %lld\n", what, value);
}

bool world_log_is(struct world *w, const char *want, const char *file, int line)
{
	saw(w, "asked: %s\n", w->log[0] ? w->log : "nothing");
	bool ok = world_check(w, !strcmp(w->log, want), file, line, "asked: '%s', not '%s'", w->log,
			      want);

	w->log[0] = '\0';
	return ok;
}

static void note(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void note(struct world *w, const char *fmt, ...)
{
	size_t len = strlen(w->log);
	va_list args;

	if (len && len < sizeof(w->log) - 1)
		w->log[len++] = ' ';
	va_start(args, fmt);
	vsnprintf(w->log + len, sizeof(w->log) - len, fmt, args);
	va_end(args);
}

void world_expect_warn(struct world *w)
{
	w->warns_expected++;
}

static void warned(const char *file, int line, const char *text)
{
	struct world *w = the_world;

	w->warns++;
	saw(w, "WARN\n");
	if (w->warns > w->warns_expected)
		world_check(w, false, file, line, "WARN: %s", text);
}

/* --- the exporter ----------------------------------------------------------------------------- */

static const char *const direction_names[] = { "both", "to", "from", "none" };

static const char *direction_name(enum dma_data_direction dir)
{
	return (unsigned int)dir < ARRAY_SIZE(direction_names) ? direction_names[dir] : "nonsense";
}

/* W2 */
static void asked(struct dma_buf *dmabuf, const char *op, bool held)
{
	struct world_buffer *buffer = dmabuf->priv;

	world_check(buffer->world, dma_resv_is_locked(dmabuf->resv) == held, __FILE__, __LINE__,
		    "%s was called with the reservation %s", op, held ? "not held" : "held");
	world_check(buffer->world, !buffer->releases, __FILE__, __LINE__,
		    "%s was called after release", op);
}

static void balance(struct dma_buf *dmabuf, int *count, int change, const char *what)
{
	struct world_buffer *buffer = dmabuf->priv;

	*count += change;
	world_check(buffer->world, *count >= 0, __FILE__, __LINE__, "%s without its counterpart",
		    what);
}

static int world_op_attach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	struct world_buffer *buffer = dmabuf->priv;

	asked(dmabuf, "attach", false);
	note(buffer->world, "attach");
	world_check(buffer->world, attach->dmabuf == dmabuf && attach->dev, __FILE__, __LINE__,
		    "attach got an attachment without buffer or device");
	if (buffer->world->answer.attach)
		return buffer->world->answer.attach;
	balance(dmabuf, &buffer->attaches, 1, "attach");
	return 0;
}

static void world_op_detach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	struct world_buffer *buffer = dmabuf->priv;

	asked(dmabuf, "detach", false);
	note(buffer->world, "detach");
	balance(dmabuf, &buffer->attaches, -1, "detach");
}

static int world_op_pin(struct dma_buf_attachment *attach)
{
	struct world_buffer *buffer = attach->dmabuf->priv;

	asked(attach->dmabuf, "pin", true);
	note(buffer->world, "pin");
	if (buffer->world->answer.pin)
		return buffer->world->answer.pin;
	balance(attach->dmabuf, &buffer->pins, 1, "pin");
	return 0;
}

static void world_op_unpin(struct dma_buf_attachment *attach)
{
	struct world_buffer *buffer = attach->dmabuf->priv;

	asked(attach->dmabuf, "unpin", true);
	note(buffer->world, "unpin");
	balance(attach->dmabuf, &buffer->pins, -1, "unpin");
}

static struct world_mapping *make_mapping(struct world_buffer *buffer, struct device *dev,
					  enum dma_data_direction dir)
{
	struct world_mapping *mapping = kzalloc(sizeof(*mapping), GFP_KERNEL);
	struct scatterlist *sg;
	unsigned int i;

	if (!mapping)
		return NULL;
	if (sg_alloc_table(&mapping->sgt, WORLD_PAGES, GFP_KERNEL))
		goto free_mapping;
	/* An entry for each page, though they are neighbours: a table of one entry hides mistakes. */
	for_each_sgtable_sg(&mapping->sgt, sg, i)
		sg_set_page(sg, buffer->pages + i, PAGE_SIZE, 0);
	if (dma_map_sgtable(dev, &mapping->sgt, dir, 0))
		goto free_table;
	mapping->dev = dev;
	mapping->dir = dir;
	return mapping;

free_table:
	sg_free_table(&mapping->sgt);
free_mapping:
	kfree(mapping);
	return NULL;
}

static struct sg_table *world_op_map(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	struct world_buffer *buffer = attach->dmabuf->priv;
	struct world_mapping *mapping = buffer->only;
	struct world *w = buffer->world;

	asked(attach->dmabuf, "map_dma_buf", true);
	note(w, "map:%s", direction_name(dir));
	if (w->answer.map)
		return ERR_PTR(w->answer.map);
	if (w->answer.map_null)
		return NULL;
	if (w->answer.only_reading && dir != DMA_TO_DEVICE)
		return ERR_PTR(-EACCES);
	balance(attach->dmabuf, &buffer->maps, 1, "map_dma_buf");
	if (w->answer.same_table && mapping) {
		mapping->users++;
		return &mapping->sgt;
	}
	mapping = make_mapping(buffer, attach->dev, dir);
	if (!mapping)
		return NULL;
	mapping->users = 1;
	if (w->answer.same_table)
		buffer->only = mapping;
	mutex_lock(&buffer->lock);
	list_add_tail(&mapping->node, &buffer->mapped);
	mutex_unlock(&buffer->lock);
	return &mapping->sgt;
}

static void world_op_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
			   enum dma_data_direction dir)
{
	struct world_buffer *buffer = attach->dmabuf->priv;
	struct world_mapping *mapping = container_of(sgt, struct world_mapping, sgt), *known;
	bool found = false;

	asked(attach->dmabuf, "unmap_dma_buf", true);
	note(buffer->world, "unmap:%s", direction_name(dir));
	list_for_each_entry(known, &buffer->mapped, node)
		found |= known == mapping;
	if (!world_check(buffer->world, found, __FILE__, __LINE__,
			 "unmap_dma_buf got a table that is not mapped"))
		return;
	world_check(buffer->world, mapping->dir == dir, __FILE__, __LINE__,
		    "mapped with direction %s, unmapped with %s", direction_name(mapping->dir),
		    direction_name(dir));
	world_check(buffer->world, mapping->dev == attach->dev, __FILE__, __LINE__,
		    "mapped for one device, unmapped for another");
	balance(attach->dmabuf, &buffer->maps, -1, "unmap_dma_buf");
	if (--mapping->users)
		return;
	if (buffer->only == mapping)
		buffer->only = NULL;
	mutex_lock(&buffer->lock);
	list_del(&mapping->node);
	mutex_unlock(&buffer->lock);
	dma_unmap_sgtable(mapping->dev, sgt, mapping->dir, 0);
	sg_free_table(sgt);
	kfree(mapping);
}

static int world_op_begin(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct world_buffer *buffer = dmabuf->priv;
	struct world_mapping *mapping;

	asked(dmabuf, "begin_cpu_access", false);
	note(buffer->world, "begin:%s", direction_name(dir));
	if (buffer->world->answer.begin)
		return buffer->world->answer.begin;
	mutex_lock(&buffer->lock);
	list_for_each_entry(mapping, &buffer->mapped, node)
		dma_sync_sgtable_for_cpu(mapping->dev, &mapping->sgt, mapping->dir);
	mutex_unlock(&buffer->lock);
	return 0;
}

static int world_op_end(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct world_buffer *buffer = dmabuf->priv;
	struct world_mapping *mapping;

	asked(dmabuf, "end_cpu_access", false);
	note(buffer->world, "end:%s", direction_name(dir));
	if (buffer->world->answer.end)
		return buffer->world->answer.end;
	mutex_lock(&buffer->lock);
	list_for_each_entry(mapping, &buffer->mapped, node)
		dma_sync_sgtable_for_device(mapping->dev, &mapping->sgt, mapping->dir);
	mutex_unlock(&buffer->lock);
	return 0;
}

static int world_op_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct world_buffer *buffer = dmabuf->priv;

	asked(dmabuf, "vmap", true);
	note(buffer->world, "vmap");
	if (buffer->world->answer.vmap)
		return buffer->world->answer.vmap;
	balance(dmabuf, &buffer->vmaps, 1, "vmap");
	if (buffer->world->answer.vmap_iomem)
		iosys_map_set_vaddr_iomem(map, world_bytes(dmabuf));
	else
		iosys_map_set_vaddr(map, world_bytes(dmabuf));
	return 0;
}

static void world_op_vunmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct world_buffer *buffer = dmabuf->priv;

	asked(dmabuf, "vunmap", true);
	note(buffer->world, "vunmap");
	world_check(buffer->world, map->vaddr == world_bytes(dmabuf), __FILE__, __LINE__,
		    "vunmap got another address than vmap gave");
	balance(dmabuf, &buffer->vmaps, -1, "vunmap");
}

static int world_op_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	struct world_buffer *buffer = dmabuf->priv;

	asked(dmabuf, "mmap", false);
	note(buffer->world, "mmap:%lu+%lu", vma->vm_pgoff, vma_pages(vma));
	if (buffer->world->answer.mmap)
		return buffer->world->answer.mmap;
	return remap_pfn_range(vma, vma->vm_start, page_to_pfn(buffer->pages) + vma->vm_pgoff,
			       vma->vm_end - vma->vm_start, vma->vm_page_prot);
}

static void world_op_release(struct dma_buf *dmabuf)
{
	struct world_buffer *buffer = dmabuf->priv;

	asked(dmabuf, "release", false);
	note(buffer->world, "release");
	buffer->releases++;
}

/* @who names what the kind lacks. */
static void fill_ops(struct dma_buf_ops *ops, enum world_kind kind)
{
	*ops = (struct dma_buf_ops){
		.map_dma_buf = world_op_map,
		.unmap_dma_buf = world_op_unmap,
		.release = world_op_release,
	};
	if (kind & DYNAMIC_EXPORTER) {
		ops->pin = world_op_pin;
		ops->unpin = world_op_unpin;
	}
	if (kind & BARE_EXPORTER)
		return;
	ops->attach = world_op_attach;
	ops->detach = world_op_detach;
	ops->begin_cpu_access = world_op_begin;
	ops->end_cpu_access = world_op_end;
	ops->vmap = world_op_vmap;
	ops->vunmap = world_op_vunmap;
	ops->mmap = world_op_mmap;
}

void world_info(struct world *w, enum world_kind kind, struct dma_buf_export_info *info,
		struct dma_buf_ops *ops)
{
	struct world_buffer *buffer = kzalloc(sizeof(*buffer), GFP_KERNEL);

	buffer->world = w;
	buffer->pages = alloc_pages(GFP_KERNEL | __GFP_ZERO, get_order(WORLD_BYTES));
	mutex_init(&buffer->lock);
	INIT_LIST_HEAD(&buffer->mapped);
	list_add_tail(&buffer->node, &w->buffers);
	fill_ops(ops, kind);
	*info = (struct dma_buf_export_info){
		.exp_name = "conformance",
		.owner = THIS_MODULE,
		.ops = ops,
		.size = WORLD_BYTES,
		.flags = O_RDWR | O_CLOEXEC,
		.priv = buffer,
	};
}

static void free_buffer(struct world_buffer *buffer)
{
	list_del(&buffer->node);
	__free_pages(buffer->pages, get_order(WORLD_BYTES));
	mutex_destroy(&buffer->lock);
	kfree(buffer);
}

void world_info_done(struct dma_buf_export_info *info)
{
	free_buffer(info->priv);
}

struct dma_buf *world_export_resv(struct world *w, enum world_kind kind, struct dma_resv *resv,
				  int flags)
{
	static struct dma_buf_ops ops[4];
	struct dma_buf_export_info info;
	struct world_buffer *buffer;
	struct dma_buf *dmabuf;

	world_info(w, kind, &info, &ops[kind]);
	buffer = info.priv;
	info.resv = resv;
	info.flags = flags;
	dmabuf = dma_buf_export(&info);
	W_ERR(w, dmabuf, 0);
	buffer->exported = true;
	buffer->resv = dmabuf->resv;
	return dmabuf;
}

struct dma_buf *world_export(struct world *w, enum world_kind kind)
{
	return world_export_resv(w, kind, NULL, O_RDWR | O_CLOEXEC);
}

struct dma_resv *world_resv(struct world *w)
{
	w->resv = kzalloc(sizeof(*w->resv), GFP_KERNEL);
	dma_resv_init(w->resv);
	return w->resv;
}

u8 *world_bytes(struct dma_buf *dmabuf)
{
	struct world_buffer *buffer = dmabuf->priv;

	return page_address(buffer->pages);
}

unsigned int world_released(struct world *w)
{
	return list_last_entry(&w->buffers, struct world_buffer, node)->releases;
}

/* --- importers -------------------------------------------------------------------------------- */

static void importer_moves(struct dma_buf_attachment *attach)
{
	struct world_buffer *buffer = attach->dmabuf->priv;

	asked(attach->dmabuf, "move_notify", true);
	note(buffer->world, "move");
	world_check(buffer->world, attach->importer_priv == buffer->world, __FILE__, __LINE__,
		    "move_notify got an attachment without its importer_priv");
	buffer->world->moves++;
}

const struct dma_buf_attach_ops world_importer = {
	.allow_peer2peer = true,
	.move_notify = importer_moves,
};

struct dma_buf_attachment *world_attach(struct world *w, struct dma_buf *dmabuf, bool dynamic)
{
	struct dma_buf_attachment *attach;

	attach = dynamic ? dma_buf_dynamic_attach(dmabuf, w->dev, &world_importer, w)
			 : dma_buf_attach(dmabuf, w->dev);
	W_CHECK(w, !IS_ERR_OR_NULL(attach));
	return attach;
}

struct dma_buf_attachment *world_attach_device(struct world *w, struct dma_buf *dmabuf,
					       struct device *dev)
{
	struct dma_buf_attachment *attach = dma_buf_attach(dmabuf, dev);

	W_CHECK(w, !IS_ERR_OR_NULL(attach));
	return attach;
}

struct sg_table *world_map(struct world *w, struct dma_buf_attachment *attach,
			   enum dma_data_direction dir)
{
	struct sg_table *sgt = dma_buf_map_attachment_unlocked(attach, dir);

	W_CHECK(w, !IS_ERR_OR_NULL(sgt));
	return sgt;
}

/* --- fences ----------------------------------------------------------------------------------- */

static const char *fence_name(struct dma_fence *fence)
{
	return "conformance";
}

static bool fence_enable(struct dma_fence *fence)
{
	struct world_fence *f = container_of(fence, struct world_fence, base);

	if (f->on_demand)
		note(f->world, "wait");
	return !f->on_demand;
}

static const struct dma_fence_ops fence_ops = {
	.get_driver_name = fence_name,
	.get_timeline_name = fence_name,
	.enable_signaling = fence_enable,
};

static struct dma_fence *make_fence(struct world *w, bool on_demand)
{
	struct world_fence *f = kzalloc(sizeof(*f), GFP_KERNEL);

	spin_lock_init(&f->lock);
	f->world = w;
	f->on_demand = on_demand;
	dma_fence_init(&f->base, &fence_ops, &f->lock, dma_fence_context_alloc(1), 1);
	list_add_tail(&f->node, &w->fences);
	return &f->base;
}

struct dma_fence *world_fence(struct world *w)
{
	return make_fence(w, true);
}

struct dma_fence *world_pending_fence(struct world *w)
{
	return make_fence(w, false);
}

void world_add_fence(struct world *w, struct dma_resv *resv, struct dma_fence *fence,
		     enum dma_resv_usage usage)
{
	dma_resv_lock(resv, NULL);
	W_EQ(w, dma_resv_reserve_fences(resv, 1), 0);
	dma_resv_add_fence(resv, fence, usage);
	dma_resv_unlock(resv);
}

void world_interrupt(struct world *w)
{
	host_signal_task(current);
}

void world_calm(struct world *w)
{
	flush_signals(current);
}

/* --- a device's hands ------------------------------------------------------------------------- */

static void fill(u8 *bytes, u8 salt)
{
	for (size_t i = 0; i < WORLD_BYTES; i++)
		bytes[i] = (u8)(salt + i * 7 + (i >> 8));
}

int world_device_writes(struct device *dev, const struct sg_table *sgt, u8 salt)
{
	u8 *bytes = kmalloc(WORLD_BYTES, GFP_KERNEL);
	int ret;

	fill(bytes, salt);
	ret = dma_engine_write(dev, sgt, 0, bytes, WORLD_BYTES);
	kfree(bytes);
	return ret;
}

bool world_device_reads(struct device *dev, const struct sg_table *sgt, u8 salt)
{
	u8 *bytes = kmalloc(2 * WORLD_BYTES, GFP_KERNEL);
	bool same;

	fill(bytes, salt);
	same = !dma_engine_read(dev, sgt, 0, bytes + WORLD_BYTES, WORLD_BYTES) &&
	       !memcmp(bytes, bytes + WORLD_BYTES, WORLD_BYTES);
	kfree(bytes);
	return same;
}

void world_cpu_writes(u8 *bytes, u8 salt)
{
	fill(bytes, salt);
}

bool world_cpu_reads(const u8 *bytes, u8 salt)
{
	u8 *want = kmalloc(WORLD_BYTES, GFP_KERNEL);
	bool same;

	fill(want, salt);
	same = !memcmp(bytes, want, WORLD_BYTES);
	kfree(want);
	return same;
}

/* --- a program's door ------------------------------------------------------------------------- */

long world_ioctl(int fd, unsigned int cmd, void *arg)
{
	return host_ioctl(fd, cmd, (unsigned long)arg);
}

loff_t world_lseek(int fd, loff_t offset, int whence)
{
	return host_lseek(fd, offset, whence);
}

int world_poll(int fd, __poll_t events)
{
	return host_poll(fd, events, 0);
}

void *world_mmap(int fd, size_t length, bool write, unsigned long offset)
{
	return host_mmap(fd, NULL, length, PROT_READ | (write ? PROT_WRITE : 0), MAP_SHARED,
			 offset);
}

int world_munmap(void *at, size_t length)
{
	return host_munmap(at, length);
}

loff_t world_size(int fd)
{
	struct stat st;
	int ret = host_fstat(fd, &st);

	return ret ?: st.st_size;
}

bool world_fdinfo(int fd, const char *line)
{
	size_t len = strlen(line);
	char text[512];
	const char *at;

	if (host_fdinfo(fd, text, sizeof(text)) < 0)
		return false;
	for (at = text; at && *at; at = strchr(at, '\n'), at += !!at)
		if (!strncmp(at, line, len) && at[len] == '\n')
			return true;
	return false;
}

int world_close(int fd)
{
	return host_close(fd);
}

struct door {
	struct dma_buf *dmabuf;
	unsigned long pgoff;
	int ret;
};

static int door_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct door *door = file->private_data;

	door->ret = dma_buf_mmap(door->dmabuf, vma, door->pgoff);
	return door->ret;
}

static const struct file_operations door_fops = { .mmap = door_mmap };

int world_vma(struct dma_buf *dmabuf, unsigned long pgoff, unsigned long pages)
{
	struct door door = { .dmabuf = dmabuf, .pgoff = pgoff };
	int fd = anon_inode_getfd("door", &door_fops, &door, O_RDWR | O_CLOEXEC);
	void *at;

	if (fd < 0)
		return fd;
	at = world_mmap(fd, pages << PAGE_SHIFT, true, 0);
	if (!IS_ERR(at))
		world_munmap(at, pages << PAGE_SHIFT);
	host_close(fd);
	return door.ret ?: PTR_ERR_OR_ZERO(at);
}

/* --- a world ---------------------------------------------------------------------------------- */

void world_begin(struct world *w, const struct world_case *c, enum world_core core)
{
	const struct machine_type *type = machine_type_find(c->machine ?: "arm");

	*w = (struct world){ .running = c, .core = core };
	INIT_LIST_HEAD(&w->buffers);
	INIT_LIST_HEAD(&w->fences);
	w->machine = machine_create(type, 0);
	w->dev = machine_add_device(w->machine, "importer", type->coherent);
	w->dev2 = machine_add_device(w->machine, "second", type->coherent);
	the_world = w;
	host_warn_rearm();
	host_set_warn_hook(warned);
}

void world_run(struct world *w)
{
	if (!setjmp(w->abandon))
		w->running->run(w);
}

/* W1 */
static void check_buffer(struct world *w, struct world_buffer *buffer)
{
	if (!buffer->exported)
		return;
	world_check(w, buffer->releases == 1, __FILE__, __LINE__, "a buffer was released %u times",
		    buffer->releases);
	world_check(w, !buffer->attaches, __FILE__, __LINE__, "%d attach without detach",
		    buffer->attaches);
	world_check(w, !buffer->maps, __FILE__, __LINE__, "%d map_dma_buf without unmap_dma_buf",
		    buffer->maps);
	world_check(w, !buffer->pins, __FILE__, __LINE__, "%d pin without unpin", buffer->pins);
	world_check(w, !buffer->vmaps, __FILE__, __LINE__, "%d vmap without vunmap", buffer->vmaps);
}

void world_end(struct world *w)
{
	struct world_buffer *buffer, *next;
	struct world_fence *fence, *next_fence;
	bool leaked = false;

	flush_signals(current);
	list_for_each_entry(fence, &w->fences, node)
		dma_fence_signal(&fence->base);
	flush_delayed_fput();
	list_for_each_entry(buffer, &w->buffers, node) {
		if (!buffer->exported || buffer->releases)
			continue;
		leaked = true;
		/* An abandoned case may have held it. */
		if (dma_resv_is_locked(buffer->resv))
			dma_resv_unlock(buffer->resv);
	}
	if (w->resv && !leaked) {
		dma_resv_fini(w->resv);
		kfree(w->resv);
	}
	rcu_barrier();
	list_for_each_entry_safe(fence, next_fence, &w->fences, node) {
		world_check(w, kref_read(&fence->base.refcount) == 1, __FILE__, __LINE__,
			    "somebody still has a reference of a fence");
		dma_fence_put(&fence->base);
	}
	machine_remove_device(w->dev);
	machine_remove_device(w->dev2);
	list_for_each_entry_safe(buffer, next, &w->buffers, node) {
		check_buffer(w, buffer);
		/* What leaked is left to whoever still has it. */
		if (!buffer->exported || buffer->releases)
			free_buffer(buffer);
	}
	machine_destroy(w->machine);
	world_check(w, w->warns >= w->warns_expected, __FILE__, __LINE__, "%u WARNs fired, not %u",
		    w->warns, w->warns_expected);
	host_set_warn_hook(NULL);
	the_world = NULL;
}
