/* SPDX-License-Identifier: MIT */
/*
 * differential.h - one program of calls, run on several cores, and what each core answered
 *
 * A program is a list of operations on buffers, attachments, mappings, descriptors and fences.  A
 * core runs it (subject.h) and writes a trace: what each call returned, what the exporter and the
 * importers were asked, how many WARNs fired, what was counted and which bytes were read.  Two
 * traces of one program are compared (compare.c); where Linux and this library differ on purpose a
 * row of a table says so.
 *
 * Invariants
 *   DI1  Any bytes are a program, and a program means the same on every core: an operand chooses
 *	  among what lives, and what lives is known without asking a core.
 *   DI2  A trace has nothing that differs from run to run: no pointer, descriptor, time or context.
 *   DI3  An operation that Linux does not survive is not sent; its trace says why (enum unsent).
 *   DI4  When a program ends, all it had is taken back, and that is part of the trace.
 *
 * Deliberately not here: two calls at the same time.  Threads take turns.
 */
#ifndef DIFFERENTIAL_H
#define DIFFERENTIAL_H

#include <linux/types.h>

/* --- programs --------------------------------------------------------------------------------- */

enum op_code {
	/* buffers */
	OP_EXPORT,
	OP_REF,
	OP_PUT,
	OP_FD,
	OP_GET,
	OP_CLOSE,
	OP_DUP,
	OP_MOVE,
	/* attachments */
	OP_ATTACH,
	OP_DETACH,
	OP_MAP,
	OP_UNMAP,
	OP_PIN,
	OP_UNPIN,
	OP_LOCK,
	OP_UNLOCK,
	/* the CPU and devices */
	OP_BEGIN,
	OP_END,
	OP_VMAP,
	OP_VUNMAP,
	OP_MMAP,
	OP_MUNMAP,
	OP_VMA,
	OP_CPU_WRITE,
	OP_CPU_READ,
	OP_DEVICE_WRITE,
	OP_DEVICE_READ,
	/* descriptors */
	OP_SYNC,
	OP_SET_NAME,
	OP_EXPORT_SYNC_FILE,
	OP_IMPORT_SYNC_FILE,
	OP_MERGE,
	OP_INFO,
	OP_DEADLINE,
	OP_IOCTL,
	OP_POLL,
	OP_LSEEK,
	OP_FDINFO,
	/* fences and reservations */
	OP_FENCE,
	OP_ARRAY,
	OP_CHAIN,
	OP_SIGNAL,
	OP_FENCE_PUT,
	OP_FENCE_STATUS,
	OP_FENCE_WAIT,
	OP_FENCE_CALLBACK,
	OP_FENCE_FORGET,
	OP_SYNC_FILE,
	OP_ADD_FENCE,
	OP_RESERVE,
	OP_REPLACE,
	OP_TEST,
	OP_FENCES,
	OP_COPY_FENCES,
	/* what happens besides */
	OP_INTERRUPT,
	OP_CALM,
	OP_FAIL,
	OP_NR,
};

#define OP_ARGS 3
#define OP_THREADS 3

struct op {
	u8 code; /* enum op_code */
	u8 thread;
	u8 arg[OP_ARGS];
	u8 how; /* 0: as it should be; else one of the ways to misuse this call */
};

#define PROGRAM_OPS 48

struct program {
	u8 machine;  /* one of machine_types[] */
	u8 improper; /* accesses that the DMA API promises nothing for are made, too */
	u8 nr;
	struct op ops[PROGRAM_OPS];
};

/* What export's first operand is made of. */
enum exporter_kind {
	EXPORTER_DYNAMIC = 1 << 0, /* has pin and unpin */
	EXPORTER_CPU = 1 << 1,     /* has begin_cpu_access and end_cpu_access */
	EXPORTER_VMAP = 1 << 2,
	EXPORTER_MMAP = 1 << 3,
	EXPORTER_ATTACH = 1 << 4, /* has attach and detach */
	EXPORTER_SHARED = 1 << 5, /* its reservation is shared with others of the kind */
	EXPORTER_READ_ONLY = 1 << 6,
	EXPORTER_CACHE = 1 << 7, /* sets cache_sgt_mapping, which is 6.12's; not with pin */
};

