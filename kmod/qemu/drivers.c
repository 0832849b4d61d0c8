/* SPDX-License-Identifier: MIT */
/*
 * drivers.c - cases with Linux's drivers, unchanged: of V4L2 vivid and vim2m, of DRM vgem and vkms
 */
#define _GNU_SOURCE
#include <drm/drm.h>
#include <drm/drm_mode.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest.h"

#define MACHINES "drivers"

/* --- vivid ------------------------------------------------------------------------------------ */

#define BUFFERS 2
#define FRAMES 3
#define FRAME (1u << 20) /* one chunk of the system heap: contiguous, as dma-contig wants it */

/* vim2m's: RGB565 */
#define WIDTH 320
#define HEIGHT 180
#define CONVERTED (2 * WIDTH * HEIGHT)

static void set_control(int video, const char *name, int value)
{
	struct v4l2_queryctrl query = { .id = V4L2_CTRL_FLAG_NEXT_CTRL };
	struct v4l2_control control = { .value = value };

	while (!ioctl(video, VIDIOC_QUERYCTRL, &query)) {
		if (!strcmp((char *)query.name, name))
			control.id = query.id;
		query.id |= V4L2_CTRL_FLAG_NEXT_CTRL;
	}
	check_equal(ioctl(video, VIDIOC_S_CTRL, &control), 0);
}

static int queue_as(int video, unsigned int type, unsigned int index, int fd)
{
	struct v4l2_buffer b = { .index = index,
				 .type = type,
				 .bytesused = type == V4L2_BUF_TYPE_VIDEO_OUTPUT ? CONVERTED : 0,
				 .memory = V4L2_MEMORY_DMABUF,
				 .m.fd = fd,
				 .length = FRAME };

	return ioctl(video, VIDIOC_QBUF, &b) ? -errno : 0;
}

static int queue(int video, unsigned int index, int fd)
{
	return queue_as(video, V4L2_BUF_TYPE_VIDEO_CAPTURE, index, fd);
}

/* FNV-1a of what the CPU finds there. */
static uint32_t sum(int fd, size_t size)
{
	uint32_t sum = 2166136261u;
	uint8_t *bytes;

	check_equal(cpu_begin(fd, true, false), 0);
	bytes = map_cpu(fd, FRAME, false);
	for (size_t i = 0; i < size; i++)
		sum = (sum ^ bytes[i]) * 16777619u;
	munmap(bytes, FRAME);
	check_equal(cpu_end(fd, true, false), 0);
	return sum;
}

static bool dequeue(int video, struct v4l2_buffer *b, short event)
{
	struct pollfd ready = { video, event, 0 };

	return check_equal(poll(&ready, 1, 20000), 1) && check(!(ready.revents & POLLERR)) &&
	       check_equal(ioctl(video, VIDIOC_DQBUF, b), 0);
}

static int open_video(const char *path, struct v4l2_format *format)
{
	struct v4l2_requestbuffers request = { .count = BUFFERS,
					       .memory = V4L2_MEMORY_DMABUF,
					       .type = V4L2_BUF_TYPE_VIDEO_CAPTURE };
	int video = open(path, O_RDWR | O_CLOEXEC);

	if (!check(video >= 0, "%s: %s", path, strerror(errno)))
		return video;
	*format = (struct v4l2_format){ .type = V4L2_BUF_TYPE_VIDEO_CAPTURE };
	check_equal(ioctl(video, VIDIOC_G_FMT, format), 0);
	format->fmt.pix.width = WIDTH;
	format->fmt.pix.height = HEIGHT;
	format->fmt.pix.pixelformat = V4L2_PIX_FMT_YUYV;
	format->fmt.pix.bytesperline = 0;
	check_equal(ioctl(video, VIDIOC_S_FMT, format), 0);
	set_control(video, "OSD Text Mode", 2);
	check_equal(ioctl(video, VIDIOC_REQBUFS, &request), 0);
	return video;
}

