/** SLOWLOG and LATENCY over all nodes: what happened last comes first, or what happened first, as each command has it. */

import { headerNumber, lineEnd, replyEnd } from '../../../resp/whole-reply.js';
import type { Group, Merger } from './group.js';
import type { Scratch } from './scratch.js';

const MINUS = 0x2d;
/** What SLOWLOG GET gives without a count. */
const USUAL_COUNT = 10;

interface Entry {
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
  /** Seconds since 1970. */
  readonly time: number;
}

/** @param timeAt which element of an entry is its time, from 0 on */
function entriesOf(group: Group, timeAt: number): Entry[] {
  const entries: Entry[] = [];
  for (const { held, heldStart, heldEnd } of group.parts) {
    if (held === null) continue;
    const { buffer } = held;
    const count = headerNumber(buffer, heldStart);
    let at = lineEnd(buffer, heldStart);
    for (let i = 0; i < count; i++) {
      const end = replyEnd(buffer, at, heldEnd);
      if (end < 0) break;
      let element = lineEnd(buffer, at);
      for (let skipped = 0; skipped < timeAt; skipped++) element = replyEnd(buffer, element, end);
      entries.push({ buffer, start: at, end, time: headerNumber(buffer, element) });
      at = end;
    }
  }
  return entries;
}

function write(out: Scratch, entries: readonly Entry[]): void {
  out.arrayHeader(entries.length);
  for (const { buffer, start, end } of entries) out.append(buffer, start, end);
}

/** SLOWLOG GET: the latest of all nodes. @param word the count that was asked for; -1: all; undefined: none was */
export function slowlogMerger(word: string | undefined): Merger {
  const count = word === undefined ? USUAL_COUNT : Number(word);
  return (group, out) => {
    const entries = entriesOf(group, 1).sort((a, b) => b.time - a.time);
    write(out, count < 0 ? entries : entries.slice(0, count));
  };
}

/** LATENCY HISTORY: in the order in which it happened; of one second the worst, as a Redis keeps it of itself. */
export const mergeHistory: Merger = (group, out) => {
  const worst = new Map<number, number>();
  for (const { buffer, start, time } of entriesOf(group, 0)) {
    const latency = headerNumber(buffer, lineEnd(buffer, lineEnd(buffer, start)));
    worst.set(time, Math.max(latency, worst.get(time) ?? 0));
  }
  const entries = [...worst].sort(([a], [b]) => a - b);
  out.arrayHeader(entries.length);
  for (const entry of entries) {
    out.arrayHeader(entry.length);
    for (const value of entry) out.integer(value);
  }
};

/** LATENCY LATEST: for each event the latest of all nodes, with the worst of all nodes. */
export const mergeLatest: Merger = (group, out) => {
  const events = new Map<string, { time: number; latest: number; worst: number }>();
  for (const { buffer, start, time } of entriesOf(group, 1)) {
    const name = lineEnd(buffer, start);
    const at = lineEnd(buffer, lineEnd(buffer, name));
    const event = buffer.toString('latin1', lineEnd(buffer, name), at - 2);
    const latestAt = lineEnd(buffer, at);
    const latest = headerNumber(buffer, latestAt);
    const worst = headerNumber(buffer, lineEnd(buffer, latestAt));
    const known = events.get(event);
    const isNewer = known === undefined || time > known.time;
    events.set(event, {
      time: isNewer ? time : known.time,
      latest: isNewer ? latest : known.latest,
      worst: Math.max(worst, known?.worst ?? 0),
    });
  }
  out.arrayHeader(events.size);
  for (const [event, { time, latest, worst }] of events) {
    out.arrayHeader(4);
    out.bulkHeader(event.length);
    out.text(`${event}\r\n`);
    for (const value of [time, latest, worst]) out.integer(value);
  }
};

/** The least of the nodes' integers (LASTSAVE: up to then every node has saved). */
export const mergeEarliest: Merger = (group, out) => {
  let least = Number.POSITIVE_INFINITY;
  for (const { held, heldStart } of group.parts) {
    if (held !== null && held.buffer[heldStart + 1] !== MINUS)
      least = Math.min(least, headerNumber(held.buffer, heldStart));
  }
  out.integer(least);
};
