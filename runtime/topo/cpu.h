/* cpu.h: what this machine's processor can do, and how many cores this process may use. */
#ifndef ESPALIER_RUNTIME_TOPO_CPU_H
#define ESPALIER_RUNTIME_TOPO_CPU_H

#include <stdbool.h>

/* The levels of the x86-64 ABI supplement, which `espalier build --cpu` also takes. */
typedef enum rt_cpu_level_id { RT_CPU_V1, RT_CPU_V2, RT_CPU_V3, RT_CPU_V4 } rt_cpu_level_id;

rt_cpu_level_id rt_cpu_level(void);
const char *rt_cpu_level_name(rt_cpu_level_id level); /* "x86-64-v3" */

/* Whether the processor, and the system for the registers that it has to save, support a feature by LLVM's name
 * ("avx2", "avx512f"). A name that is not known here counts as missing, since nothing shows that it is there. */
bool rt_cpu_has(const char *feature);

/* Cores that this process may run on: its affinity mask, not the machine's count. */
int rt_cpu_cores(void);

#endif
