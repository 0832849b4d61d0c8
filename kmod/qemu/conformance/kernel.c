/* SPDX-License-Identifier: MIT */
/*
 * kernel.c - see conformance.h and user-space.h
 */
#include <linux/dma-direct.h>
#include <linux/dma-mapping.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/kthread.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/poll.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "conformance.h"
#include "dmabuf-cache.h"
#include "world.h"

extern const struct world_group buffer_group, attach_group, map_group, move_group, fence_group,
	cpu_group, file_group, bytes_group;

static const struct world_group *const groups[] = { &buffer_group, &attach_group, &map_group,
						    &move_group,   &fence_group,  &cpu_group,
						    &file_group,   &bytes_group };

#define THIS_CORE (IS_ENABLED(CONFIG_DMABUF_MOVE_NOTIFY) ? LINUX_6_12_MOVES : LINUX_6_12)

/* One case runs at a time. */
static DEFINE_MUTEX(lock);
static struct world world;
static DECLARE_COMPLETION(ended);
static const char *left_out;
static struct mm_struct *program;
static void __user *page;
static bool wrapping;
static u32 wrap_kind;   /* DMABUF_CACHE_... */
static bool wrong_kind; /* the case needs the other */
static bool at_end;     /* the thread has come to */

void conformance_leave_out(const char *why)
{
	left_out = why;
	conformance_abandon();
}

static void (*volatile end_thread)(struct completion *done, long code) = kthread_complete_and_exit;

void conformance_abandon(void)
{
	kthread_unuse_mm(program);
	end_thread(&ended, 0);
}

static int run_case(void *unused)
{
	allow_signal(SIGUSR1);
	kthread_use_mm(program);
	world_run(&world);
	at_end = true;
	conformance_abandon();
	return 0;
}

/* In a thread, too: in a program's task the last reference of a file goes when that returns. */
static int end_case(void *unused)
{
	kthread_use_mm(program);
	world_end(&world);
	conformance_abandon();
	return 0;
}

static int in_thread(int (*what)(void *unused))
{
	struct task_struct *thread;

	reinit_completion(&ended);
	thread = kthread_run(what, NULL, "conformance");
	if (IS_ERR(thread))
		return PTR_ERR(thread);
	wait_for_completion(&ended);
	return 0;
}

/* A wrap's end lets go of its inner buffer. */
void conformance_flush(void)
{
	flush_delayed_fput();
	flush_delayed_fput();
}

unsigned int conformance_released(struct world *w)
{
	conformance_flush();
	return world_released(w);
}

/* --- dma-bufs ---------------------------------------------------------------------------------- */

#define WRAPS 16

static struct {
	struct dma_buf *inner, *outer;
} wraps[WRAPS];

static int wrap_fd(int fd)
{
	struct dmabuf_cache_wrap call = { .fd = fd, .flags = wrap_kind | DMABUF_CACHE_CLOEXEC };
	struct file *device = filp_open("/dev/dmabuf-cache", O_RDWR, 0);
	int ret;

	if (IS_ERR(device))
		return PTR_ERR(device);
	ret = copy_to_user(page, &call, sizeof(call)) ? -EFAULT : 0;
	ret = ret ?: device->f_op->unlocked_ioctl(device, DMABUF_CACHE_WRAP, (unsigned long)page);
	fput(device);
	return ret;
}

/* The wrap is all that is left of @inner. */
static struct dma_buf *wrap(struct dma_buf *inner)
{
	struct dma_buf *outer;
	unsigned int i;
	int fd, ret;

	for (i = 0; i < WRAPS && wraps[i].outer; i++)
		;
	if (i == WRAPS)
		conformance_leave_out("it has too many buffers");
	fd = dma_buf_fd(inner, O_CLOEXEC);
	ret = wrap_fd(fd);
	outer = ret < 0 ? ERR_PTR(ret) : dma_buf_get(ret);
	close_fd(fd);
	if (ret >= 0)
		close_fd(ret);
	flush_delayed_fput();
	if (!IS_ERR(outer)) {
		wraps[i].inner = inner;
		wraps[i].outer = outer;
	}
	return outer;
}

struct dma_buf *conformance_export(const struct dma_buf_export_info *info)
{
	struct dma_buf *dmabuf = dma_buf_export(info);

	return IS_ERR(dmabuf) || !wrapping ? dmabuf : wrap(dmabuf);
}

void conformance_put(struct dma_buf *dmabuf)
{
	dma_buf_put(dmabuf);
	conformance_flush();
}

/* A wrap is for importers of one kind; a case with both kinds is left out. */
static void one_kind(u32 kind)
{
	if (wrap_kind == kind)
		return;
	wrong_kind = true;
	conformance_leave_out("a wrap is for importers of one kind");
}

struct dma_buf_attachment *conformance_attach(struct dma_buf *dmabuf, struct device *dev)
{
	if (wrapping)
		one_kind(DMABUF_CACHE_STATIC);
	return dma_buf_attach(dmabuf, dev);
}

