/* SPDX-License-Identifier: MIT */
/* share.c - one device writes a buffer, another reads it, on a machine whose devices do not snoop */
#include <libdmabuf.h>
#include <stdio.h>

static int fail(const char *what, int err)
{
	fprintf(stderr, "share: %s: %s\n", what, libdmabuf_error_text(err));
	return 1;
}

int main(void)
{
	struct libdmabuf_attachment *writes, *reads;
	struct libdmabuf_device *camera, *encoder;
	struct libdmabuf_machine *machine;
	struct libdmabuf_buffer *buffer;
	char text[32] = "";
	int err;

	err = libdmabuf_machine_create("arm", &machine);
	if (err)
		return fail("machine", err);
	err = libdmabuf_device_add(machine, "camera", LIBDMABUF_SNOOPING_DEFAULT, &camera);
	if (!err)
		err = libdmabuf_device_add(machine, "encoder", LIBDMABUF_SNOOPING_DEFAULT,
					   &encoder);
	if (err)
		return fail("device", err);
	err = libdmabuf_buffer_create(4096, &buffer);
	if (err)
		return fail("buffer", err);

	err = libdmabuf_attach(camera, buffer, &writes);
	if (!err)
		err = libdmabuf_attach(encoder, buffer, &reads);
	if (err)
		return fail("attach", err);

	/* Both mappings are kept: from the second time on, map and unmap only count. */
	for (int frame = 0; frame < 3; frame++) {
		snprintf(text, sizeof(text), "frame %d", frame);
		err = libdmabuf_map(writes, LIBDMABUF_WRITE);
		if (!err)
			err = libdmabuf_device_write(writes, 0, text, sizeof(text));
		if (err)
			return fail("the camera's write", err);
		libdmabuf_unmap(writes);

		err = libdmabuf_map(reads, LIBDMABUF_READ);
		if (!err)
			err = libdmabuf_device_read(reads, 0, text, sizeof(text));
		if (err)
			return fail("the encoder's read", err);
		libdmabuf_unmap(reads);
		printf("the encoder read: %s\n", text);
	}
	return libdmabuf_fini() != 0;
}
