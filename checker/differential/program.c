/* SPDX-License-Identifier: MIT */
/*
 * program.c - programs as bytes, as text and by chance; see differential.h
 *
 *	machine arm
 *	export kind=24 pages=2 resv=0
 *	attach buffer=0 device=0 importer=dynamic
 *	1: map attachment=0 dir=from
 *
 * A number before the colon is the thread, without one it is 0.  `how=N` misuses the call in its
 * N-th way (see the step's source).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/kernel.h>

#include "differential.h"
#include "dma/machine.h"

/* One of so many operations is misused. */
#define HOW_SHARE 12

/* --- the operations --------------------------------------------------------------------------- */

struct operand {
	const char *label;
	const char *names[11]; /* empty: any number */
};

static const struct operand none = {}, number = { "n" }, kind = { "kind" }, pages = { "pages" },
			    buffer = { "buffer" }, attachment = { "attachment" },
			    mapping = { "mapping" }, file = { "file" }, other = { "other" },
			    area = { "area" }, fence = { "fence" }, place = { "place" },
			    value = { "value" }, offset = { "offset" }, flags = { "flags" },
			    device = { "device", { "own", "snooping", "second" } },
			    importer = { "importer", { "static", "dynamic", "peer", "unmaps" } },
			    dir = { "dir", { "both", "to", "from" } },
			    usage = { "usage", { "kernel", "write", "read", "bookkeep" } },
			    context = { "context", { "own", "timeline" } },
			    any = { "any", { "no", "yes" } }, intr = { "intr", { "no", "yes" } },
			    events = { "events", { "in", "out", "both", "none" } },
			    error = { "error", { "none", "nothing", "io", "time" } },
			    answer = { "answer", { "nomem", "intr", "busy", "io" } },
			    /* EVENT_OP_ATTACH and on */
	op_asked = { "op",
		     { "attach", "detach", "pin", "unpin", "map", "unmap", "begin", "end", "vmap",
		       "vunmap", "mmap" } };

