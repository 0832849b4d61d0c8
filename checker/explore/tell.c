/* SPDX-License-Identifier: MIT */
/*
 * tell.c - see scene.h: operations in words
 */
#include <stdio.h>

#include "checker/explore/scene.h"

static const char *range_name(unsigned int range, char *text, size_t len)
{
	if (!range)
		return "all of it";
	snprintf(text, len, "line %u", range - 1);
	return text;
}

static const char *place_name(unsigned int line)
{
	return line < SCENE_LINES ? "" : " of the place it left";
}

void scene_tell(const struct scene *w, const struct operation *op, char *text, size_t len)
{
	static const char *const device_does[] = { "read and write", "read", "write" };
	static const char *const cpu_does[] = { "read and write", "write", "read" };
	const char *name = w->agents[op->agent].name;
	char range[16];

	switch ((enum operation_kind)op->kind) {
	case OP_ATTACH:
		snprintf(text, len, "%s attaches", name);
		break;
	case OP_DETACH:
		snprintf(text, len, "%s detaches", name);
		break;
	case OP_MAP:
		snprintf(text, len, "%s maps to %s", name, device_does[op->a]);
		break;
	case OP_UNMAP:
		if (op->a)
			snprintf(text, len, "%s writes byte %u of line %u and unmaps", name,
				 scene_byte(op->a - 1) % SCENE_LINE,
				 scene_byte(op->a - 1) / SCENE_LINE);
		else
			snprintf(text, len, "%s unmaps", name);
		break;
	case OP_END_ACCESS:
		snprintf(text, len, "%s ends an access and keeps its mapping", name);
		break;
	case OP_BEGIN_ACCESS:
		snprintf(text, len, "%s begins another access", name);
		break;
	case OP_CPU_BEGIN:
		snprintf(text, len, "%s begins to %s %s", name, cpu_does[op->a],
			 range_name(op->b, range, sizeof(range)));
		break;
	case OP_CPU_END:
		snprintf(text, len, "%s ends", name);
		break;
	case OP_VMAP:
		snprintf(text, len, "%s maps the buffer", name);
		break;
	case OP_VUNMAP:
		snprintf(text, len, "%s unmaps it", name);
		break;
	case OP_OWN_BEGIN:
		snprintf(text, len, "%s begins to %s", name, device_does[op->a]);
		break;
	case OP_OWN_END:
		snprintf(text, len, "%s ends", name);
		break;
	case OP_WRITE:
		snprintf(text, len, "%s writes byte %u of line %u", name,
			 scene_byte(op->a) % SCENE_LINE, scene_byte(op->a) / SCENE_LINE);
		break;
	case OP_READ:
		snprintf(text, len, "%s reads line %u", name, op->a);
		break;
	case OP_RECLAIM:
		snprintf(text, len, "idle mappings are reclaimed");
		break;
	case OP_MOVE:
		snprintf(text, len, "the exporter moves the buffer");
		break;
	case OP_REVOKE:
		snprintf(text, len, "the exporter takes the buffer away");
		break;
	case OP_WRITE_BACK:
		snprintf(text, len, "(the caches write line %u%s back)", op->a % SCENE_LINES,
			 place_name(op->a));
		break;
	case OP_REFETCH:
		snprintf(text, len, "(the caches drop line %u%s and fetch it again)",
			 op->a % SCENE_LINES, place_name(op->a));
		break;
	case OP_KINDS:
		break;
	}
}
