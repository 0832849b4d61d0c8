/* SPDX-License-Identifier: MIT */
/*
 * interrupt.h - a device's interrupts
 *
 * DIFFERS: none ever comes.  What asks for one succeeds; no handler is called, and there is nothing to
 * wait for or to free.
 */
#ifndef _LINUX_INTERRUPT_H
#define _LINUX_INTERRUPT_H

#include <linux/types.h>

struct device;

typedef enum irqreturn {
	IRQ_NONE,
	IRQ_HANDLED,
	IRQ_WAKE_THREAD = 2,
} irqreturn_t;

#define IRQ_RETVAL(handled) ((handled) ? IRQ_HANDLED : IRQ_NONE)

typedef irqreturn_t (*irq_handler_t)(int irq, void *data);

/* Flags of a request; none makes a difference. */
#define IRQF_TRIGGER_NONE 0x00000000
#define IRQF_TRIGGER_RISING 0x00000001
#define IRQF_TRIGGER_FALLING 0x00000002
#define IRQF_TRIGGER_HIGH 0x00000004
#define IRQF_TRIGGER_LOW 0x00000008
#define IRQF_SHARED 0x00000080
#define IRQF_ONESHOT 0x00002000
#define IRQF_NO_AUTOEN 0x00080000

/**
 * request_irq and its family - @handler is called when interrupt @irq comes: never
 * Context: may sleep.  Returns 0.
 */
static inline int request_threaded_irq(unsigned int irq, irq_handler_t handler,
				       irq_handler_t thread, unsigned long flags, const char *name,
				       void *data)
{
	return 0;
}

static inline int request_irq(unsigned int irq, irq_handler_t handler, unsigned long flags,
			      const char *name, void *data)
{
	return 0;
}

static inline int devm_request_threaded_irq(struct device *dev, unsigned int irq,
					    irq_handler_t handler, irq_handler_t thread,
					    unsigned long flags, const char *name, void *data)
{
	return 0;
}

static inline int devm_request_irq(struct device *dev, unsigned int irq, irq_handler_t handler,
				   unsigned long flags, const char *name, void *data)
{
	return 0;
}

/** free_irq - after return no handler of it runs. Returns the name it had: NULL, none is kept */
static inline const void *free_irq(unsigned int irq, void *data)
{
	return NULL;
}

static inline void devm_free_irq(struct device *dev, unsigned int irq, void *data)
{
}

static inline void enable_irq(unsigned int irq)
{
}

static inline void disable_irq(unsigned int irq)
{
}

static inline void disable_irq_nosync(unsigned int irq)
{
}

static inline void synchronize_irq(unsigned int irq)
{
}

#endif
