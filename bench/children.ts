/** Processes that a run has started and that must not outlive it, whatever happens. */
const pids = new Set<number>();

export function watchOver(pid: number | undefined): void {
  if (pid !== undefined) pids.add(pid);
}

export function isOver(pid: number | undefined): void {
  if (pid !== undefined) pids.delete(pid);
}

/** End those that are left. */
export function endChildren(): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
  pids.clear();
}
