/* Processes that descend from this one, at any depth, also those that have left its session. */
#ifndef NAS_WORKER_OBJECTIVES_COMMAND_DESCENDANTS_H
#define NAS_WORKER_OBJECTIVES_COMMAND_DESCENDANTS_H

/** Send a signal to the descendants that /proc shows.  Not collective. This process must lead a
 *  process group of its own and be a subreaper, so that none of them hangs elsewhere.
 *  A whole process group gets the signal at one instant: those that fork in it meanwhile do not get
 *  away from SIGKILL. A process that leaves its group at that instant may: call again until none is
 *  left. */
void nas_descendants_signal(int signal_number);

#endif