struct dma_buf_attachment *conformance_dynamic_attach(struct dma_buf *dmabuf, struct device *dev,
						      const struct dma_buf_attach_ops *ops,
						      void *importer)
{
	if (wrapping)
		one_kind(ops ? DMABUF_CACHE_DYNAMIC : DMABUF_CACHE_STATIC);
	return dma_buf_dynamic_attach(dmabuf, dev, ops, importer);
}

u8 *conformance_bytes(struct dma_buf *dmabuf)
{
	for (unsigned int i = 0; i < WRAPS; i++)
		if (wraps[i].outer == dmabuf)
			return world_bytes(wraps[i].inner);
	return world_bytes(dmabuf);
}

void conformance_expect_warn(struct world *w)
{
	conformance_leave_out("a mistake that Linux warns of");
}

void *conformance_mmap(int fd, size_t length, bool write, unsigned long offset)
{
	conformance_leave_out("it looks into a program's memory");
	return NULL;
}

/* --- machines ---------------------------------------------------------------------------------- */

static const struct machine_type this_machine = { .coherent = true };

const struct machine_type *machine_type_find(const char *name)
{
	return &this_machine;
}

struct machine *machine_create(const struct machine_type *type, size_t bounce_bytes)
{
	return NULL;
}

void machine_destroy(struct machine *machine)
{
}

struct device *machine_add_device(struct machine *machine, const char *name, bool coherent)
{
	struct platform_device *device =
		platform_device_register_simple(name, PLATFORM_DEVID_AUTO, NULL, 0);

	BUG_ON(IS_ERR(device));
	BUG_ON(dma_coerce_mask_and_coherent(&device->dev, DMA_BIT_MASK(64)));
	return &device->dev;
}

void machine_remove_device(struct device *dev)
{
	platform_device_unregister(to_platform_device(dev));
}

/* The CPU in a device's place, at the addresses it was given; no IOMMU stands before it. */
static int move(struct device *dev, const struct sg_table *sgt, size_t offset, u8 *bytes,
		size_t size, bool write)
{
	struct scatterlist *sg;
	size_t start = 0;
	unsigned int i;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		size_t from = max(offset, start), to = min(offset + size, start + sg_dma_len(sg));

		if (from < to) {
			u8 *view = phys_to_virt(dma_to_phys(dev, sg_dma_address(sg)));

			if (write)
				memcpy(view + from - start, bytes + from - offset, to - from);
			else
				memcpy(bytes + from - offset, view + from - start, to - from);
		}
		start += sg_dma_len(sg);
	}
	return start < offset + size ? -EFAULT : 0;
}

int dma_engine_read(struct device *dev, const struct sg_table *sgt, size_t offset, void *to,
		    size_t size)
{
	return move(dev, sgt, offset, to, size, false);
}

int dma_engine_write(struct device *dev, const struct sg_table *sgt, size_t offset,
		     const void *from, size_t size)
{
	return move(dev, sgt, offset, (u8 *)from, size, true);
}

/* --- programs ---------------------------------------------------------------------------------- */

/* A name may be shorter than it could be. */
static bool get_argument(u8 *bytes, unsigned long argument, size_t size, bool named)
{
	if (argument < PAGE_SIZE)
		return false;
	if (!named)
		return !copy_from_kernel_nofault(bytes, (void *)argument, size);
	for (size_t i = 0; i < size; i++) {
		if (copy_from_kernel_nofault(bytes + i, (void *)(argument + i), 1))
			return false;
		if (!bytes[i])
			break;
	}
	return true;
}

/* An argument of ours is the program's for the call; what is no address of ours stays what it is. */
long host_ioctl(int fd, unsigned int command, unsigned long argument)
{
	bool named = _IOC_NR(command) == _IOC_NR(DMA_BUF_SET_NAME);
	size_t size = named ? DMA_BUF_NAME_LEN : _IOC_SIZE(command);
	struct file *file = fget(fd);
	u8 bytes[256] = { 0 };
	long ret;

	if (!file)
		return -EBADF;
	if (!file->f_op->unlocked_ioctl) {
		ret = -ENOTTY;
		goto put;
	}
	size = min(size, sizeof(bytes));
	if (!get_argument(bytes, argument, size, named)) {
		ret = file->f_op->unlocked_ioctl(file, command, argument);
		goto put;
	}
	ret = -EFAULT;
	if (copy_to_user(page, bytes, size))
		goto put;
	ret = file->f_op->unlocked_ioctl(file, command, (unsigned long)page);
	if (!named && copy_from_user((void *)argument, page, size))
		ret = -EFAULT;
put:
	fput(file);
	return ret;
}

loff_t host_lseek(int fd, loff_t offset, int whence)
{
	struct file *file = fget(fd);
	loff_t ret;

	if (!file)
		return -EBADF;
	ret = vfs_llseek(file, offset, whence);
	fput(file);
	return ret;
}

