import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** Microseconds of processor time (user and system) that a process and its children have used; Linux only. */
export function processorTime(pid: number): number {
  let ticks = 0;
  for (const id of [pid, ...childrenOf(pid)]) {
    // Behind the name in parentheses, which may contain anything: utime and stime are fields 14 and 15.
    const stat = readFileSync(`/proc/${id}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return (ticks / TICKS_PER_SECOND) * 1e6;
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
