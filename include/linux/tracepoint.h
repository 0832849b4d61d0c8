/* SPDX-License-Identifier: MIT */
/*
 * tracepoint.h - events of a driver for who traces: accepted, never recorded
 *
 * A driver's trace header compiles as it is; trace_NAME() evaluates its arguments and does nothing,
 * and trace_NAME_enabled() is false.  What an event would store and print is not compiled.
 */
#ifndef _LINUX_TRACEPOINT_H
#define _LINUX_TRACEPOINT_H

#include <linux/compiler.h>
#include <linux/types.h>

#define TP_PROTO(args...) args
#define TP_ARGS(args...) args
#define PARAMS(args...) args

#define HOST_TRACEPOINT(name, proto)                                   \
	static inline __maybe_unused void trace_##name(proto)          \
	{                                                              \
	}                                                              \
	static inline __maybe_unused bool trace_##name##_enabled(void) \
	{                                                              \
		return false;                                          \
	}

#define DECLARE_TRACE(name, proto, args) HOST_TRACEPOINT(name, PARAMS(proto))
#define TRACE_EVENT(name, proto, args, stored, assign, print) HOST_TRACEPOINT(name, PARAMS(proto))
#define TRACE_EVENT_CONDITION(name, proto, args, cond, stored, assign, print) \
	HOST_TRACEPOINT(name, PARAMS(proto))
#define DECLARE_EVENT_CLASS(name, proto, args, stored, assign, print)
#define DEFINE_EVENT(class, name, proto, args) HOST_TRACEPOINT(name, PARAMS(proto))
#define DEFINE_EVENT_PRINT(class, name, proto, args, print) HOST_TRACEPOINT(name, PARAMS(proto))

#define EXPORT_TRACEPOINT_SYMBOL(name) extern int host_tracepoint_##name
#define EXPORT_TRACEPOINT_SYMBOL_GPL(name) EXPORT_TRACEPOINT_SYMBOL(name)

#endif