/* The sum of each frame that vivid's pattern generator, which stands still, writes into @fds. */
static void capture(const char *path, const int *fds, uint32_t *sums)
{
	int on = V4L2_BUF_TYPE_VIDEO_CAPTURE;
	struct v4l2_format format;
	int video = open_video(path, &format);

	for (unsigned int i = 0; i < BUFFERS; i++)
		if (!check_equal(queue(video, i, fds[i]), 0))
			goto close_video;
	check_equal(ioctl(video, VIDIOC_STREAMON, &on), 0);
	for (unsigned int frame = 0; frame < FRAMES; frame++) {
		struct v4l2_buffer b = { .type = on, .memory = V4L2_MEMORY_DMABUF };

		if (!dequeue(video, &b, POLLIN))
			break;
		sums[frame] = sum(fds[b.index], format.fmt.pix.sizeimage);
		check_equal(queue(video, b.index, fds[b.index]), 0);
	}
	ioctl(video, VIDIOC_STREAMOFF, &on);
close_video:
	close(video);
}

static void captured(const char *path)
{
	uint32_t plain[FRAMES] = { 0 }, kept[FRAMES] = { 0 };
	int fds[BUFFERS];

	for (unsigned int i = 0; i < BUFFERS; i++)
		fds[i] = heap_buffer(FRAME);
	capture(path, fds, plain);
	for (unsigned int i = 0; i < BUFFERS; i++)
		fds[i] = wrapped(heap_buffer(FRAME), 0);
	capture(path, fds, kept);
	check(plain[0] && plain[0] == plain[1], "vivid's picture does not stand still");
	for (unsigned int i = 0; i < FRAMES; i++)
		check_equal(kept[i], plain[i]);
}

/* videobuf2's vmalloc memory maps a dma-buf for the CPU. */
static void vivid_vmalloc(void)
{
	captured("/dev/video0");
}

/* Its dma-contig memory attaches and maps it for the device, and wants one piece. */
static void vivid_contig(void)
{
	int pieces = wrapped(udma_buffer(FRAME), 0);
	struct v4l2_format format;
	int video = open_video("/dev/video1", &format);

	check_equal(queue(video, 0, pieces), -EFAULT);
	close(video);
	captured("/dev/video1");
}

/* --- DRM ------------------------------------------------------------------------------------ */

/* A card's number and descriptor by its driver's name. */
static int open_card(const char *driver, unsigned int *number)
{
	for (*number = 0; *number < 4; (*number)++) {
		char path[30], name[20] = "";
		struct drm_version version = { .name = name, .name_len = sizeof(name) - 1 };
		int card;

		snprintf(path, sizeof(path), "/dev/dri/card%u", *number);
		card = open(path, O_RDWR | O_CLOEXEC);
		if (card >= 0 && !ioctl(card, DRM_IOCTL_VERSION, &version) && !strcmp(name, driver))
			return card;
		close(card);
	}
	return -ENODEV;
}

/* --- vgem ------------------------------------------------------------------------------------- */

/* A compositor imports each frame anew: it attaches, maps, and detaches when it lets go. */
static void vgem_import(void)
{
	unsigned int number;
	int card = open_card("vgem", &number);
	int inner = own_buffer(FRAME, 0), fd = wrap(inner, 0);

	if (!check(card >= 0, "%s", strerror(errno)))
		return;
	for (unsigned int frame = 0; frame < 10; frame++) {
		struct drm_prime_handle prime = { .fd = fd };
		struct drm_gem_close let_go = { 0 };

		check_equal(ioctl(card, DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime), 0);
		let_go.handle = prime.handle;
		check_equal(ioctl(card, DRM_IOCTL_GEM_CLOSE, &let_go), 0);
	}
	check_equal(calls_of(inner).mapped, 1);
	check_equal(counter("hits"), 9);
	close(card);
}

