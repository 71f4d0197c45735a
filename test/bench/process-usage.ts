import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

/** Microseconds of processor time. */
export interface ProcessorTime {
  readonly total: number;
  /** Of it, what the process itself took, and what the kernel took for it. */
  readonly user: number;
  readonly system: number;
}

/** What each of so many commands took of that time. */
export function timePerCommand(
  { microseconds, userTicks, systemTicks }: Readonly<UsedTime>,
  commands: number,
): ProcessorTime {
  const total = microseconds / commands;
  const ticks = userTicks + systemTicks;
  const userPart = ticks === 0 ? Number.NaN : userTicks / ticks;
  return { total, user: total * userPart, system: total * (1 - userPart) };
}

/** What was used between the two. */
export function usedBeyond(before: Readonly<UsedTime>, then: Readonly<UsedTime>): UsedTime {
  return {
    microseconds: then.microseconds - before.microseconds,
    userTicks: then.userTicks - before.userTicks,
    systemTicks: then.systemTicks - before.systemTicks,
  };
}

export interface UsedTime {
  microseconds: number;
  /** Ticks of 10 ms: they tell how the time is shared between the two, not how much it is. */
  userTicks: number;
  systemTicks: number;
}

/** What a process and its children have used so far; Linux only. */
export function usedTime(pid: number): UsedTime {
  const used = { microseconds: processorTime(pid), userTicks: 0, systemTicks: 0 };
  for (const id of [pid, ...childrenOf(pid)]) {
    // The program's name, which may hold spaces, ends with the last parenthesis; behind it the third field comes.
    const fields = readFileSync(`/proc/${id}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    used.userTicks += Number(fields[11]);
    used.systemTicks += Number(fields[12]);
  }
  return used;
}

/** Microseconds of processor time that the threads of a process and its children have used; Linux only. */
export function processorTime(pid: number): number {
  let nanoseconds = 0;
  for (const id of [pid, ...childrenOf(pid)]) {
    for (const task of readdirSync(`/proc/${id}/task`)) {
      // The first field: the ticks of `stat` are of 10 ms, too coarse for a quarter of a second.
      nanoseconds += Number(readFileSync(`/proc/${id}/task/${task}/schedstat`, 'utf8').split(' ', 1)[0]);
    }
  }
  return nanoseconds / 1000;
}

/** Bytes of resident memory of a process and its children. */
export function residentMemory(pid: number): number {
  return [pid, ...childrenOf(pid)].reduce((sum, id) => sum + statusField(id, 'VmRSS'), 0);
}

/** Makes `peakMemory` count from now on. */
export function resetPeakMemory(pid: number): void {
  for (const id of [pid, ...childrenOf(pid)]) writeFileSync(`/proc/${id}/clear_refs`, '5');
}

/** The most bytes of resident memory since `resetPeakMemory`. */
export function peakMemory(pid: number): number {
  return [pid, ...childrenOf(pid)].reduce((sum, id) => sum + statusField(id, 'VmHWM'), 0);
}

function statusField(pid: number, field: string): number {
  const line = readFileSync(`/proc/${pid}/status`, 'utf8')
    .split('\n')
    .find((candidate) => candidate.startsWith(`${field}:`));
  return Number(/\d+/.exec(line ?? '')?.[0] ?? 0) * 1024;
}

function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) => {
    try {
      return readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
    } catch {
      // The thread has ended, or the kernel does not tell.
      return [];
    }
  });
}
