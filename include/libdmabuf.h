/* SPDX-License-Identifier: MIT */
/*
 * libdmabuf.h - for programs: machines made of software whose devices share buffers
 *
 * A machine has devices; a buffer is memory that any of them, and the CPU, may use.  A device
 * attaches to a buffer, maps it for an access, moves bytes through its DMA engine, and unmaps.  The
 * CPU brackets its own accesses.  Mappings are kept and bytes moved only where the machine's caches
 * need it: that is what the library is about.  Drivers and exporters are written against <linux/...>
 * instead (libdmabuf-driver.pc) and meet programs at a descriptor.
 *
 * Rules for every call
 *   - 0 or a count means it worked; a negative number is -errno, named by libdmabuf_error_text().
 *     Out-parameters are set in either case: to NULL or 0 on failure.
 *   - Handles are opaque.  Each is given back once, with its own call; NULL may be given back.
 *     What is still open at libdmabuf_fini() is closed there, and its handles are void.
 *   - Any thread may call.  Calls on one handle at the same time are the caller's to exclude,
 *     unless said otherwise; calls on different handles never are.
 *   - Nothing happens before the first call: no thread, no handler, no descriptor.  The library's
 *     threads have all signals blocked.
 *   - After fork() the child may only exec, _exit, or call libdmabuf_fini(), which there closes what
 *     it inherited and touches nothing of the parent's.
 *
 * Compiles alone as C11 and as C++17.
 */
#ifndef LIBDMABUF_H
#define LIBDMABUF_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct libdmabuf_machine;
struct libdmabuf_device;
struct libdmabuf_buffer;
struct libdmabuf_attachment;

/** libdmabuf_version - "0.1.0"; what it promises is in docs/stability.md */
const char *libdmabuf_version(void);

/** libdmabuf_error_text - a sentence for a negative number that a call returned; constant */
const char *libdmabuf_error_text(int err);

/**
 * libdmabuf_fini - close all that is open, join the library's threads, give its memory back
 *
 * Nobody may be inside the library or call it meanwhile.  The next call begins anew.
 * In a child after fork(): only closes descriptors and unmaps memory.
 * Returns 0; -EBUSY: a driver still holds memory, which stays, as does its one descriptor.
 */
int libdmabuf_fini(void);

/* --- machines and devices --------------------------------------------------------------------- */

/**
 * libdmabuf_machine_name - the @index-th machine there is ("pc", "arm", ...), NULL past the last
 */
const char *libdmabuf_machine_name(unsigned int index);

/**
 * libdmabuf_machine_create - a computer of the kind @name
 *
 * Returns 0; -EINVAL no such kind, or NULL; -ENOMEM.
 */
int libdmabuf_machine_create(const char *name, struct libdmabuf_machine **machine);

/** libdmabuf_machine_destroy - with all its devices and their attachments */
void libdmabuf_machine_destroy(struct libdmabuf_machine *machine);

enum libdmabuf_snooping {
	LIBDMABUF_SNOOPING_DEFAULT, /* as devices of this machine do */
	LIBDMABUF_SNOOPING_ON,      /* the device sees the CPU's caches */
	LIBDMABUF_SNOOPING_OFF,     /* it sees only memory */
};

/**
 * libdmabuf_device_add - a device of @machine
 * @name: for messages
 *
 * Returns 0; -EINVAL a NULL, or no such snooping; -ENOMEM.
 */
int libdmabuf_device_add(struct libdmabuf_machine *machine, const char *name,
			 enum libdmabuf_snooping snooping, struct libdmabuf_device **device);

/** libdmabuf_device_remove - with its attachments */
void libdmabuf_device_remove(struct libdmabuf_device *device);

/* --- buffers ---------------------------------------------------------------------------------- */

enum libdmabuf_policy {
	LIBDMABUF_POLICY_CACHED, /* mappings are kept; the default */
	LIBDMABUF_POLICY_REMAP,  /* map for each access, as Linux does since 6.15 */
};