/* And a buffer of its own, which DRM's core exports: mapped by a device through the wrap. */
static void vgem_export(void)
{
	static uint8_t bytes[4096];
	struct drm_mode_create_dumb create = { .width = 64, .height = 64, .bpp = 32 };
	struct drm_mode_map_dumb offset = { 0 };
	struct drm_prime_handle prime = { .flags = DRM_CLOEXEC | DRM_RDWR };
	unsigned int number;
	int card = open_card("vgem", &number), fd, handle;
	uint8_t *cpu;

	check_equal(ioctl(card, DRM_IOCTL_MODE_CREATE_DUMB, &create), 0);
	offset.handle = prime.handle = create.handle;
	check_equal(ioctl(card, DRM_IOCTL_MODE_MAP_DUMB, &offset), 0);
	cpu = mmap(NULL, create.size, PROT_READ | PROT_WRITE, MAP_SHARED, card, offset.offset);
	check_equal(ioctl(card, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime), 0);
	if (!check(cpu != MAP_FAILED))
		return;
	fd = wrap(prime.fd, 0);
	close(prime.fd);
	fill(cpu, 4096, 4);
	handle = attach(fd, DEVICE_PLAIN, 0);
	for (unsigned int i = 0; i < 3; i++) {
		check_equal(map(handle, BOTH), 0);
		check_equal(device_read(handle, 0, bytes, 4096, 0), 0);
		check(is_filled(bytes, 4096, 4 + i));
		fill(bytes, 4096, 5 + i);
		check_equal(device_write(handle, 0, bytes, 4096, 0), 0);
		check_equal(unmap(handle, BOTH), 0);
		check(is_filled(cpu, 4096, 5 + i));
	}
	check_equal(detach(handle), 0);
	munmap(cpu, create.size);
	close(card);
}

/* The program that made the buffer has gone, and its card is closed; then the module is unloaded. */
static void exporter_leaves(void)
{
	static uint8_t bytes[4096];
	struct drm_mode_create_dumb create = { .width = 64, .height = 64, .bpp = 32 };
	struct drm_prime_handle prime = { .flags = DRM_CLOEXEC | DRM_RDWR };
	unsigned int number;
	int card = open_card("vgem", &number), fd, handle;

	check_equal(ioctl(card, DRM_IOCTL_MODE_CREATE_DUMB, &create), 0);
	prime.handle = create.handle;
	check_equal(ioctl(card, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime), 0);
	fd = wrap(prime.fd, 0);
	close(prime.fd);
	close(card);
	check_equal(unload("vgem"), -EAGAIN);

	handle = attach(fd, DEVICE_PLAIN, 0);
	drop(fd);
	for (unsigned int i = 0; i < 2; i++) {
		check_equal(map(handle, BOTH), 0);
		fill(bytes, sizeof(bytes), i);
		check_equal(device_write(handle, 0, bytes, sizeof(bytes), 0), 0);
		check_equal(unmap(handle, BOTH), 0);
	}
	check_equal(unload("vgem"), -EAGAIN);
	check_equal(detach(handle), 0);
	check_equal(unload("vgem"), 0);
	check_equal(load("vgem", ""), 0);
}

/* --- vim2m ------------------------------------------------------------------------------------ */

static void set_converter(int video, unsigned int type)
{
	struct v4l2_requestbuffers request = { .count = 1,
					       .memory = V4L2_MEMORY_DMABUF,
					       .type = type };
	struct v4l2_format format = { .type = type };

	format.fmt.pix.width = WIDTH;
	format.fmt.pix.height = HEIGHT;
	format.fmt.pix.pixelformat = V4L2_PIX_FMT_RGB565;
	check_equal(ioctl(video, VIDIOC_S_FMT, &format), 0);
	check_equal(format.fmt.pix.sizeimage, CONVERTED);
	check_equal(ioctl(video, VIDIOC_REQBUFS, &request), 0);
}

