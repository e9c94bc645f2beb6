/* Fault points: places where a test build can be told to send itself a signal.
 *
 * NAS_FAULT=point:n:signal in the environment: the n-th time (from 1) this process passes `point`
 * it is sent `signal` (a number or a name such as KILL). Compiled in with -DROBOTNAS_FAULTS=ON,
 * absent from release builds.
 */
#ifndef NAS_COMMON_BASE_FAULT_H
#define NAS_COMMON_BASE_FAULT_H

#ifdef NAS_WITH_FAULTS
/** Pass the named point.  Not collective. May not return. */
void nas_fault_point(const char *point);
#define NAS_FAULT_POINT(point) nas_fault_point(point)
#else
#define NAS_FAULT_POINT(point) ((void)0)
#endif

#endif