int host_poll(int fd, __poll_t events, int timeout_ms)
{
	struct file *file = fget(fd);
	poll_table table;
	__poll_t found;

	if (!file)
		return -EBADF;
	init_poll_funcptr(&table, NULL);
	table._key = events | EPOLLERR | EPOLLHUP;
	found = vfs_poll(file, &table) & table._key;
	fput(file);
	return (__force int)found;
}

void *host_mmap(int fd, void *at, size_t size, int prot, int flags, unsigned long offset)
{
	struct file *file = fget(fd);
	unsigned long ret;

	if (!file)
		return ERR_PTR(-EBADF);
	ret = vm_mmap(file, 0, size, prot, flags, offset);
	fput(file);
	return (void *)ret;
}

int host_munmap(void *at, size_t size)
{
	return vm_munmap((unsigned long)at, size);
}

int host_fstat(int fd, struct stat *status)
{
	struct file *file = fget(fd);

	if (!file)
		return -EBADF;
	status->st_size = i_size_read(file_inode(file));
	fput(file);
	return 0;
}

ssize_t host_fdinfo(int fd, char *text, size_t size)
{
	conformance_leave_out("it reads /proc of its own process");
	return 0;
}

int host_close(int fd)
{
	int ret = close_fd(fd);

	conformance_flush();
	return ret;
}

void host_signal_task(struct task_struct *task)
{
	send_sig(SIGUSR1, task, 1);
}

/* --- running ----------------------------------------------------------------------------------- */

static const struct world_case *find_case(unsigned int number)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(groups); i++) {
		if (number < groups[i]->nr)
			return &groups[i]->cases[number];
		number -= groups[i]->nr;
	}
	return NULL;
}

static void answer(struct conformance_call *call, enum conformance_answer how, const char *text)
{
	call->answer = how;
	strscpy(call->text, text, sizeof(call->text));
}

static int run_as(struct conformance_call *call, const struct world_case *c, enum world_core core)
{
	int ret;

	left_out = NULL;
	wrong_kind = false;
	at_end = false;
	memset(wraps, 0, sizeof(wraps));
	world_begin(&world, c, core);
	ret = in_thread(run_case);
	call->broken_off |= !at_end;
	ret = ret ?: in_thread(end_case);
	if (left_out)
		answer(call, CONFORMANCE_LEFT_OUT, left_out);
	else
		answer(call, world.problem[0] ? CONFORMANCE_BROKEN : CONFORMANCE_HOLDS,
		       world.problem);
	return ret;
}

static long run(struct conformance_call *call)
{
	const struct world_case *c = find_case(call->number);
	long ret;

	if (!c)
		return -ENOENT;
	strscpy(call->name, c->name, sizeof(call->name));
	if (call->name_only)
		return 0;
	if (c->not_on.cores & THIS_CORE) {
		answer(call, CONFORMANCE_LEFT_OUT, c->not_on.why);
		return 0;
	}
	if (str_has_prefix(c->name, "map.permission")) {
		answer(call, CONFORMANCE_LEFT_OUT, "no IOMMU stands before its devices");
		return 0;
	}
	if (call->wrapped && str_has_prefix(c->name, "move.")) {
		answer(call, CONFORMANCE_LEFT_OUT,
		       "moves are its exporter's, and a wrap's is the module");
		return 0;
	}
	program = current->mm;
	page = u64_to_user_ptr(call->page);
	wrapping = call->wrapped;
	wrap_kind = DMABUF_CACHE_STATIC;
	ret = run_as(call, c, THIS_CORE);
	if (!ret && wrong_kind) {
		wrap_kind = DMABUF_CACHE_DYNAMIC;
		ret = run_as(call, c, THIS_CORE);
	}
	/* Behind a wrap is the library, and before it Linux's core: it may answer as either. */
	if (!ret && wrapping && call->answer == CONFORMANCE_BROKEN)
		ret = run_as(call, c, OURS_CACHED);
	return ret;
}

static long conformance_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	struct conformance_call *call;
	long ret = -ENOTTY;

	if (command != CONFORMANCE_CALL)
		return ret;
	call = memdup_user((void __user *)argument, sizeof(*call));
	if (IS_ERR(call))
		return PTR_ERR(call);
	mutex_lock(&lock);
	ret = run(call);
	mutex_unlock(&lock);
	if (!ret && copy_to_user((void __user *)argument, call, sizeof(*call)))
		ret = -EFAULT;
	kfree(call);
	return ret;
}

static const struct file_operations conformance_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = conformance_ioctl,
};

static struct miscdevice conformance_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "conformance",
	.fops = &conformance_fops,
};

module_misc_device(conformance_device);

MODULE_LICENSE("Dual MIT/GPL");
MODULE_DESCRIPTION("conformance cases of dma-buf inside Linux");
MODULE_IMPORT_NS(DMA_BUF);
