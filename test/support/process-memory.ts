import { readFileSync } from 'node:fs';

/** Megabytes of resident memory of a process: what it has now, or the most that it ever had. Linux only. */
export function megabytes(pid: number, what: 'now' | 'peak'): number {
  const field = what === 'now' ? 'VmRSS' : 'VmHWM';
  const kilobytes = new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) / 1024;
}
