/* SPDX-License-Identifier: MIT */
/* core.c - see core.h */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checker/conformance/run.h"
#include "dma/machine.h"
#include "pipeline/core.h"
#include "upstream/rival.h"

static const struct rival *load(const char *name, char error[RUN_ERROR_BYTES])
{
	const char *folder = getenv("DMABUF_CORES");
	const struct rival *core = NULL;
	char path[1024];
	void *object;

	if (strchr(name, '/'))
		snprintf(path, sizeof(path), "%s", name);
	else
		snprintf(path, sizeof(path), "%s/%s.so", folder ?: "./" CORE_FOLDER, name);
	/* Its names are its own, and so are its threads: it cannot be unloaded. */
	object = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (object)
		core = dlsym(object, "rival");
	if (!core) {
		snprintf(error, RUN_ERROR_BYTES, "%.900s%s", dlerror(),
			 strchr(name, '/') ? ""
					   : "; upstream/build makes Linux's in a source tree, "
					     "DMABUF_CORES names another folder");
		return NULL;
	}
	if (core->rival_bytes != sizeof(*core) || core->config_bytes != sizeof(struct run_config) ||
	    core->result_bytes != sizeof(struct run_result) ||
	    core->request_bytes != sizeof(struct conformance_request)) {
		snprintf(error, RUN_ERROR_BYTES,
			 "%.900s: made from other sources than this program", path);
		return NULL;
	}
	return core;
}

const struct rival *core_load(const char *name, char error[RUN_ERROR_BYTES])
{
	const struct rival *core = load(name, error);

	if (core && !core->name) {
		snprintf(error, RUN_ERROR_BYTES, "%.900s has our own core", name);
		return NULL;
	}
	return core;
}

const struct rival *core_load_heaps(char error[RUN_ERROR_BYTES])
{
	return load("linux-heaps", error);
}

/* Linked into the program only where that core is, too. */
extern const struct rival rival __attribute__((__weak__));

const struct rival *core_own(void)
{
	return &rival;
}

const struct stage_heap *core_heap(const struct rival *core, const char *name)
{
	const struct stage_heap *heap = core->heaps;

	while (heap->name && strcmp(heap->name, name))
		heap++;
	return heap->name ? heap : NULL;
}

int core_run(const struct run_config *config, struct y4m_reader *reader, struct run_result *result,
	     char error[RUN_ERROR_BYTES])
{
	struct run_config theirs = *config;

	if (!config->core)
		return run_pipeline(config, reader, result, error);
	theirs.machine = config->core->machine_type_find(config->machine->name);
	return config->core->run_pipeline(&theirs, reader, result, error);
}