/**
 * libdmabuf_policy_set - of buffers made from now on. Without it, DMABUF_POLICY in the environment
 * decides. Returns 0; -EINVAL no such policy.
 */
int libdmabuf_policy_set(enum libdmabuf_policy policy);
enum libdmabuf_policy libdmabuf_policy_get(void);

/**
 * libdmabuf_buffer_create - @bytes of zeroed system memory, rounded up to pages
 *
 * Returns 0; -EINVAL 0 bytes; -ENOMEM.
 */
int libdmabuf_buffer_create(size_t bytes, struct libdmabuf_buffer **buffer);

/**
 * libdmabuf_buffer_import - the buffer behind a descriptor that libdmabuf_buffer_fd() or a driver
 * made in this process. @fd stays the caller's.
 *
 * Returns 0; -EBADF not a descriptor of this library's; -EINVAL not a buffer's, or a memfd's; -ENOMEM.
 */
int libdmabuf_buffer_import(int fd, struct libdmabuf_buffer **buffer);

/**
 * libdmabuf_buffer_fd - a new descriptor, close-on-exec; the caller closes it with
 * libdmabuf_fd_close(), which lets the buffer go at once (close() does so later)
 *
 * Returns it; -EINVAL NULL; -EMFILE, -ENFILE, -ENOMEM.
 */
int libdmabuf_buffer_fd(struct libdmabuf_buffer *buffer);
int libdmabuf_fd_close(int fd);

/**
 * libdmabuf_fd_ioctl - Linux's requests to a descriptor of this library's: DMA_HEAP_IOCTL_ALLOC of
 * <linux/dma-heap.h> to a heap's, those of <linux/dma-buf.h> to a buffer's
 *
 * Returns what it answers, as the ioctl() that is meant, with -errno; -EBADF not a descriptor of
 * this library's; -ENOTTY it does not know the request.
 */
int libdmabuf_fd_ioctl(int fd, unsigned long request, void *argument);

/**
 * libdmabuf_fd_poll - wait until one of @events (POLLIN, POLLOUT of <poll.h>) holds, as poll() of
 * one descriptor; the system's own calls every descriptor of this library ready
 * @timeout_ms: 0 only asks, < 0 waits for ever
 *
 * A buffer is readable when its writers' fences have signaled, writable when its readers' have too;
 * a sync file is readable when its fence has.
 * Returns the events that hold, 0 after @timeout_ms; -EBADF not a descriptor of this library's;
 * -EINTR; -ENOMEM.
 */
int libdmabuf_fd_poll(int fd, short events, int timeout_ms);

/** libdmabuf_buffer_size - bytes; 0 for NULL */
size_t libdmabuf_buffer_size(const struct libdmabuf_buffer *buffer);

/** libdmabuf_buffer_close - memory goes with the last handle and descriptor */
void libdmabuf_buffer_close(struct libdmabuf_buffer *buffer);

/* --- heaps ------------------------------------------------------------------------------------ */

/**
 * libdmabuf_heap_open - what Linux has at /dev/dma_heap/@name, close-on-exec; the caller closes it
 * with libdmabuf_fd_close()
 * @name: "system": any pages; "default_cma_region": in one piece, for devices that take one
 * address; or a driver's
 *
 * Returns the descriptor; -EINVAL NULL; -ENOENT no such heap; -EMFILE, -ENFILE, -ENOMEM.
 */
int libdmabuf_heap_open(const char *name);

/**
 * libdmabuf_buffer_create_from - as libdmabuf_buffer_create(), from a heap
 *
 * Returns 0; -EINVAL 0 bytes, or NULL; -ENOENT no such heap; -EMFILE, -ENFILE; -ENOMEM, also: not
 * in one piece; what a driver's heap said.
 */
int libdmabuf_buffer_create_from(const char *name, size_t bytes, struct libdmabuf_buffer **buffer);

/* --- a device's accesses ---------------------------------------------------------------------- */

enum libdmabuf_access {
	LIBDMABUF_READ = 1,
	LIBDMABUF_WRITE = 2,
	LIBDMABUF_READ_WRITE = 3,
};