/*
 * Frames from @from to @to by the driver's vmap of both; the queues let go of their buffers after
 * each, as a pipeline does that has more buffers than places.
 */
static void convert(int from, int to, uint32_t *sums)
{
	static const unsigned int types[] = { V4L2_BUF_TYPE_VIDEO_OUTPUT,
					      V4L2_BUF_TYPE_VIDEO_CAPTURE };
	int video = open("/dev/video2", O_RDWR | O_CLOEXEC);
	uint8_t *bytes = map_cpu(from, FRAME, true);

	if (!check(video >= 0 && bytes != MAP_FAILED, "%s", strerror(errno)))
		return;
	set_control(video, "Transaction Time (msec)", 1);
	for (unsigned int frame = 0; frame < FRAMES; frame++) {
		set_converter(video, types[0]);
		set_converter(video, types[1]);
		check_equal(cpu_begin(from, false, true), 0);
		fill(bytes, CONVERTED, frame);
		check_equal(cpu_end(from, false, true), 0);
		check_equal(queue_as(video, types[0], 0, from), 0);
		check_equal(queue_as(video, types[1], 0, to), 0);
		for (unsigned int i = 0; i < 2; i++)
			check_equal(ioctl(video, VIDIOC_STREAMON, &types[i]), 0);
		for (unsigned int i = 0; i < 2; i++) {
			struct v4l2_buffer b = { .type = types[i], .memory = V4L2_MEMORY_DMABUF };

			if (!dequeue(video, &b, i ? POLLIN : POLLOUT))
				break;
		}
		for (unsigned int i = 0; i < 2; i++) {
			struct v4l2_requestbuffers none = { .memory = V4L2_MEMORY_DMABUF,
							    .type = types[i] };

			check_equal(ioctl(video, VIDIOC_STREAMOFF, &types[i]), 0);
			check_equal(ioctl(video, VIDIOC_REQBUFS, &none), 0);
		}
		sums[frame] = sum(to, CONVERTED);
		check_equal(sums[frame], sum(from, CONVERTED));
	}
	munmap(bytes, FRAME);
	close(video);
}

static void vim2m(void)
{
	uint32_t plain[FRAMES] = { 0 }, kept[FRAMES] = { 0 };

	convert(heap_buffer(FRAME), heap_buffer(FRAME), plain);
	convert(wrapped(heap_buffer(FRAME), 0), wrapped(heap_buffer(FRAME), 0), kept);
	for (unsigned int i = 0; i < FRAMES; i++)
		check_equal(kept[i], plain[i]);
	check(plain[0] != plain[1], "each frame has bytes of its own");
}

/* --- vkms ------------------------------------------------------------------------------------- */

#define SIDE 64

static bool show(int card, uint32_t framebuffer)
{
	uint32_t connector = 0, crtc = 0;
	struct drm_mode_card_res all = { 0 };
	struct drm_mode_crtc set = {
		.set_connectors_ptr = (uintptr_t)&connector,
		.count_connectors = 1,
		.fb_id = framebuffer,
		.mode_valid = 1,
		.mode = { .clock = 80 * 80 * 60 / 1000,
			  .hdisplay = SIDE,
			  .hsync_start = SIDE + 2,
			  .hsync_end = SIDE + 6,
			  .htotal = SIDE + 16,
			  .vdisplay = SIDE,
			  .vsync_start = SIDE + 2,
			  .vsync_end = SIDE + 6,
			  .vtotal = SIDE + 16,
			  .vrefresh = 60 },
	};

	/* One of each, besides that for writing back, which a client has to ask for. */
	all.connector_id_ptr = (uintptr_t)&connector;
	all.crtc_id_ptr = (uintptr_t)&crtc;
	all.count_connectors = all.count_crtcs = 1;
	if (!check_equal(ioctl(card, DRM_IOCTL_MODE_GETRESOURCES, &all), 0))
		return false;
	set.crtc_id = crtc;
	return check_equal(ioctl(card, DRM_IOCTL_MODE_SETCRTC, &set), 0);
}

