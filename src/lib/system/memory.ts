import os from 'node:os';

export interface Memory {
  /** Bytes that this process may use at most. */
  bytes: number;
  from: 'machine' | 'cgroup';
}

/** The memory to size things by: the limit of the control group where it is below that of the machine. */
export function availableMemory(
  machine: number = os.totalmem(),
  constrained: number = process.constrainedMemory(),
): Memory {
  // Without a limit libuv reports 0, or a number far above any machine.
  return constrained > 0 && constrained < machine
    ? { bytes: constrained, from: 'cgroup' }
    : { bytes: machine, from: 'machine' };
}
