/* SPDX-License-Identifier: MIT */
/* heap.c - a buffer asked for as of Linux's /dev/dma_heap, in one piece */
#include <fcntl.h>
#include <libdmabuf.h>
#include <linux/dma-heap.h>
#include <stdio.h>

static int fail(const char *what, int err)
{
	fprintf(stderr, "heap: %s: %s\n", what, libdmabuf_error_text(err));
	return 1;
}

int main(void)
{
	struct dma_heap_allocation_data data = { .len = 1 << 20, .fd_flags = O_RDWR | O_CLOEXEC };
	struct libdmabuf_attachment *attachment;
	struct libdmabuf_machine *machine;
	struct libdmabuf_buffer *buffer;
	struct libdmabuf_device *camera;
	size_t bytes;
	int heap, err;

	heap = libdmabuf_heap_open("default_cma_region");
	if (heap < 0)
		return fail("open", heap);
	err = libdmabuf_fd_ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data);
	if (err)
		return fail("allocate", err);
	libdmabuf_fd_close(heap);

	/* From here on it is a buffer like any other; another driver could have made it. */
	err = libdmabuf_buffer_import(data.fd, &buffer);
	if (err)
		return fail("import", err);
	libdmabuf_fd_close(data.fd);

	err = libdmabuf_machine_create("arm", &machine);
	if (!err)
		err = libdmabuf_device_add(machine, "camera", LIBDMABUF_SNOOPING_DEFAULT, &camera);
	if (!err)
		err = libdmabuf_attach(camera, buffer, &attachment);
	if (!err)
		err = libdmabuf_map(attachment, LIBDMABUF_WRITE);
	if (!err)
		err = libdmabuf_device_write(attachment, 0, "picture", 8);
	if (err)
		return fail("the camera's write", err);
	libdmabuf_unmap(attachment);

	err = libdmabuf_cpu_begin(buffer, LIBDMABUF_READ);
	if (err)
		return fail("the CPU's read", err);
	printf("the CPU reads: %s", (char *)libdmabuf_buffer_vaddr(buffer, 0, &bytes));
	printf(", and %zu bytes in one piece\n", bytes);
	libdmabuf_cpu_end(buffer, LIBDMABUF_READ);
	return libdmabuf_fini() != 0;
}
