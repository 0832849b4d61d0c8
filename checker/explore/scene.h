/* SPDX-License-Identifier: MIT */
/*
 * scene.h - one buffer, its agents, and what each of them may legally do next
 *
 * Invariants
 *   SC1  Everything that changes lies in the arena or in a region of it (arena.h).
 *   SC2  What scene_operations() and scene_meanwhile() list is legal (explore.h) in the state that
 *        the world is in, and only in that.
 *
 * Deliberately not here: which programs are tried, and in what order (search.c).
 */
#ifndef CHECKER_EXPLORE_SCENE_H
#define CHECKER_EXPLORE_SCENE_H

#include <linux/dma-buf.h>
#include <linux/iosys-map.h>
#include <linux/kernel.h>

#include "checker/explore/explore.h"
#include "core/coherence.h"
#include "core/mapping-slot.h"

#define SCENE_LINE 64
#define SCENE_LINES 4
#define SCENE_TABLES (3 * EXPLORE_AGENTS)
/* Bytes that are written: two of the first line, one of each other; a line's rest has a witness. */
#define SCENE_BYTES(lines) ((lines) + 1)
#define SCENE_MOST_OPERATIONS 128
/* Bytes that the core may have allocated in a later state and not in the first. */
#define SCENE_ROOM 32768

enum operation_kind {
	OP_ATTACH,
	OP_DETACH,
	OP_MAP, /* a: direction */
	OP_UNMAP,
	OP_END_ACCESS, /* of a mapping that is kept */
	OP_BEGIN_ACCESS,
	OP_CPU_BEGIN, /* a: direction, b: 0 whole, else a line's number + 1 */
	OP_CPU_END,
	OP_VMAP,
	OP_VUNMAP,
	OP_OWN_BEGIN, /* a: direction */
	OP_OWN_END,
	OP_WRITE, /* a: which of the bytes that are written */
	OP_READ,  /* a: line */
	/* the core's and the exporter's own: from here on no agent's */
	OP_RECLAIM,
	OP_MOVE,
	OP_REVOKE,
	OP_ADVERSARY,                 /* from here on: not of the program */
	OP_WRITE_BACK = OP_ADVERSARY, /* a: line; + SCENE_LINES: of the place that was left */
	OP_REFETCH,
	OP_KINDS
};

struct operation {
	u8 kind, agent, a, b;
	/* what somebody else does before the step-th step that moves bytes; 0: nothing */
	u8 step, beside, other,
		what; /* beside: OP_WRITE, _MAP, _UNMAP, or the adversary's; what: its `a` */
};

struct agent_kind {
	const char *name, *is; /* as in explore_config.agents; for --help */
	const char *machine;   /* NULL: the CPU */
	bool coherent, dynamic, no_snoop, brackets;
	bool again;    /* the agent before once more, on the same device */
	bool exporter; /* the exporter's own device */
};
extern const struct agent_kind agent_kinds[];

/* A set of domains: bit 0 C, bit 1 M, and one for each agent that shares none. */
typedef u8 domain_set;
#define DOMAIN_C 1u
#define DOMAIN_M 2u
#define DOMAIN_OWN(agent) (4u << (agent))

struct agent {
	/* constant */
	const struct agent_kind *kind; /* not `again`: that of the agent before */
	bool again;
	char name[8];
	struct device *dev;
	domain_set domain;
	bool fresh;              /* its mappings are not kept */
	bool past_caches;        /* the CPU: it sees memory */
	struct sg_table *always; /* the exporter's: mapped all the time */

	struct dma_buf_attachment *attach;
	bool open, paused;
	bool told; /* that its mapping is of no use any more; it has not unmapped yet */
	u8 asked;  /* while the buffer moves: for the kept mapping that was taken away */
	enum dma_data_direction dir;
	struct sg_table *sgt;
	struct iosys_map map;
	u8 first, last, range; /* lines, and OP_CPU_BEGIN's b */
};

/* What the exporter has mapped and not unmapped. */
struct scene_table {
	struct sg_table *sgt; /* NULL: none */
	u8 agent;
	u8 asked; /* DMA_MAY_* */
	dma_addr_t addr;
};

/* Where the buffer is, or was, or will be. */
struct scene_place {
	struct page *page;
	u8 *bytes;               /* as the caches hold them */
	struct sg_table *copied; /* the copy engine's, mapped all the time */
};

struct scene {
	/* constant */
	struct explore_config config;
	unsigned int lines, nr_agents;
	struct dma_buf_ops ops;
	struct dma_buf *dmabuf;
	struct machine *machines[2];
	struct device *engine; /* EXPLORE_MOVES: it copies, and does not snoop */

