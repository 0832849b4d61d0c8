/* SPDX-License-Identifier: MIT */
/*
 * subject.h - a core that runs a program: what the program has, and how the core's answers are
 * written down
 *
 * These sources know Linux's in-kernel API, the host's door for programs and the machine's devices,
 * and are compiled for each core.  The exporter keeps the rules of a good one: a table for each map;
 * its begin and end of CPU access sync every table that is mapped, as Linux's system heap does.
 *
 * Invariants
 *   SU1  What is kept here of an object follows from the program alone (DI1), except whether a call
 *	  failed; then the traces differ.
 *   SU2  An access is proper when the DMA API promises its bytes: within a mapping or a bracket (or
 *	  by a user who never brackets), with nobody else's access open that could matter.
 */
#ifndef DIFFERENTIAL_SUBJECT_H
#define DIFFERENTIAL_SUBJECT_H

#include <linux/atomic.h>
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/spinlock.h>

#include "differential.h"

#define DEVICES 3
#define BUFFERS 4
#define ATTACHMENTS 8
#define MAPPINGS 10
#define FILES 8
#define AREAS 4
#define FENCES 8
#define PAGES_MAX 4

/* Who holds a reservation: a thread of the program, -1 nobody. */
struct subject_lock {
	int owner;
	unsigned int slots; /* reserved by the owner and not used */
	bool replaced;      /* a fence, by another of its context or a copy, perhaps */
};

/* The exporter's own; lives until the release. */
struct exported {
	int id;
	unsigned int kind;
	size_t size;
	struct dma_buf_ops ops;
	struct page *place; /* where it is */
	struct list_head
		places;    /* struct exported_place: where it was, while tables may be of it */
	struct mutex lock; /* guards mapped */
	struct list_head mapped;          /* struct exported_table */
	u8 shadow[PAGES_MAX * PAGE_SIZE]; /* what was written last */
	bool kept;                        /* 6.12 keeps a mapping of it, or did */
	bool improper;                    /* an access was not proper */
};

struct subject_buffer {
	struct dma_buf *dmabuf; /* NULL: free */
	struct exported *exported;
	struct subject_lock *lock, own_lock;
	unsigned int refs, files, areas; /* references of the program, by what has them */
	unsigned int vmaps, attachments, pins;
	struct iosys_map map;
	unsigned int begun[3]; /* CPU accesses that are open, by direction */
	bool synced;           /* since its last mmap */
};

struct subject_attachment {
	struct dma_buf_attachment *attach; /* NULL: free */
	int id;
	struct subject_buffer *buffer;
	enum importer_kind importer;
	unsigned int device;
	unsigned int pins, maps;
	bool kept;
	int kept_dir; /* with cache_sgt_mapping: of the mapping that 6.12 keeps; -1: none */
};

struct subject_mapping {
	struct sg_table *sgt; /* NULL: free */
	int id;
	struct subject_attachment *attachment;
	enum dma_data_direction dir;
	bool moved; /* of the place before a move */
};

struct subject_file {
	int fd;                        /* -1: free */
	struct subject_buffer *buffer; /* NULL: a sync_file */
};

struct subject_area {
	void *at; /* NULL: free */
	size_t bytes;
	size_t offset;
	bool shared, writable;
	struct subject_buffer *buffer;
};

struct subject_fence {
	struct dma_fence *fence; /* NULL: free */
	int id;
	bool container;
	struct subject_callback *callback; /* NULL: none is waiting */
};

#define LATE_EVENTS 64

struct subject {
	struct trace *trace;
	unsigned int step;
	unsigned int thread;      /* whose turn it is */
	struct task_struct *task; /* its; NULL: what is noted comes after what it does */
	bool improper;
	unsigned int warns; /* in this step */

	struct machine *machine;
	struct device *devices[DEVICES];

	struct subject_buffer buffers[BUFFERS];
	struct subject_attachment attachments[ATTACHMENTS];
	struct subject_mapping mappings[MAPPINGS];
	struct subject_file files[FILES];
	struct subject_area areas[AREAS];
	struct subject_fence fences[FENCES];
	int next_buffer, next_attachment, next_mapping, next_fence; /* ids */

