/* SPDX-License-Identifier: MIT */
/*
 * misuse-program-test.c - wrong calls of include/libdmabuf.h, each with what it answers
 *
 * Whatever a program passes, no call WARNs: a WARN is for drivers.
 */
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "include/libdmabuf.h"
#include "tests/misuse.h"

#define OWN LINUX("no such call", "the library's own")

static void kinds(struct ktap *t)
{
	struct libdmabuf_machine *machine = (void *)-1L;

	ROW(t, "libdmabuf_error_text", "no errno: still a sentence", ARGUMENT, "a pointer", OWN,
	    misuse_ptr(libdmabuf_error_text(INT_MIN + 1)));
	ROW(t, "libdmabuf_machine_name", "past the last", SIZE, "NULL", OWN,
	    misuse_ptr(libdmabuf_machine_name(UINT_MAX)));
	ROW(t, "libdmabuf_machine_create", "no such kind", ARGUMENT, "-EINVAL", OWN,
	    libdmabuf_machine_create("vax", &machine));
	KT_CHECK(t, !machine);
	ROW(t, "libdmabuf_machine_create", "no name", ARGUMENT, "-EINVAL", OWN,
	    libdmabuf_machine_create(misuse_null(), &machine));
	ROW(t, "libdmabuf_machine_create", "nowhere to put it", ARGUMENT, "-EINVAL", OWN,
	    libdmabuf_machine_create("pc", misuse_null()));
	ROW(t, "libdmabuf_machine_destroy", "no machine", ARGUMENT, "nothing", OWN,
	    VOID(libdmabuf_machine_destroy(misuse_null())));
	ROW(t, "libdmabuf_policy_set", "no such policy", ARGUMENT, "-EINVAL", OWN,
	    libdmabuf_policy_set((enum libdmabuf_policy)77));
	ROW(t, "libdmabuf_cost_name", "past the last", SIZE, "NULL", OWN,
	    misuse_ptr(libdmabuf_cost_name(UINT_MAX)));
	ROW(t, "libdmabuf_costs", "room, but no array: counted only", ARGUMENT, "1", OWN,
	    libdmabuf_costs(misuse_null(), UINT_MAX) > 0);
	ROW(t, "libdmabuf_fini", "twice", ORDER, "0", OWN, libdmabuf_fini() ?: libdmabuf_fini());
}

static void devices(struct ktap *t)
{
	struct libdmabuf_machine *machine;
	struct libdmabuf_device *device = (void *)-1L;

	KT_EQ(t, libdmabuf_machine_create("pc", &machine), 0);
	ROW(t, "libdmabuf_device_add", "no machine", ARGUMENT, "-EINVAL", OWN,
	    libdmabuf_device_add(misuse_null(), "x", LIBDMABUF_SNOOPING_ON, &device));
	KT_CHECK(t, !device);
	ROW(t, "libdmabuf_device_add", "no name", ARGUMENT, "-EINVAL", OWN,
	    libdmabuf_device_add(machine, misuse_null(), LIBDMABUF_SNOOPING_ON, &device));
	ROW(t, "libdmabuf_device_add", "no such snooping", ARGUMENT, "-EINVAL", OWN,
	    libdmabuf_device_add(machine, "x", (enum libdmabuf_snooping)77, &device));
	ROW(t, "libdmabuf_device_add", "nowhere to put it", ARGUMENT, "-EINVAL", OWN,
	    libdmabuf_device_add(machine, "x", LIBDMABUF_SNOOPING_ON, misuse_null()));
	ROW(t, "libdmabuf_device_remove", "no device", ARGUMENT, "nothing", OWN,
	    VOID(libdmabuf_device_remove(misuse_null())));
	ROW_NOT_RUN("libdmabuf_device_remove", "twice", ORDER, "use after free", OWN);
	KT_EQ(t, libdmabuf_fini(), 0);
}

