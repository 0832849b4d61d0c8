/* SPDX-License-Identifier: MIT */
/* A driver's events compile in Linux's form and cost nothing. */
#include <linux/tracepoint.h>
#include "tests/ktap.h"

TRACE_EVENT(job, TP_PROTO(int id, const char *name), TP_ARGS(id, name),
	    TP_STRUCT__entry(__field(int, id) __string(name, name)),
	    TP_fast_assign(__entry->id = id; __assign_str(name);),
	    TP_printk("id=%d name=%s", __entry->id, __get_str(name)));

DECLARE_EVENT_CLASS(buffer, TP_PROTO(void *buffer), TP_ARGS(buffer),
		    TP_STRUCT__entry(__field(void *, buffer)),
		    TP_fast_assign(__entry->buffer = buffer;), TP_printk("%p", __entry->buffer));
DEFINE_EVENT(buffer, buffer_made, TP_PROTO(void *buffer), TP_ARGS(buffer));

EXPORT_TRACEPOINT_SYMBOL(buffer_made);

#include <trace/define_trace.h>

static void arguments_are_evaluated(struct ktap *t)
{
	int id = 1;

	trace_job(id++, "copy");
	trace_buffer_made(&id);
	KT_EQ(t, id, 2);
	KT_CHECK(t, !trace_job_enabled());
}

KTAP_MAIN(KTAP_CASE(arguments_are_evaluated))