	struct dma_resv *shared;
	struct subject_lock shared_lock;
	bool interrupted[OP_THREADS];
	int fail[EVENT_KINDS]; /* what the exporter answers next, by EVENT_OP_ */
	u64 timeline;          /* context and last number of fences that follow each other */
	u64 last_seqno;
	atomic_t live_exported, live_fences;
	bool kept;          /* 6.12 keeps a mapping, or did */
	bool pinning;       /* the program pins, not the core */
	bool shared_polled; /* a poll may be all that keeps a buffer of the shared reservation */
	u8 op;

	/* What another thread notes meanwhile: a put-off release may come early or late. */
	spinlock_t late_lock;
	unsigned int nr_late;
	struct event late[LATE_EVENTS];
};

/* The one that runs. */
extern struct subject subject;

/* --- writing down (subject.c) ----------------------------------------------------------------- */

void note(enum event_kind kind, int buffer, int which, s64 value, u8 flags);
void returned(s64 value);

/** put_off_is_over - all that other threads do for this step is done; then it is written down */
void put_off_is_over(void);

void nothing(void);
void unsent(enum unsent why);

/** saw - a call gave @value for @what */
void saw(int what, s64 value);

/** note_op - the exporter was asked; @attach may be NULL */
void note_op(enum event_kind kind, struct dma_buf *dmabuf, struct dma_buf_attachment *attach,
	     s64 value);

/** bounced - has what a device of this machine maps bounce slots? */
bool bounced(void);

/**
 * has_slots - may a device write @buffer's bytes into bounce slots now?
 *
 * An exporter's begin and end copy: of an end that was not begun, what was written is lost, where the
 * exporter is asked.
 */
bool has_slots(const struct subject_buffer *buffer);

/**
 * syncs_move_bytes - would an exporter that is asked now move bytes of @buffer, between memory and
 * slots or caches? Then no begin or end is sent of which not every core asks it.
 */
bool syncs_move_bytes(const struct subject_buffer *buffer);

/** keeps - from now on 6.12 keeps a mapping of this buffer */
void keeps(struct exported *exported);

/* --- choosing: the @n-th of those that live, modulo their number; NULL: there is none --------- */

struct subject_buffer *pick_buffer(unsigned int n);
struct subject_attachment *pick_attachment(unsigned int n, bool dynamic_only);
struct subject_mapping *pick_mapping(unsigned int n);
struct subject_file *pick_file(unsigned int n);
struct subject_area *pick_area(unsigned int n);
struct subject_fence *pick_fence(unsigned int n);

/* A free place; NULL: there is none. */
struct subject_file *free_file(void);

/* --- who would wait --------------------------------------------------------------------------- */

static inline bool held(const struct subject_buffer *buffer)
{
	return buffer->lock->owner == (int)subject.thread;
}

/**
 * takes_lock - may a call that takes the reservation be made?  Notes why not
 */
bool takes_lock(const struct subject_buffer *buffer);

/** unsignaled - has the reservation a fence of @usage or below that is not signaled? */
bool unsignaled(struct subject_buffer *buffer, enum dma_resv_usage usage);

/** access_hangs - would an access of the CPU wait for a fence that nobody signals? Notes */
bool access_hangs(struct subject_buffer *buffer, enum dma_data_direction dir);

/** keeps_buffer - after one reference less, is there another, or nobody who needs one? Notes */
bool keeps_buffer(struct subject_buffer *buffer);

/* After the last reference that the program knows of. */
void forget_if_dead(struct subject_buffer *buffer);

/* --- the exporter and the importers (exporter.c) ---------------------------------------------- */

/** exported_new - an exporter's buffer, not yet a dma-buf; NULL without memory */
struct exported *exported_new(unsigned int kind, unsigned int pages);
void exported_free(struct exported *exported);

/** exported_move - to another place; the reservation is held. Returns 0 or -ENOMEM */
int exported_move(struct exported *exported);

extern const struct dma_buf_attach_ops importer_ops[IMPORTERS];

void do_unmap(struct subject_mapping *mapping, bool locked);

/* --- operations: one function each kind of op ------------------------------------------------- */

void buffer_step(const struct op *op);
void access_step(const struct op *op);
void file_step(const struct op *op);
void fence_step(const struct op *op);

#endif