static void buffers(struct ktap *t)
{
	int event = eventfd(0, EFD_CLOEXEC), fd;
	struct libdmabuf_buffer *buffer = (void *)-1L;
	size_t bytes = 1;

	ROW(t, "libdmabuf_buffer_create", "0 bytes", SIZE, "-EINVAL", OWN,
	    libdmabuf_buffer_create(0, &buffer));
	KT_CHECK(t, !buffer);
	ROW(t, "libdmabuf_buffer_create", "SIZE_MAX bytes, whose pages overflow", SIZE, "-EINVAL",
	    OWN, libdmabuf_buffer_create(SIZE_MAX, &buffer));
	ROW(t, "libdmabuf_buffer_create", "more bytes than there is memory", SIZE, "-ENOMEM", OWN,
	    libdmabuf_buffer_create(SIZE_MAX / 2, &buffer));
	ROW(t, "libdmabuf_buffer_create", "nowhere to put it", ARGUMENT, "-EINVAL", OWN,
	    libdmabuf_buffer_create(8, misuse_null()));
	ROW(t, "libdmabuf_buffer_create_from", "no heap", ARGUMENT, "-EINVAL", OWN,
	    libdmabuf_buffer_create_from(misuse_null(), 8, &buffer));
	ROW(t, "libdmabuf_buffer_create_from", "no such heap", ARGUMENT, "-ENOENT", OWN,
	    libdmabuf_buffer_create_from("none", 8, &buffer));
	ROW(t, "libdmabuf_buffer_create_from", "0 bytes", SIZE, "-EINVAL", OWN,
	    libdmabuf_buffer_create_from("system", 0, &buffer));
	ROW(t, "libdmabuf_buffer_create_from", "SIZE_MAX bytes, whose pages overflow", SIZE,
	    "-EINVAL", OWN, libdmabuf_buffer_create_from("system", SIZE_MAX, &buffer));
	ROW(t, "libdmabuf_heap_open", "no name", ARGUMENT, "-EINVAL", OWN,
	    libdmabuf_heap_open(misuse_null()));
	ROW(t, "libdmabuf_heap_open", "no such heap", ARGUMENT, "-ENOENT", OWN,
	    libdmabuf_heap_open("none"));

	KT_EQ(t, libdmabuf_buffer_create(8, &buffer), 0);
	fd = libdmabuf_buffer_fd(buffer);
	libdmabuf_buffer_close(buffer);
	ROW(t, "libdmabuf_fd_ioctl", "an unknown request", ARGUMENT, "-ENOTTY", OWN,
	    libdmabuf_fd_ioctl(fd, 77, misuse_null()));
	ROW(t, "libdmabuf_fd_ioctl", "an eventfd", DESCRIPTOR, "-EBADF", OWN,
	    libdmabuf_fd_ioctl(event, 77, misuse_null()));
	ROW(t, "libdmabuf_fd_poll", "an eventfd", DESCRIPTOR, "-EBADF", OWN,
	    libdmabuf_fd_poll(event, 1, 0));
	ROW(t, "libdmabuf_buffer_import", "nowhere to put it", ARGUMENT, "-EINVAL", OWN,
	    libdmabuf_buffer_import(fd, misuse_null()));
	KT_EQ(t, libdmabuf_fd_close(fd), 0);
	ROW(t, "libdmabuf_buffer_import", "a closed descriptor", DESCRIPTOR, "-EBADF", OWN,
	    libdmabuf_buffer_import(fd, &buffer));
	ROW(t, "libdmabuf_buffer_import", "fd -1", DESCRIPTOR, "-EBADF", OWN,
	    libdmabuf_buffer_import(-1, &buffer));
	ROW(t, "libdmabuf_buffer_import", "an eventfd", DESCRIPTOR, "-EBADF", OWN,
	    libdmabuf_buffer_import(event, &buffer));
	fd = libdmabuf_heap_open("system");
	ROW(t, "libdmabuf_buffer_import", "a heap's descriptor", DESCRIPTOR, "-EINVAL", OWN,
	    libdmabuf_buffer_import(fd, &buffer));
	libdmabuf_fd_close(fd);
	ROW(t, "libdmabuf_fd_close", "twice", ORDER, "-EBADF", OWN, libdmabuf_fd_close(fd));
	ROW(t, "libdmabuf_fd_close", "an eventfd", DESCRIPTOR, "-EBADF", OWN,
	    libdmabuf_fd_close(event));
	ROW(t, "libdmabuf_buffer_fd", "no buffer", ARGUMENT, "-EINVAL", OWN,
	    libdmabuf_buffer_fd(misuse_null()));
	ROW(t, "libdmabuf_buffer_size", "no buffer", ARGUMENT, "0", OWN,
	    libdmabuf_buffer_size(misuse_null()));
	ROW(t, "libdmabuf_buffer_close", "no buffer", ARGUMENT, "nothing", OWN,
	    VOID(libdmabuf_buffer_close(misuse_null())));
	ROW(t, "libdmabuf_buffer_vaddr", "no buffer", ARGUMENT, "NULL", OWN,
	    misuse_ptr(libdmabuf_buffer_vaddr(misuse_null(), 0, &bytes)));
	KT_EQ(t, bytes, 0);
	close(event);
	KT_EQ(t, libdmabuf_fini(), 0);
}

