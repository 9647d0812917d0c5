#pragma once

/*
 * Which threads get a processor when all are busy (sched(7)). Of the calling thread alone; wishes,
 * which cannot fail: where the kernel knows no such thing, or does not allow it, nothing changes.
 */

enum { SCHEDULING_NICENESS = 10, SCHEDULING_TURN_US = 100 };

/* Leaves the processor to threads that must not wait: nicer by SCHEDULING_NICENESS. */
void scheduling_give_way(void);

/*
 * Asks for short turns (SCHEDULING_TURN_US), and so for the next one: on Linux since 6.12 a thread
 * that wakes up interrupts those whose turns are longer (sched_setattr(2), sched_runtime), which
 * otherwise go on for some milliseconds.
 */
void scheduling_be_prompt(void);