/* What the driver's CRTC has read of the frame it shows, as its CRC: the last line of several. */
static unsigned int shown_crc(unsigned int number)
{
	char path[60], line[64] = "";
	unsigned int frame, crc = 0;
	int data;

	snprintf(path, sizeof(path), "/sys/kernel/debug/dri/%u/crtc-0/crc/data", number);
	data = open(path, O_RDONLY | O_CLOEXEC);
	if (!check(data >= 0, "%s: %s", path, strerror(errno)))
		return 0;
	for (unsigned int i = 0; i < 3; i++) {
		ssize_t size = read(data, line, sizeof(line) - 1);

		if (check(size > 0, "%s", strerror(errno)))
			line[size] = '\0';
	}
	check(sscanf(line, "%x %x", &frame, &crc) == 2, "%s", line);
	close(data);
	return crc;
}

/* Each frame is imported, made a framebuffer, shown, and let go of. */
static void show_frames(int card, unsigned int number, int fd, unsigned int *crcs)
{
	uint8_t *bytes = map_cpu(fd, FRAME, true);

	if (!check(bytes != MAP_FAILED, "%s", strerror(errno)))
		return;
	for (unsigned int frame = 0; frame < FRAMES; frame++) {
		struct drm_prime_handle prime = { .fd = fd };
		struct drm_mode_fb_cmd framebuffer = {
			.width = SIDE, .height = SIDE, .pitch = 4 * SIDE, .bpp = 32, .depth = 24
		};
		struct drm_gem_close let_go = { 0 };

		check_equal(cpu_begin(fd, false, true), 0);
		fill(bytes, 4 * SIDE * SIDE, frame);
		check_equal(cpu_end(fd, false, true), 0);
		check_equal(ioctl(card, DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime), 0);
		framebuffer.handle = let_go.handle = prime.handle;
		check_equal(ioctl(card, DRM_IOCTL_MODE_ADDFB, &framebuffer), 0);
		if (show(card, framebuffer.fb_id))
			crcs[frame] = shown_crc(number);
		/* This turns it off, so nothing of the frame is held. */
		check_equal(ioctl(card, DRM_IOCTL_MODE_RMFB, &framebuffer.fb_id), 0);
		check_equal(ioctl(card, DRM_IOCTL_GEM_CLOSE, &let_go), 0);
	}
	munmap(bytes, FRAME);
}

static void vkms(void)
{
	unsigned int plain[FRAMES] = { 0 }, kept[FRAMES] = { 0 }, number;
	int card = open_card("vkms", &number), fd;

	if (!check(card >= 0))
		return;
	show_frames(card, number, heap_buffer(FRAME), plain);
	fd = wrapped(heap_buffer(FRAME), 0);
	show_frames(card, number, fd, kept);
	check_equal(counter("hits"), FRAMES - 1);
	for (unsigned int i = 0; i < FRAMES; i++)
		check_equal(kept[i], plain[i]);
	check(plain[0] && plain[0] != plain[1] && plain[1] != plain[2]);
	close(card);
}

const struct guest_case driver_cases[] = {
	{ "vivid_by_vmalloc_captures_the_same_picture", vivid_vmalloc, MACHINES },
	{ "vivid_by_dma_contig_captures_the_same_picture", vivid_contig, MACHINES },
	{ "vgem_imports_each_frame_and_hits", vgem_import, MACHINES },
	{ "a_buffer_of_vgems_is_kept", vgem_export, MACHINES },
	{ "an_exporters_module_stays_while_a_wrap_lives", exporter_leaves, MACHINES },
	{ "vim2m_by_vmalloc_converts_the_same_frames", vim2m, MACHINES },
	{ "vkms_shows_the_same_frames_imported_anew_and_hits", vkms, MACHINES },
	{ NULL, NULL, NULL },
};