	struct scene_place here, there; /* there: EXPLORE_MOVES */
	bool moving, revoked, reused;   /* reused: its memory is somebody else's by now */

	struct agent agents[EXPLORE_AGENTS];
	struct scene_table tables[SCENE_TABLES];
	u8 flat[SCENE_LINES * SCENE_LINE]; /* the newest bytes */
	domain_set synced[SCENE_LINES];    /* who may read and write the line */
	domain_set writer[SCENE_LINES];    /* whose write was the last; 0: nobody's */
	u8 raced;                          /* lines written in the operation under way */
	u32 steps;                         /* that moved bytes in the last operation */
	u32 leaves;                        /* mappings torn down beside an open writer of the CPU */
	size_t objects;                    /* of the core when it keeps nothing */
	const char *wrong;                 /* a violation that the exporter noticed */
};

/**
 * scene_draw - carry out @nr operations in a world of their own, and write config->report of it
 * @wrong: what is violated after the last, or NULL
 *
 * Context: as explore_run(), and it calls the system's.  Returns 0 or -errno.
 */
int scene_draw(const struct explore_config *config, const struct operation *ops, unsigned int nr,
	       const char *wrong);

/** scene_create - a buffer that the CPU has filled, and unattached agents.  NULL, with *@why */
struct scene *scene_create(const struct explore_config *config, const char **why);

/** scene_destroy - from its first state only */
void scene_destroy(struct scene *w);

/** scene_operations - the operations that are legal now, adversary's last; how many */
unsigned int scene_operations(const struct scene *w, struct operation *ops);

/**
 * scene_meanwhile - what others may do while @op is under way: copies of it, with beside, other and
 * what set, but for the step; how many
 */
unsigned int scene_meanwhile(const struct scene *w, const struct operation *op,
			     struct operation *ops);

/**
 * scene_do - carry one out
 *
 * Meanwhile whoever may legally read does, before each step (EX1).  Sets w->steps; returns what
 * went wrong, or NULL.
 */
const char *scene_do(struct scene *w, const struct operation *op);

/** scene_check - EX1 and EX2.  NULL, or what is violated; *@reads is set to the legal reads */
const char *scene_check(struct scene *w, unsigned int *reads);

/** scene_hash - equal for equal states (state.c) */
u64 scene_hash(const struct scene *w);

/** scene_tell - @op in words, without a newline */
void scene_tell(const struct scene *w, const struct operation *op, char *text, size_t len);

/** scene_byte - which byte of the buffer is the @nr-th that is written */
static inline unsigned int scene_byte(unsigned int nr)
{
	return nr < 2 ? nr : (nr - 1) * SCENE_LINE;
}

/* Base addresses of all copies of the buffer, in an order that equal states share. */
#define SCENE_COPIES (7 + 2 * SCENE_TABLES)
unsigned int scene_copies(const struct scene *w, const u8 **copies);

/** scene_set - what the core keeps for @agent, or NULL; borrowed or idle */
struct slot_set *scene_set(const struct scene *w, unsigned int agent);

/* Is it the core's or the exporter's doing? */
static inline bool scene_is_nobodys(enum operation_kind kind)
{
	return kind >= OP_RECLAIM && kind < OP_ADVERSARY;
}

/* scene.c, for agents.c and moves.c; a line from SCENE_LINES on: of the place that was left */
struct scene_table *scene_table_of(struct scene *w, unsigned int agent, const struct sg_table *sgt);
u8 *scene_line(const struct scene *w, unsigned int line);
bool scene_line_is_dirty(const struct scene *w, unsigned int line);
phys_addr_t scene_phys(const struct scene *w, unsigned int line);
struct machine *scene_machine(struct scene *w, const char *name);
struct sg_table *scene_map_always(struct scene *w, struct device *dev, struct page *page);
void scene_unmap_always(struct device *dev, struct sg_table *sgt);
bool scene_has_tables(const struct scene *w);

/*
 * moves.c - EXPLORE_MOVES; of another exporter's buffer there is nothing to make, and nothing may be
 * done.  moves_reap(): another thread of the library's does what the last unmap has left to it, now.
 * moves_after(): comes after each operation.  The others return NULL, or what is wrong.
 */
int moves_create(struct scene *w);
void moves_remove(struct scene *w);
bool moves_regions(struct scene *w);
bool moves_may_move(const struct scene *w);
bool moves_may_revoke(const struct scene *w);
const char *moves_move(struct scene *w);
const char *moves_revoke(struct scene *w);
void moves_reap(void);
void moves_after(struct scene *w);
const char *moves_check(const struct scene *w);

/* agents.c, for moves.c */
void agent_is_told(struct scene *w, struct agent *a);

#endif