static const struct {
	const char *name;
	const struct operand *args[OP_ARGS];
	u8 share; /* how often chance takes it */
} ops[OP_NR] = {
	[OP_EXPORT] = { "export", { &kind, &pages, &none }, 6 },
	[OP_REF] = { "ref", { &buffer, &none, &none }, 2 },
	[OP_PUT] = { "put", { &buffer, &none, &none }, 2 },
	[OP_FD] = { "fd", { &buffer, &none, &none }, 4 },
	[OP_GET] = { "get", { &file, &none, &none }, 3 },
	[OP_CLOSE] = { "close", { &file, &none, &none }, 2 },
	[OP_DUP] = { "dup", { &file, &none, &none }, 1 },
	[OP_MOVE] = { "move", { &buffer, &none, &none }, 4 },
	[OP_ATTACH] = { "attach", { &buffer, &device, &importer }, 8 },
	[OP_DETACH] = { "detach", { &attachment, &buffer, &none }, 3 },
	[OP_MAP] = { "map", { &attachment, &dir, &none }, 12 },
	[OP_UNMAP] = { "unmap", { &mapping, &none, &none }, 8 },
	[OP_PIN] = { "pin", { &attachment, &none, &none }, 3 },
	[OP_UNPIN] = { "unpin", { &attachment, &none, &none }, 2 },
	[OP_LOCK] = { "lock", { &buffer, &none, &none }, 3 },
	[OP_UNLOCK] = { "unlock", { &buffer, &none, &none }, 4 },
	[OP_BEGIN] = { "begin", { &buffer, &dir, &none }, 6 },
	[OP_END] = { "end", { &buffer, &dir, &none }, 6 },
	[OP_VMAP] = { "vmap", { &buffer, &none, &none }, 3 },
	[OP_VUNMAP] = { "vunmap", { &buffer, &none, &none }, 3 },
	[OP_MMAP] = { "mmap", { &file, &pages, &offset }, 3 },
	[OP_MUNMAP] = { "munmap", { &area, &none, &none }, 2 },
	[OP_VMA] = { "vma", { &buffer, &pages, &offset }, 2 },
	[OP_CPU_WRITE] = { "cpu-write", { &buffer, &place, &value }, 8 },
	[OP_CPU_READ] = { "cpu-read", { &buffer, &place, &none }, 8 },
	[OP_DEVICE_WRITE] = { "device-write", { &mapping, &place, &value }, 12 },
	[OP_DEVICE_READ] = { "device-read", { &mapping, &place, &none }, 12 },
	[OP_SYNC] = { "sync", { &file, &flags, &number }, 5 },
	[OP_SET_NAME] = { "set-name", { &file, &number, &flags }, 2 },
	[OP_EXPORT_SYNC_FILE] = { "export-sync-file", { &file, &flags, &number }, 2 },
	[OP_IMPORT_SYNC_FILE] = { "import-sync-file", { &file, &other, &flags }, 2 },
	[OP_MERGE] = { "merge", { &file, &other, &none }, 2 },
	[OP_INFO] = { "info", { &file, &number, &none }, 2 },
	[OP_DEADLINE] = { "deadline", { &file, &number, &none }, 1 },
	[OP_IOCTL] = { "ioctl", { &file, &number, &none }, 1 },
	[OP_POLL] = { "poll", { &file, &events, &none }, 4 },
	[OP_LSEEK] = { "lseek", { &file, &number, &flags }, 1 },
	[OP_FDINFO] = { "fdinfo", { &file, &none, &none }, 2 },
	[OP_FENCE] = { "fence", { &context, &none, &none }, 4 },
	[OP_ARRAY] = { "array", { &fence, &other, &any }, 1 },
	[OP_CHAIN] = { "chain", { &fence, &other, &number }, 1 },
	[OP_SIGNAL] = { "signal", { &fence, &error, &none }, 4 },
	[OP_FENCE_PUT] = { "put-fence", { &fence, &none, &none }, 2 },
	[OP_FENCE_STATUS] = { "status", { &fence, &none, &none }, 1 },
	[OP_FENCE_WAIT] = { "wait", { &fence, &intr, &none }, 1 },
	[OP_FENCE_CALLBACK] = { "callback", { &fence, &none, &none }, 2 },
	[OP_FENCE_FORGET] = { "forget", { &fence, &none, &none }, 1 },
	[OP_SYNC_FILE] = { "sync-file", { &fence, &none, &none }, 2 },
	[OP_ADD_FENCE] = { "add-fence", { &buffer, &fence, &usage }, 5 },
	[OP_RESERVE] = { "reserve", { &buffer, &number, &none }, 1 },
	[OP_REPLACE] = { "replace", { &buffer, &fence, &other }, 1 },
	[OP_TEST] = { "test", { &buffer, &usage, &intr }, 2 },
	[OP_FENCES] = { "fences", { &buffer, &usage, &none }, 2 },
	[OP_COPY_FENCES] = { "copy-fences", { &buffer, &other, &none }, 1 },
	[OP_INTERRUPT] = { "interrupt", { &none, &none, &none }, 1 },
	[OP_CALM] = { "calm", { &none, &none, &none }, 2 },
	[OP_FAIL] = { "fail", { &op_asked, &answer, &none }, 2 },
};

const char *op_name(unsigned int code)
{
	return code < OP_NR ? ops[code].name : "end";
}

static unsigned int names_nr(const struct operand *operand)
{
	unsigned int nr = 0;

	while (nr < ARRAY_SIZE(operand->names) && operand->names[nr])
		nr++;
	return nr;
}

/* --- bytes ------------------------------------------------------------------------------------ */

static unsigned int machines(void)
{
	unsigned int nr = 0;

	while (machine_types[nr].name)
		nr++;
	return nr;
}

/* What means the same is the same. */
static void normalise(struct op *op)
{
	op->code %= OP_NR;
	op->thread %= OP_THREADS;
	for (unsigned int i = 0; i < OP_ARGS; i++) {
		const struct operand *operand = ops[op->code].args[i];

		if (operand == &none)
			op->arg[i] = 0;
		else if (names_nr(operand))
			op->arg[i] %= names_nr(operand);
	}
}