/**
 * libdmabuf_attach - @device will use @buffer, which the attachment keeps
 *
 * Returns 0; -EINVAL a NULL; -ENOMEM; what the exporter said.
 */
int libdmabuf_attach(struct libdmabuf_device *device, struct libdmabuf_buffer *buffer,
		     struct libdmabuf_attachment **attachment);

/** libdmabuf_detach - unmaps first, if it is mapped */
void libdmabuf_detach(struct libdmabuf_attachment *attachment);

/**
 * libdmabuf_map - the device may now access the buffer, and sees its newest bytes
 *
 * Returns 0; -EBUSY it is mapped; -EINVAL NULL, no such access; -EACCES the buffer's descriptor is
 * not opened for it; -ENOMEM (also: no bounce slots or addresses left), -ENODEV; what the exporter
 * said.
 */
int libdmabuf_map(struct libdmabuf_attachment *attachment, enum libdmabuf_access access);

/** libdmabuf_unmap - what it wrote is seen by who accesses next. Returns 0; -EINVAL not mapped. */
int libdmabuf_unmap(struct libdmabuf_attachment *attachment);

/**
 * libdmabuf_device_read - the device's engine reads @bytes of the buffer at @offset into @to
 * libdmabuf_device_write - it writes them from @from
 *
 * Returns 0; -EINVAL not mapped, or past the end; -EACCES the buffer's descriptor is not opened for
 * it; -EFAULT the mapping does not allow it: a DMA fault.
 */
int libdmabuf_device_read(struct libdmabuf_attachment *attachment, size_t offset, void *to,
			  size_t bytes);
int libdmabuf_device_write(struct libdmabuf_attachment *attachment, size_t offset, const void *from,
			   size_t bytes);

/* --- the CPU's accesses ----------------------------------------------------------------------- */

/**
 * libdmabuf_cpu_begin - the CPU is about to access the whole buffer
 * libdmabuf_cpu_end - and has finished; with its begin's arguments
 * libdmabuf_cpu_begin_range, libdmabuf_cpu_end_range - only some bytes: costs less
 *
 * Without the bracket the CPU may see, or leave to devices, bytes that are not the newest.
 * Waits for the buffer's fences.  Any number may be open at once, in any threads.
 * Returns 0; -EINVAL NULL, no such access, past the end; -EACCES the buffer's descriptor is not
 * opened for it; -ENOMEM; what the exporter said.
 */
int libdmabuf_cpu_begin(struct libdmabuf_buffer *buffer, enum libdmabuf_access access);
int libdmabuf_cpu_end(struct libdmabuf_buffer *buffer, enum libdmabuf_access access);
int libdmabuf_cpu_begin_range(struct libdmabuf_buffer *buffer, enum libdmabuf_access access,
			      size_t offset, size_t bytes);
int libdmabuf_cpu_end_range(struct libdmabuf_buffer *buffer, enum libdmabuf_access access,
			    size_t offset, size_t bytes);

/**
 * libdmabuf_buffer_vaddr - where the CPU finds the byte at @offset
 * @bytes: set to how many follow it there; memory need not be in one piece
 *
 * Valid between begin and end, for what was begun, and until the handle is closed.  A buffer whose
 * descriptor is not opened for writing has addresses that only read.
 * Returns NULL past the end, for a driver's buffer, and without memory for those addresses.
 */
void *libdmabuf_buffer_vaddr(struct libdmabuf_buffer *buffer, size_t offset, size_t *bytes);

/* --- costs ------------------------------------------------------------------------------------ */

/**
 * libdmabuf_cost_name - of the @index-th counter ("iommu_writes", "bytes_cleaned", ...), NULL past
 * the last
 */
const char *libdmabuf_cost_name(unsigned int index);

/**
 * libdmabuf_costs - all counters now
 * @count: gets the first @room of them
 *
 * They count for the whole process and are never reset: subtract an earlier snapshot.
 * Returns how many there are.
 */
unsigned int libdmabuf_costs(uint64_t *count, unsigned int room);

#ifdef __cplusplus
}
#endif

#endif