enum importer_kind { IMPORTER_STATIC, IMPORTER_DYNAMIC, IMPORTER_PEER, IMPORTER_UNMAPS, IMPORTERS };

#define PROGRAM_HEADER_BYTES 2
#define PROGRAM_OP_BYTES (2 + OP_ARGS)
#define PROGRAM_BYTES_MAX (PROGRAM_HEADER_BYTES + PROGRAM_OPS * PROGRAM_OP_BYTES)

/** program_decode - any bytes are a program: DI1 */
void program_decode(struct program *program, const u8 *bytes, size_t size);

/** program_encode - the bytes of a program that program_decode() made; returns how many */
size_t program_encode(const struct program *program, u8 bytes[PROGRAM_BYTES_MAX]);

/**
 * program_parse - a program from text: a line an operation; empty lines and those with # count not
 *
 * Returns 0, or the number of the first line that is wrong.
 */
int program_parse(struct program *program, const char *text);

/** program_print - that text; @size as snprintf() */
void program_print(const struct program *program, char *text, size_t size);

/** program_random - a program of @seed; the same for the same */
void program_random(struct program *program, u64 seed);

/** program_mutate - change one thing of @program, or a few */
void program_mutate(struct program *program, u64 seed);

/** program_cross - put operations of @other into @program */
void program_cross(struct program *program, const struct program *other, u64 seed);

/** op_name - as in the text */
const char *op_name(unsigned int code);

/* --- traces ----------------------------------------------------------------------------------- */

enum event_kind {
	EVENT_RETURNED, /* value: what the call returned; errnos negative */
	EVENT_NOTHING,  /* there was nothing to do it with */
	EVENT_UNSENT,   /* value: enum unsent */

	/* the exporter was asked; value: the direction, or 0 */
	EVENT_OP_ATTACH,
	EVENT_OP_DETACH,
	EVENT_OP_PIN,
	EVENT_OP_UNPIN,
	EVENT_OP_MAP,
	EVENT_OP_UNMAP,
	EVENT_OP_BEGIN,
	EVENT_OP_END,
	EVENT_OP_VMAP,
	EVENT_OP_VUNMAP,
	EVENT_OP_MMAP, /* value: pages << 32 | first */
	EVENT_OP_RELEASE,
	/* an importer was told */
	EVENT_MOVE_NOTIFY,

	EVENT_ENABLED,  /* a fence's enable_signaling; which: the fence */
	EVENT_SIGNALED, /* a callback of a fence ran */
	EVENT_SAW,      /* something else that a call gave; which: what, value: it */

	EVENT_BYTES, /* which: whether they are as written last, value: a hash */
	EVENT_COST,  /* which: enum dma_cost */
	EVENT_WARN,  /* one or more in this operation: how many is not promised */
	EVENT_LEAK,  /* which: of what, value: how many; only if there are any */
	EVENT_KINDS,
};

#define EVENT_BIT(kind) (1u << (kind))

enum event_flag {
	EVENT_HELD = 1 << 0, /* the reservation was held */
	/* 6.12 keeps a mapping of this attachment, or has kept one of this buffer (costs: of any) */
	EVENT_KEPT = 1 << 1,
	EVENT_BUFFER_KEPT = 1 << 2,
	EVENT_IMPROPER = 1 << 3, /* of a buffer whose bytes nobody answers for any more */
	EVENT_REPLACED = 1 << 4, /* a poll of a buffer of which a fence may have been replaced */
};

struct event {
	u16 step; /* number of the operation; those after the last one take back what is left */
	u8 op;    /* enum op_code */
	u8 kind;
	u32 flags;
	s32 buffer; /* number of the buffer, by age; -1: none */
	s32 which;  /* number of the attachment, fence ...; -1: none */
	s64 value;
}; /* without holes: traces are compared byte by byte */

