/* SPDX-License-Identifier: MIT */
/*
 * world.h - what a conformance case has to work with: an exporter that writes down what it is
 * asked, importers, two devices of a machine, fences, and a program's door to descriptors
 *
 * A case is a function and a line of a table.  It knows Linux's in-kernel API and this header,
 * nothing else: no extension of this library, no header of its rooms.  So the same files are
 * compiled against another dma-buf.h and run on another core.
 *
 * Every case has a world of its own.  When it ends the world checks by itself
 *   W1  each buffer has been released exactly once, and each op of its exporter undone as often as
 *	 done (attach, map, pin, vmap; no more at any moment);
 *   W2  each op was called with the reservation held or not held as Linux's locking convention
 *	 says, in pairs with the same direction;
 *   W3  exactly the announced WARNs fired;
 *   W4  nobody has a reference of a fence but the world.
 *
 * A check that fails ends the case.  What the case had is taken back as far as it can be; the next
 * case has a world of its own.
 *
 * Deliberately not here: what is timed, and threads.  A fence that somebody waits for signals
 * itself then, so one thread sees who waits.
 */
#ifndef CONFORMANCE_WORLD_H
#define CONFORMANCE_WORLD_H

#include <setjmp.h>

#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/scatterlist.h>
#include <linux/sprintf.h>
#include <linux/string.h>
#include <uapi/linux/dma-buf.h>

/* Whose core answers: bits, because several may answer alike. */
enum world_core {
	OURS_CACHED = 1 << 0,
	OURS_REMAP = 1 << 1,
	LINUX_6_12 = 1 << 2,       /* CONFIG_DMABUF_MOVE_NOTIFY=n, the default */
	LINUX_6_12_MOVES = 1 << 3, /* =y */
	LINUX_6_15 = 1 << 4,       /* and later: no mapping is kept */
};

#define LINUX_CACHES (LINUX_6_12 | LINUX_6_12_MOVES)
#define LINUX_ALL (LINUX_CACHES | LINUX_6_15)

struct world;

/* Who answers otherwise than the rule says, and why. */
struct world_exception {
	unsigned int cores; /* enum world_core */
	/*
	 * The first cell of a line in docs/differences.md.  Of Linux it names the version that
	 * changed it; of not_on it is the second cell, what Linux does.
	 */
	const char *why;
};

struct world_case {
	const char *name;   /* SUBJECT.WHAT */
	const char *rule;   /* one sentence */
	const char *source; /* where Linux documents it */
	void (*run)(struct world *w);
	const void *data; /* for a function that several cases share */
	struct world_exception otherwise, also;
	struct world_exception not_on; /* these cores do not survive it: skipped */
	const char *machine;           /* NULL: arm */
};

struct world_group {
	const char *name;
	const struct world_case *cases;
	unsigned int nr;
};

/* What the exporter answers instead of doing it: errnos, 0 to do it. */
struct world_answers {
	int attach, pin, map, begin, end, vmap, mmap;
	bool map_null;     /* map_dma_buf returns NULL */
	bool vmap_iomem;   /* vmap gives a device's window */
	bool same_table;   /* map_dma_buf returns one table again and again */
	bool only_reading; /* map_dma_buf refuses devices that write: -EACCES */
};

struct world {
	const struct world_case *running;
	enum world_core core;
	struct device *dev, *dev2; /* of one machine */
	struct world_answers answer;

	/* the world's own */
	char log[1024];
	char problem[512];  /* the first failed check; empty: none */
	char answers[2048]; /* what was seen, passed or failed, line by line */
	unsigned int warns, warns_expected;
	unsigned int moves; /* calls of move_notify */
	jmp_buf abandon;    /* where a failed check goes */
	struct machine *machine;
	struct list_head buffers, fences;
	struct dma_resv *resv;
};

enum world_kind {
	STATIC_EXPORTER = 0,
	DYNAMIC_EXPORTER = 1 << 0, /* has pin and unpin */
	BARE_EXPORTER = 1 << 1,    /* only what is mandatory */
};

#define WORLD_PAGES 4
#define WORLD_BYTES (WORLD_PAGES * PAGE_SIZE)

/**
 * world_export - a buffer of WORLD_PAGES pages; the case owns the reference
 * world_export_resv - the same with a reservation of others, and flags of the file
 */
struct dma_buf *world_export(struct world *w, enum world_kind kind);
struct dma_buf *world_export_resv(struct world *w, enum world_kind kind, struct dma_resv *resv,
				  int flags);

/** world_resv - a reservation that several buffers may have; it goes with the world */
struct dma_resv *world_resv(struct world *w);

/** world_info - what world_export() would give to dma_buf_export(), to be spoiled by the case */
void world_info(struct world *w, enum world_kind kind, struct dma_buf_export_info *info,
		struct dma_buf_ops *ops);

/** world_info_done - an @info that no buffer was made of */
void world_info_done(struct dma_buf_export_info *info);

/** world_bytes - the buffer's memory as the CPU sees it */
u8 *world_bytes(struct dma_buf *dmabuf);

