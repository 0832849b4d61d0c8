/* SPDX-License-Identifier: MIT */
/*
 * drivers.c - cases with drivers that Debian ships, unchanged: vivid (V4L2) and vgem (DRM)
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

static int queue(int video, unsigned int index, int fd)
{
	struct v4l2_buffer b = { .index = index,
				 .type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
				 .memory = V4L2_MEMORY_DMABUF,
				 .m.fd = fd,
				 .length = FRAME };

	return ioctl(video, VIDIOC_QBUF, &b) ? -errno : 0;
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
	format->fmt.pix.width = 320;
	format->fmt.pix.height = 180;
	format->fmt.pix.pixelformat = V4L2_PIX_FMT_YUYV;
	format->fmt.pix.bytesperline = 0;
	check_equal(ioctl(video, VIDIOC_S_FMT, format), 0);
	set_control(video, "OSD Text Mode", 2);
	check_equal(ioctl(video, VIDIOC_REQBUFS, &request), 0);
	return video;
}

/* FNV-1a of each frame that vivid's pattern generator, which stands still, writes into @fds. */
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
		struct pollfd ready = { video, POLLIN, 0 };
		uint8_t *bytes;

		if (!check_equal(poll(&ready, 1, 20000), 1) || !check(!(ready.revents & POLLERR)) ||
		    !check_equal(ioctl(video, VIDIOC_DQBUF, &b), 0))
			break;
		check_equal(cpu_begin(fds[b.index], true, false), 0);
		bytes = map_cpu(fds[b.index], FRAME, false);
		sums[frame] = 2166136261u;
		for (size_t i = 0; i < format.fmt.pix.sizeimage; i++)
			sums[frame] = (sums[frame] ^ bytes[i]) * 16777619u;
		munmap(bytes, FRAME);
		check_equal(cpu_end(fds[b.index], true, false), 0);
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

/* --- vgem ------------------------------------------------------------------------------------- */

/* A compositor imports each frame anew: it attaches, maps, and detaches when it lets go. */
static void vgem_import(void)
{
	int card = open("/dev/dri/card0", O_RDWR | O_CLOEXEC);
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
	int card = open("/dev/dri/card0", O_RDWR | O_CLOEXEC), fd, handle;
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

const struct guest_case driver_cases[] = {
	{ "vivid_by_vmalloc_captures_the_same_picture", vivid_vmalloc, MACHINES },
	{ "vivid_by_dma_contig_captures_the_same_picture", vivid_contig, MACHINES },
	{ "vgem_imports_each_frame_and_hits", vgem_import, MACHINES },
	{ "a_buffer_of_vgems_is_kept", vgem_export, MACHINES },
	{ NULL, NULL, NULL },
};