static void accesses(struct ktap *t)
{
	struct libdmabuf_attachment *attachment, *other = (void *)-1L;
	struct libdmabuf_machine *machine;
	struct libdmabuf_device *device;
	struct libdmabuf_buffer *buffer;
	char byte = 0;

	KT_EQ(t, libdmabuf_machine_create("pc-iommu", &machine), 0);
	KT_EQ(t, libdmabuf_device_add(machine, "x", LIBDMABUF_SNOOPING_ON, &device), 0);
	KT_EQ(t, libdmabuf_buffer_create(4096, &buffer), 0);
	KT_EQ(t, libdmabuf_attach(device, buffer, &attachment), 0);

	ROW(t, "libdmabuf_attach", "no device", ARGUMENT, "-EINVAL", OWN,
	    libdmabuf_attach(misuse_null(), buffer, &other));
	KT_CHECK(t, !other);
	ROW(t, "libdmabuf_attach", "no buffer", ARGUMENT, "-EINVAL", OWN,
	    libdmabuf_attach(device, misuse_null(), &other));
	ROW(t, "libdmabuf_attach", "nowhere to put it", ARGUMENT, "-EINVAL", OWN,
	    libdmabuf_attach(device, buffer, misuse_null()));
	ROW(t, "libdmabuf_detach", "no attachment", ARGUMENT, "nothing", OWN,
	    VOID(libdmabuf_detach(misuse_null())));
	ROW(t, "libdmabuf_map", "no attachment", ARGUMENT, "-EINVAL", OWN,
	    libdmabuf_map(misuse_null(), LIBDMABUF_READ));
	ROW(t, "libdmabuf_map", "no access", ARGUMENT, "-EINVAL", OWN,
	    libdmabuf_map(attachment, 0));
	ROW(t, "libdmabuf_unmap", "no attachment", ARGUMENT, "-EINVAL", OWN,
	    libdmabuf_unmap(misuse_null()));
	ROW(t, "libdmabuf_unmap", "not mapped", ORDER, "-EINVAL", OWN, libdmabuf_unmap(attachment));
	ROW(t, "libdmabuf_device_read", "not mapped", ORDER, "-EINVAL", OWN,
	    libdmabuf_device_read(attachment, 0, &byte, 1));
	KT_EQ(t, libdmabuf_map(attachment, LIBDMABUF_READ), 0);
	ROW(t, "libdmabuf_map", "twice", ORDER, "-EBUSY", OWN,
	    libdmabuf_map(attachment, LIBDMABUF_READ));
	ROW(t, "libdmabuf_device_read", "no attachment", ARGUMENT, "-EINVAL", OWN,
	    libdmabuf_device_read(misuse_null(), 0, &byte, 1));
	ROW(t, "libdmabuf_device_read", "nowhere to put the bytes", ARGUMENT, "-EINVAL", OWN,
	    libdmabuf_device_read(attachment, 0, misuse_null(), 1));
	ROW(t, "libdmabuf_device_read", "past the end", SIZE, "-EINVAL", OWN,
	    libdmabuf_device_read(attachment, 4096, &byte, 1));
	ROW(t, "libdmabuf_device_read", "offset + bytes overflows", SIZE, "-EINVAL", OWN,
	    libdmabuf_device_read(attachment, SIZE_MAX, &byte, 2));
	ROW(t, "libdmabuf_device_read", "SIZE_MAX bytes", SIZE, "-EINVAL", OWN,
	    libdmabuf_device_read(attachment, 8, &byte, SIZE_MAX));
	ROW(t, "libdmabuf_device_write", "no attachment", ARGUMENT, "-EINVAL", OWN,
	    libdmabuf_device_write(misuse_null(), 0, &byte, 1));
	ROW(t, "libdmabuf_device_write", "mapped to be read", ARGUMENT, "-EFAULT", OWN,
	    libdmabuf_device_write(attachment, 0, &byte, 1));
	ROW(t, "libdmabuf_device_write", "offset + bytes overflows", SIZE, "-EINVAL", OWN,
	    libdmabuf_device_write(attachment, SIZE_MAX, &byte, 2));
	KT_EQ(t, libdmabuf_unmap(attachment), 0);

	ROW(t, "libdmabuf_cpu_begin", "no buffer", ARGUMENT, "-EINVAL", OWN,
	    libdmabuf_cpu_begin(misuse_null(), LIBDMABUF_READ));
	ROW(t, "libdmabuf_cpu_begin", "no access", ARGUMENT, "-EINVAL", OWN,
	    libdmabuf_cpu_begin(buffer, 0));
	ROW(t, "libdmabuf_cpu_end", "no buffer", ARGUMENT, "-EINVAL", OWN,
	    libdmabuf_cpu_end(misuse_null(), LIBDMABUF_READ));
	ROW(t, "libdmabuf_cpu_end", "no such access", ARGUMENT, "-EINVAL", OWN,
	    libdmabuf_cpu_end(buffer, (enum libdmabuf_access)4));
	ROW(t, "libdmabuf_cpu_begin_range", "no buffer", ARGUMENT, "-EINVAL", OWN,
	    libdmabuf_cpu_begin_range(misuse_null(), LIBDMABUF_READ, 0, 1));
	ROW(t, "libdmabuf_cpu_begin_range", "past the end", SIZE, "-EINVAL", OWN,
	    libdmabuf_cpu_begin_range(buffer, LIBDMABUF_READ, 1, 4096));
	ROW(t, "libdmabuf_cpu_begin_range", "offset + bytes overflows", SIZE, "-EINVAL", OWN,
	    libdmabuf_cpu_begin_range(buffer, LIBDMABUF_READ, 8, SIZE_MAX - 4));
	ROW(t, "libdmabuf_cpu_end_range", "no buffer", ARGUMENT, "-EINVAL", OWN,
	    libdmabuf_cpu_end_range(misuse_null(), LIBDMABUF_READ, 0, 1));
	ROW(t, "libdmabuf_cpu_end_range", "offset + bytes overflows", SIZE, "-EINVAL", OWN,
	    libdmabuf_cpu_end_range(buffer, LIBDMABUF_READ, 8, SIZE_MAX - 4));
	ROW(t, "libdmabuf_buffer_vaddr", "past the end", SIZE, "NULL", OWN,
	    misuse_ptr(libdmabuf_buffer_vaddr(buffer, 4096, NULL)));
	ROW(t, "libdmabuf_buffer_vaddr", "an offset of SIZE_MAX", SIZE, "NULL", OWN,
	    misuse_ptr(libdmabuf_buffer_vaddr(buffer, SIZE_MAX, NULL)));
	KT_EQ(t, libdmabuf_fini(), 0);
}

MISUSE_MAIN(KTAP_CASE(kinds), KTAP_CASE(devices), KTAP_CASE(buffers), KTAP_CASE(accesses))
