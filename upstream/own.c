/* SPDX-License-Identifier: MIT */
/* own.c - see rival.h: the entries of a world with our own core, for Linux's exporters in it */
#include "checker/conformance/run.h"
#include "dma/machine.h"
#include "pipeline/run.h"
#include "upstream/drivers/heaps.h"
#include "upstream/rival.h"

extern const struct rival rival __attribute__((__visibility__("default")));

const struct rival rival = {
	.rival_bytes = sizeof(struct rival),
	.config_bytes = sizeof(struct run_config),
	.result_bytes = sizeof(struct run_result),
	.request_bytes = sizeof(struct conformance_request),
	.machine_type_find = machine_type_find,
	.heaps = linux_heaps,
	.run_pipeline = run_pipeline,
	.run_result_free = run_result_free,
};
