/* SPDX-License-Identifier: MIT */
/*
 * drive-export.h - a buffer that the driver exports, and what the CPU and devices without faults do
 * with it
 *
 * A scene is one thing that is tried, with a buffer of its own; each tells of what it finds.
 */
#ifndef CHECKER_CHECK_DRIVE_EXPORT_H
#define CHECKER_CHECK_DRIVE_EXPORT_H

#include <linux/iosys-map.h>

#include <libdmabuf-check.h>

#include "checker/check/bench.h"

struct subject {
	const struct check_adapter *adapter;
	struct check_export buffer;
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *attach; /* bench.dev's */
	enum check_rule fault;             /* what a device that finds nothing has shown */
	enum check_rule denied;            /* and one that may not use what it finds */
	unsigned int told;                 /* how often of a move */
	u8 bytes[BENCH_BYTES];             /* what was written last */
	u8 seen[BENCH_BYTES];              /* and what was read */
};

/* Where the CPU has a buffer. */
struct cpu_view {
	void *vaddr;
	struct iosys_map map;
	int fd;
};

/** view_open - by vmap, or else as a program does; false: the exporter has neither. _close: undone */
bool view_open(struct cpu_view *view, struct dma_buf *dmabuf);
void view_close(struct cpu_view *view, struct dma_buf *dmabuf);

/* It failed, and that is told. */
#define SUBJECT_TOLD 1

/** subject_by_turns - a device that maps each time, and the CPU: what has not come is told */
void subject_by_turns(struct subject *s, struct dma_buf_attachment *attach);

/** subject_fill - @bytes are others than with any other @salt */
void subject_fill(struct subject *s, unsigned int salt);

/** subject_cpu - the CPU writes @bytes into all of the buffer, or reads @seen. Returns 0, -errno */
int subject_cpu(struct subject *s, bool write);

/** subject_device - a device does, through a table of its own. Returns 0 or SUBJECT_TOLD */
int subject_device(struct subject *s, struct device *dev, const struct sg_table *sgt, bool write);

/** subject_device_once - it maps for that, and unmaps. Returns 0, -errno of the map, SUBJECT_TOLD */
int subject_device_once(struct subject *s, struct dma_buf_attachment *attach, bool write);

/** subject_kept - the CPU writes, the device reads, writes, the CPU reads; what has not come is told */
void subject_kept(struct subject *s, struct device *dev, const struct sg_table *sgt,
		  enum check_rule reads, enum check_rule writes);

/** subject_expect - @seen is not @bytes? That is @rule */
void subject_expect(struct subject *s, enum check_rule rule, const char *who);

/** subject_failed - @what failed though nothing was made to; told unless @ret is 0, or was told */
bool subject_failed(struct subject *s, const char *what, int ret);

/** subject_try - @scene with a new buffer, attached, and released afterwards */
void subject_try(struct subject *s, const char *what, void (*scene)(struct subject *s));

/** drive_scenes - all scenes that are more than one device and the CPU by turns (drive-scenes.c) */
void drive_scenes(struct subject *s);

#endif