/* A byte says the operation, one says thread and misuse. */
void program_decode(struct program *program, const u8 *bytes, size_t size)
{
	*program = (struct program){};
	if (size >= PROGRAM_HEADER_BYTES) {
		program->machine = bytes[0] % machines();
		program->improper = bytes[1] & 1;
		bytes += PROGRAM_HEADER_BYTES;
		size -= PROGRAM_HEADER_BYTES;
	}
	for (; size >= PROGRAM_OP_BYTES && program->nr < PROGRAM_OPS; size -= PROGRAM_OP_BYTES) {
		struct op *op = &program->ops[program->nr++];

		*op = (struct op){ .code = bytes[0], .thread = bytes[1] >> 6 };
		op->how = bytes[1] & 0x3f;
		memcpy(op->arg, bytes + 2, OP_ARGS);
		normalise(op);
		bytes += PROGRAM_OP_BYTES;
	}
}

size_t program_encode(const struct program *program, u8 bytes[PROGRAM_BYTES_MAX])
{
	u8 *at = bytes;

	*at++ = program->machine;
	*at++ = program->improper;
	for (unsigned int i = 0; i < program->nr; i++) {
		const struct op *op = &program->ops[i];

		*at++ = op->code;
		*at++ = op->thread << 6 | op->how;
		memcpy(at, op->arg, OP_ARGS);
		at += OP_ARGS;
	}
	return at - bytes;
}

/* --- text ------------------------------------------------------------------------------------- */

static bool parse_operand(const struct operand *operand, const char *text, u8 *arg)
{
	unsigned long given;
	char *end;

	for (unsigned int i = 0; i < names_nr(operand); i++)
		if (!strcmp(text, operand->names[i])) {
			*arg = i;
			return true;
		}
	given = strtoul(text, &end, 0);
	*arg = given;
	return *text && !*end && given <= U8_MAX;
}

/* @word is LABEL=VALUE. */
static bool parse_word(struct op *op, char *word)
{
	static const struct operand how = { "how" };
	char *equals = strchr(word, '=');

	if (!equals)
		return false;
	*equals++ = '\0';
	if (!strcmp(word, how.label))
		return parse_operand(&how, equals, &op->how) && op->how < 64;
	for (unsigned int i = 0; i < OP_ARGS; i++) {
		const struct operand *operand = ops[op->code].args[i];

		if (operand->label && !strcmp(word, operand->label))
			return parse_operand(operand, equals, &op->arg[i]);
	}
	return false;
}

static bool parse_op(struct op *op, char *line)
{
	char *rest, *word = strtok_r(line, " \t", &rest);

	*op = (struct op){};
	if (word && word[0] >= '0' && word[0] < '0' + OP_THREADS && !strcmp(word + 1, ":")) {
		op->thread = word[0] - '0';
		word = strtok_r(NULL, " \t", &rest);
	}
	while (word && op->code < OP_NR && strcmp(word, ops[op->code].name))
		op->code++;
	if (!word || op->code == OP_NR)
		return false;
	while ((word = strtok_r(NULL, " \t", &rest)))
		if (!parse_word(op, word))
			return false;
	normalise(op);
	return true;
}

static bool parse_line(struct program *program, char *line)
{
	char machine[32];

	if (!line[strspn(line, " \t")] || line[0] == '#')
		return true;
	if (!strcmp(line, "improper")) {
		program->improper = true;
		return true;
	}
	if (sscanf(line, "machine %31s", machine) == 1) {
		const struct machine_type *type = machine_type_find(machine);

		program->machine = type ? type - machine_types : 0;
		return type;
	}
	return program->nr < PROGRAM_OPS && parse_op(&program->ops[program->nr++], line);
}

int program_parse(struct program *program, const char *text)
{
	char *copy = strdup(text), *rest = copy, *line;
	int number_of_line = 0, ret = 0;

	*program = (struct program){};
	while (!ret && (line = strsep(&rest, "\n"))) {
		number_of_line++;
		if (!parse_line(program, line))
			ret = number_of_line;
	}
	free(copy);
	return ret;
}

static __printf(3, 4) void append(char **text, size_t *size, const char *fmt, ...)
{
	va_list args;
	size_t len;

	va_start(args, fmt);
	len = vsnprintf(*text, *size, fmt, args);
	va_end(args);
	len = min(len, *size);
	*text += len;
	*size -= len;
}

