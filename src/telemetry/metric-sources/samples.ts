/** The shapes that metrics come in. */
import type { MetricSource, Sample } from '../metrics.js';

export function counter(name: string, help: string, read: () => Sample[]): MetricSource {
  return { name, help, type: 'counter', read };
}

export function gauge(name: string, help: string, read: () => Sample[]): MetricSource {
  return { name, help, type: 'gauge', read };
}

/** The only sample of a metric without labels. */
export function one(value: number): Sample[] {
  return [{ labels: {}, value }];
}

/** Of so many calls, some of which were errors. */
export function outcomes(labels: Readonly<Record<string, string>>, calls: number, errors: number): Sample[] {
  return [
    { labels: { ...labels, outcome: 'ok' }, value: calls - errors },
    { labels: { ...labels, outcome: 'error' }, value: errors },
  ];
}

export function add(a: number, b: number): number {
  return a + b;
}

/** @returns one sample a node's name, of the values of that name joined */
export function joinedByNode(values: (readonly [string, number])[], join: (a: number, b: number) => number): Sample[] {
  const joined = new Map<string, number>();
  for (const [name, value] of values) {
    const before = joined.get(name);
    joined.set(name, before === undefined ? value : join(before, value));
  }
  return [...joined].map(([node, value]) => ({ labels: { node }, value }));
}
