// On which of the machine's processors a thread runs: what <sched.h> has beyond POSIX, and Swift cannot see.
#define _GNU_SOURCE
#include <sched.h>

#include "ckernels.h"

int ck_processor(void) { return sched_getcpu(); }

void ck_leave_processor(int processor) {
    cpu_set_t allowed, others;
    if (processor < 0 || processor >= CPU_SETSIZE || sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
    others = allowed;
    CPU_CLR(processor, &others);
    // The thread moves at once, and may then be anywhere again.
    if (CPU_COUNT(&others) > 0 && sched_setaffinity(0, sizeof others, &others) == 0)
        (void)sched_setaffinity(0, sizeof allowed, &allowed);
}