/** world_released - how often its release op ran; of the last exported buffer */
unsigned int world_released(struct world *w);

/** world_importer - a dynamic importer whose move_notify is written down */
extern const struct dma_buf_attach_ops world_importer;

/* A static importer's attachment, and a dynamic one's, of @w->dev. */
struct dma_buf_attachment *world_attach(struct world *w, struct dma_buf *dmabuf, bool dynamic);

/* The same, static, of any device. */
struct dma_buf_attachment *world_attach_device(struct world *w, struct dma_buf *dmabuf,
					       struct device *dev);

/** world_map - a map that must succeed, of who does not hold the reservation */
struct sg_table *world_map(struct world *w, struct dma_buf_attachment *attach,
			   enum dma_data_direction dir);

/** world_fence - a fence that signals itself as soon as somebody waits for it, and notes "wait" */
struct dma_fence *world_fence(struct world *w);

/** world_pending_fence - a fence that only dma_fence_signal() signals; who waits for it hangs */
struct dma_fence *world_pending_fence(struct world *w);

/** world_add_fence - into @resv, which is not held; the world owns the fence */
void world_add_fence(struct world *w, struct dma_resv *resv, struct dma_fence *fence,
		     enum dma_resv_usage usage);

/** world_interrupt - a signal is pending from now on, until world_calm() */
void world_interrupt(struct world *w);
void world_calm(struct world *w);

/* --- a device's hands ------------------------------------------------------------------------- */

/** world_device_writes - @dev fills the whole buffer with bytes made of @salt; 0 or -errno */
int world_device_writes(struct device *dev, const struct sg_table *sgt, u8 salt);

/** world_device_reads - does @dev read the bytes of @salt, all of them? */
bool world_device_reads(struct device *dev, const struct sg_table *sgt, u8 salt);

/* The same by the CPU. */
void world_cpu_writes(u8 *bytes, u8 salt);
bool world_cpu_reads(const u8 *bytes, u8 salt);

/* --- a program's door ------------------------------------------------------------------------- */

long world_ioctl(int fd, unsigned int cmd, void *arg);
loff_t world_lseek(int fd, loff_t offset, int whence);
int world_poll(int fd, __poll_t events); /* does not wait */
void *world_mmap(int fd, size_t length, bool write, unsigned long offset);
int world_munmap(void *at, size_t length);
loff_t world_size(int fd); /* fstat */
/* Does fdinfo have this line? */
bool world_fdinfo(int fd, const char *line);
int world_close(int fd);

/**
 * world_vma - dma_buf_mmap() from inside another file's ->mmap()
 * @pgoff: given to dma_buf_mmap()
 * @pages: of the mapping
 *
 * Returns what dma_buf_mmap() did; the mapping is gone again.
 */
int world_vma(struct dma_buf *dmabuf, unsigned long pgoff, unsigned long pages);

/* --- checks ----------------------------------------------------------------------------------- */

/** otherwise - does this core answer as the case's first exception says? also: the second */
static inline bool otherwise(const struct world *w)
{
	return w->running->otherwise.cores & w->core;
}

static inline bool also(const struct world *w)
{
	return w->running->also.cores & w->core;
}

/** world_expect_warn - one WARN more must fire in this case */
void world_expect_warn(struct world *w);

/** world_check - notes a problem unless @ok; returns @ok */
bool world_check(struct world *w, bool ok, const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/**
 * world_saw - notes an answer of the core
 *
 * The lines of a case are compared with those of the same case on another core: what is different
 * each time, an address, is not to be in them.
 */
void world_saw(struct world *w, const char *what, long long value);

/** world_log_is - was exactly @want written down since the last such question? */
bool world_log_is(struct world *w, const char *want, const char *file, int line);

/** world_demand - ends the case unless @ok: what follows would stand on what failed */
void world_demand(struct world *w, bool ok);

#define W_CHECK(w, cond) world_demand(w, world_check(w, cond, __FILE__, __LINE__, "%s", #cond))

#define W_EQ(w, got, want)                                                               \
	({                                                                               \
		long long got_ = (long long)(got), want_ = (long long)(want);            \
		world_saw(w, #got, got_);                                                \
		world_demand(w, world_check(w, got_ == want_, __FILE__, __LINE__,        \
					    "%s is %lld, not %lld", #got, got_, want_)); \
	})

/* A pointer that must be this errno, or with 0 none. */
#define W_ERR(w, got, want)                                                            \
	({                                                                             \
		long got_ = PTR_ERR_OR_ZERO(got);                                      \
		world_saw(w, #got, got_);                                              \
		world_demand(w, world_check(w, got_ == (want), __FILE__, __LINE__,     \
					    "%s is %ld, not %d", #got, got_, (want))); \
	})

/* What the exporter and the importers were asked since the last W_LOG, in order. */
#define W_LOG(w, want) world_demand(w, world_log_is(w, want, __FILE__, __LINE__))

/* --- for who runs cases ----------------------------------------------------------------------- */

void world_begin(struct world *w, const struct world_case *c, enum world_core core);
void world_run(struct world *w);
void world_end(struct world *w);

#endif
