/* SPDX-License-Identifier: MIT */
/* cpu.c - the CPU reads what a device wrote: inside its bracket, and what it sees without one */
#include <libdmabuf.h>
#include <stdio.h>

int main(void)
{
	struct libdmabuf_attachment *attachment;
	struct libdmabuf_machine *machine;
	struct libdmabuf_buffer *buffer;
	struct libdmabuf_device *camera;
	const char *bytes;
	int err;

	err = libdmabuf_machine_create("arm", &machine);
	if (!err)
		err = libdmabuf_device_add(machine, "camera", LIBDMABUF_SNOOPING_DEFAULT, &camera);
	if (!err)
		err = libdmabuf_buffer_create(4096, &buffer);
	if (!err)
		err = libdmabuf_attach(camera, buffer, &attachment);
	if (!err)
		err = libdmabuf_map(attachment, LIBDMABUF_WRITE);
	if (!err)
		err = libdmabuf_device_write(attachment, 0, "new", 4);
	if (!err)
		err = libdmabuf_unmap(attachment);
	if (err)
		goto failed;

	bytes = libdmabuf_buffer_vaddr(buffer, 0, NULL);
	printf("without the bracket: \"%s\"\n", bytes);

	/* Only the bytes that are read: one cache line is invalidated, not the buffer. */
	err = libdmabuf_cpu_begin_range(buffer, LIBDMABUF_READ, 0, 4);
	if (err)
		goto failed;
	printf("inside the bracket: \"%s\"\n", bytes);
	libdmabuf_cpu_end_range(buffer, LIBDMABUF_READ, 0, 4);
	return libdmabuf_fini() != 0;

failed:
	fprintf(stderr, "cpu: %s\n", libdmabuf_error_text(err));
	return 1;
}
