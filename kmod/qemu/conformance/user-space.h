/* SPDX-License-Identifier: MIT */
/*
 * user-space.h - what checker/conformance takes from this library and from libc, inside Linux
 *
 * It is included before each of its files.  A case is a thread of the kernel's, so a check that
 * fails ends the thread, and a file's release waits for conformance_flush().  What a
 * case can't have here leaves it out, and says why.
 */
#ifndef KMOD_QEMU_USER_SPACE_H
#define KMOD_QEMU_USER_SPACE_H

#include <linux/device.h>
#include <linux/dma-buf.h>
#include <linux/fs.h>
#include <linux/mman.h>
#include <linux/stdarg.h>

/* Names that the cases have for something else. */
#undef POLL_IN
#undef POLL_OUT
#define range conformance_range

struct world;

/**
 * conformance_leave_out - ends the case, which is no failure of its
 * conformance_abandon - ends it, after a check failed
 *
 * Neither returns.  objtool has a list of its own of functions that don't, so nothing says so.
 */
void conformance_leave_out(const char *why);
void conformance_abandon(void);

/* User-Mode Linux has these three of its own. */
typedef int conformance_jmp_buf[1];
#define jmp_buf conformance_jmp_buf
#undef setjmp
#undef longjmp
#define setjmp(buffer) ((void)(buffer), 0)
#define longjmp(buffer, value) ((void)(buffer), (void)(value), conformance_abandon())

/* --- dma-bufs: with a wrap around each, if that is asked for ------------------------------------ */

struct dma_buf *conformance_export(const struct dma_buf_export_info *info);
void conformance_put(struct dma_buf *dmabuf);
struct dma_buf_attachment *conformance_attach(struct dma_buf *dmabuf, struct device *dev);
struct dma_buf_attachment *conformance_dynamic_attach(struct dma_buf *dmabuf, struct device *dev,
						      const struct dma_buf_attach_ops *ops,
						      void *importer);
u8 *conformance_bytes(struct dma_buf *dmabuf);
unsigned int conformance_released(struct world *w);

/** conformance_flush - files whose last reference has gone are released */
void conformance_flush(void);

/* Linux's WARNs can't be taken back: what a case expects one of is a mistake it won't make here. */
void conformance_expect_warn(struct world *w);
void *conformance_mmap(int fd, size_t length, bool write, unsigned long offset);

#ifndef CONFORMANCE_SELF
#define world_expect_warn conformance_expect_warn
#define world_mmap conformance_mmap
#define world_bytes conformance_bytes
#define world_released conformance_released
#endif
#if !defined(CONFORMANCE_SELF) || defined(CONFORMANCE_WORLD)
#define dma_buf_export conformance_export
#define dma_buf_put conformance_put
#define dma_buf_attach conformance_attach
#define dma_buf_dynamic_attach conformance_dynamic_attach
#endif
#ifdef CONFORMANCE_WORLD
#define flush_delayed_fput conformance_flush
#endif

/* --- machines ---------------------------------------------------------------------------------- */

struct machine;
struct machine_type {
	bool coherent;
};
const struct machine_type *machine_type_find(const char *name);
struct machine *machine_create(const struct machine_type *type, size_t bounce_bytes);
void machine_destroy(struct machine *machine);
struct device *machine_add_device(struct machine *machine, const char *name, bool coherent);
void machine_remove_device(struct device *dev);
int dma_engine_read(struct device *dev, const struct sg_table *sgt, size_t offset, void *to,
		    size_t size);
int dma_engine_write(struct device *dev, const struct sg_table *sgt, size_t offset,
		     const void *from, size_t size);

/* --- programs ---------------------------------------------------------------------------------- */

struct conformance_stat {
	loff_t st_size;
};
#define stat conformance_stat

long host_ioctl(int fd, unsigned int command, unsigned long argument);
loff_t host_lseek(int fd, loff_t offset, int whence);
int host_poll(int fd, __poll_t events, int timeout_ms);
void *host_mmap(int fd, void *at, size_t size, int prot, int flags, unsigned long offset);
int host_munmap(void *at, size_t size);
int host_fstat(int fd, struct stat *status);
ssize_t host_fdinfo(int fd, char *text, size_t size);
int host_close(int fd);
void host_signal_task(struct task_struct *task);

static inline void host_warn_rearm(void)
{
}

static inline void host_set_warn_hook(void (*hook)(const char *file, int line, const char *text))
{
}

#endif