void program_print(const struct program *program, char *text, size_t size)
{
	append(&text, &size, "machine %s\n%s", machine_types[program->machine].name,
	       program->improper ? "improper\n" : "");
	for (unsigned int i = 0; i < program->nr; i++) {
		const struct op *op = &program->ops[i];

		if (op->thread)
			append(&text, &size, "%u: ", op->thread);
		append(&text, &size, "%s", ops[op->code].name);
		for (unsigned int a = 0; a < OP_ARGS; a++) {
			const struct operand *operand = ops[op->code].args[a];

			if (operand->label && names_nr(operand))
				append(&text, &size, " %s=%s", operand->label,
				       operand->names[op->arg[a]]);
			else if (operand->label)
				append(&text, &size, " %s=%u", operand->label, op->arg[a]);
		}
		if (op->how)
			append(&text, &size, " how=%u", op->how);
		append(&text, &size, "\n");
	}
}

/* --- by chance -------------------------------------------------------------------------------- */

/* splitmix64: the same on every machine. */
static u64 chance(u64 *state)
{
	u64 z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static void random_op(struct op *op, u64 *state)
{
	unsigned int sum = 0, n;

	for (unsigned int i = 0; i < OP_NR; i++)
		sum += ops[i].share;
	n = chance(state) % sum;
	*op = (struct op){};
	while (n >= ops[op->code].share)
		n -= ops[op->code++].share;
	for (unsigned int i = 0; i < OP_ARGS; i++)
		op->arg[i] = chance(state);
	/* Most of a program is one thread's. */
	op->thread = max(0, (int)(chance(state) % 8) - 5);
	op->how = chance(state) % HOW_SHARE ? 0 : 1 + chance(state) % 7;
	normalise(op);
}

void program_random(struct program *program, u64 seed)
{
	*program = (struct program){ .machine = chance(&seed) % machines() };
	program->improper = !(chance(&seed) % 4);
	program->nr = 8 + chance(&seed) % (PROGRAM_OPS - 8 + 1);
	for (unsigned int i = 0; i < program->nr; i++)
		random_op(&program->ops[i], &seed);
	/* There is always something to do it with. */
	program->ops[0].code = OP_EXPORT;
	program->ops[0].how = 0;
	normalise(&program->ops[0]);
	program->ops[1] = (struct op){ .code = OP_ATTACH, .arg[2] = chance(&seed) % IMPORTERS };
}

static void insert(struct program *program, unsigned int at, const struct op *op)
{
	if (program->nr < PROGRAM_OPS)
		program->nr++;
	memmove(&program->ops[at + 1], &program->ops[at],
		(program->nr - at - 1) * sizeof(program->ops[0]));
	program->ops[at] = *op;
}

static void mutate_once(struct program *program, u64 *state)
{
	unsigned int at = program->nr ? chance(state) % program->nr : 0;
	struct op op;

	if (!program->nr || !(chance(state) % 3)) {
		random_op(&op, state);
		insert(program, at, &op);
		return;
	}
	switch (chance(state) % 6) {
	case 0:
		program->nr--;
		memmove(&program->ops[at], &program->ops[at + 1],
			(program->nr - at) * sizeof(program->ops[0]));
		break;
	case 1:
		op = program->ops[chance(state) % program->nr];
		insert(program, at, &op);
		break;
	case 2:
		program->ops[at].thread = chance(state);
		break;
	case 3:
		program->ops[at].how = program->ops[at].how ? 0 : 1 + chance(state) % 7;
		break;
	case 4:
		program->machine = chance(state) % machines();
		break;
	default:
		program->ops[at].arg[chance(state) % OP_ARGS] = chance(state);
		break;
	}
	normalise(&program->ops[at]);
}

void program_mutate(struct program *program, u64 seed)
{
	unsigned int times = 1 + chance(&seed) % 4;

	while (times--)
		mutate_once(program, &seed);
}

void program_cross(struct program *program, const struct program *other_program, u64 seed)
{
	unsigned int at = chance(&seed) % (program->nr + 1);
	unsigned int from = chance(&seed) % (other_program->nr + 1);

	while (at < PROGRAM_OPS && from < other_program->nr)
		program->ops[at++] = other_program->ops[from++];
	program->nr = at;
}
