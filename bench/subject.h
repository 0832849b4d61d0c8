/* SPDX-License-Identifier: MIT */
/*
 * subject.h - what is measured: buffers, their attachments, and an exporter that costs nothing
 * itself
 *
 * The exporter hands out tables over one shared page, so that 10^5 buffers or one of 1 GiB need no
 * memory.
 */
#ifndef BENCH_SUBJECT_H
#define BENCH_SUBJECT_H

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>

struct machine;

/* How devices and buffers are arranged. */
enum subject_kind {
	SUBJECT_PLAIN,     /* one coherent device: no directory */
	SUBJECT_DIRECTORY, /* one device that does not snoop */
	SUBJECT_MIXED,     /* measured: a coherent device, beside it one that does not snoop */
	SUBJECT_ONE,       /* all attachments, of as many devices, on one buffer */
	SUBJECT_REMAP,     /* one coherent device, and nothing is kept */
	SUBJECT_OWN,       /* one coherent device; each buffer has a reservation of its own */
	SUBJECT_MOVES,     /* as many devices on one buffer that can move; they follow */
	SUBJECT_MOVED,     /* the same, and they do not: what is kept for them is made anew */
};

struct subject {
	struct machine *machine;
	enum subject_kind kind;
	struct dma_resv
		resv; /* of all its buffers, so that one lock holds them all; not SUBJECT_OWN */
	struct device *dev, *other;
	size_t bytes; /* a buffer's */
	unsigned int n;
	struct dma_buf **bufs;
	struct dma_buf_attachment *
		*attach;      /* attach[i] is of bufs[i]; for these three of bufs[0] */
	struct device **devs; /* SUBJECT_ONE, _MOVES and _MOVED: a device each */
};

/**
 * subject_create - @n attachments of @kind; exits with a message when memory is short
 * @machine: of this name, and the device snoops if its devices do; NULL: what @kind says, on an arm
 */
struct subject *subject_create(enum subject_kind kind, const char *machine, unsigned int n,
			       size_t bytes);
void subject_destroy(struct subject *subject);

/** subject_importer - of one who follows moves and does nothing about them */
extern const struct dma_buf_attach_ops subject_importer;

/** subject_buffer - one more buffer of the subject's size, in entries of a page */
struct dma_buf *subject_buffer(struct subject *subject);

#endif
