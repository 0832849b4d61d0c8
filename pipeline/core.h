/* SPDX-License-Identifier: MIT */
/*
 * core.h - runs on another core than this program's own
 *
 * Such a core is a shared object with a host layer, a DMA layer and devices of its own
 * (upstream/rival.h); upstream/Makefile makes them of Linux 6.12's sources, and one with our own core
 * for the sake of Linux's exporters.  It stays loaded.
 */
#ifndef PIPELINE_CORE_H
#define PIPELINE_CORE_H

#include "pipeline/run.h"

/* Where they are, unless DMABUF_CORES in the environment says another folder. */
#define CORE_FOLDER "build-linux-6.12"

/**
 * core_load - find a core
 * @name: a file of that folder, without .so; or, with a slash in it, a path
 *
 * Context: may sleep.  Returns NULL and @error when there is none.
 */
const struct rival *core_load(const char *name, char error[RUN_ERROR_BYTES]);

/**
 * core_own - the core that this program stands on, if it is not ours
 *
 * NULL but in the program that upstream/Makefile makes: there no core is ours, and none has policies.
 */
const struct rival *core_own(void);

/** core_load_heaps - the file there with our own core and Linux's exporters. As core_load() */
const struct rival *core_load_heaps(char error[RUN_ERROR_BYTES]);

/** core_heap - one of @core's exporters by name, or NULL */
const struct stage_heap *core_heap(const struct rival *core, const char *name);

/** core_run - run_pipeline() on config->core; that of this program if it is NULL */
int core_run(const struct run_config *config, struct y4m_reader *reader, struct run_result *result,
	     char error[RUN_ERROR_BYTES]);

#endif