#define TRACE_EVENTS 4096

struct trace {
	unsigned int nr;
	bool overflow;
	u64 unsent; /* a bit for each enum unsent that was met */
	struct event events[TRACE_EVENTS];
};

/* Why an operation is not sent: what Linux 6.12 does then. */
enum unsent {
	UNSENT_WAITS_FOR_ITSELF,
	UNSENT_WAITS_FOR_ANOTHER,
	UNSENT_WAITS_FOR_FENCE,
	UNSENT_LAST_REFERENCE,
	UNSENT_PUT_UNDER_LOCK,
	UNSENT_EXPORT_LOCKED,
	UNSENT_DETACH_MAPPED,
	UNSENT_UNMAP_TWICE,
	UNSENT_UNMAP_DIRECTION,
	UNSENT_MAP_NONE,
	UNSENT_END_NULL,
	UNSENT_PIN_NULL,
	UNSENT_VMAP_NULL,
	UNSENT_VUNMAP_TWICE,
	UNSENT_VUNMAP_OTHER,
	UNSENT_UNLOCK_OTHER,
	UNSENT_NO_SLOT,
	UNSENT_KEPT_WAITS,
	UNSENT_KEPT_ACCESS,
	UNSENT_NR,
};

/** unsent_reasons - what each is, and what Linux does */
extern const char *const unsent_reasons[UNSENT_NR];

/** event_print - one event as text */
void event_print(const struct event *event, char *text, size_t size);

/* --- cores ------------------------------------------------------------------------------------ */

/* A core: what runs a program.  @remap: policy `remap`, where there are policies. */
typedef void (*differential_run_t)(const struct program *program, bool remap, struct trace *trace);

/** differential_run - on the core that this is linked with */
void differential_run(const struct program *program, bool remap, struct trace *trace);

enum core_kind {
	CORE_REMAP = 1 << 0,        /* ours, policy remap */
	CORE_CACHED = 1 << 1,       /* ours, policy cached */
	CORE_LINUX = 1 << 2,        /* Linux 6.12, CONFIG_DMABUF_MOVE_NOTIFY=n */
	CORE_LINUX_NOTIFY = 1 << 3, /* =y */
};

/* --- comparing -------------------------------------------------------------------------------- */

/* A deliberate difference.  It explains a step of one kind that differs as the row says. */
struct difference {
	const char *name;
	const char *where;         /* the beginning of its line in docs/differences.md */
	u64 ops;                   /* bits of enum op_code; 0: any */
	unsigned int ours, theirs; /* enum core_kind */
	u32 ignored;               /* events (EVENT_BIT) that do not count */
	u8 flags;                  /* only those with one of these flags; 0: all */
	bool answers;              /* then what was returned must be: */
	s64 our_answer, their_answer;
};

extern const struct difference differences[];
extern const unsigned int differences_nr;

struct verdict {
	bool same;
	u64 used;        /* bits of differences[] that were needed */
	char text[4096]; /* what differs, and what both did in that step */
};

/**
 * trace_check - what holds of one trace by itself: nothing is left, and the bytes of each proper
 * access were those written last
 */
void trace_check(const struct trace *trace, enum core_kind kind, struct verdict *verdict);

/**
 * traces_compare - is @theirs what @ours is, but for differences[]?
 * @without: the number of a row that is not believed, -1 for none
 */
void traces_compare(const struct trace *ours, enum core_kind our_kind, const struct trace *theirs,
		    enum core_kind their_kind, int without, struct verdict *verdict);

/**
 * cores_compare - run @program on each core and compare them all
 * @notify, @plain: Linux's, NULL where there is none
 *
 * Under policy `cached` an exporter is not asked as often, so a program that makes it fail is only
 * checked by itself there.
 */
void cores_compare(const struct program *program, differential_run_t ours,
		   differential_run_t notify, differential_run_t plain, int without,
		   struct verdict *verdict, u64 *unsent);

#endif
