import type { Sample } from './rounds.js';
import type { Scenario } from './scenarios.js';
import { type Spread, spread } from './statistics.js';

/** A line of results, and whether it is above the bar: null where there is none. */
export interface Row {
  readonly cells: readonly string[];
  readonly passed: boolean | null;
}

export function throughputHeader(subject: string, reference: string, others: readonly string[]): string[] {
  return [
    'scenario',
    'P',
    `${subject} cmd/s`,
    `${reference} cmd/s`,
    ...others.map((name) => `${name} cmd/s`),
    'ratio (min–max)',
    'bar',
    'CPU µs/cmd',
    'p99 ms',
    'p99 ratio (min–max)',
    '',
  ];
}

/** Compares two targets round by round: the ratio's median counts, its spread says how much to trust it. */
export function throughputRow(
  scenario: Scenario,
  subject: readonly Sample[],
  reference: readonly Sample[],
  others: readonly (readonly Sample[])[],
): Row {
  const rate = (samples: readonly Sample[]) => count(spread(samples.map((sample) => sample.rate)).median);
  const pair = (pick: (sample: Sample) => number, digits: number) =>
    [subject, reference].map((samples) => spread(samples.map(pick)).median.toFixed(digits)).join(' / ');
  const rates = ratios(subject, reference, (sample) => sample.rate);
  const latencies = ratios(subject, reference, (sample) => sample.p99);
  const { bar } = scenario;
  const passed = bar === null ? null : rates.median >= bar.rate && latencies.median <= bar.p99;
  return {
    passed,
    cells: [
      scenario.name,
      String(scenario.load.depth),
      rate(subject),
      rate(reference),
      ...others.map(rate),
      withSpread(rates),
      bar === null ? '' : `${bar.rate} ×`,
      pair((sample) => sample.processor.total, 2),
      pair((sample) => sample.p99, 2),
      withSpread(latencies),
      verdict(passed),
    ],
  };
}

/** @param spread parts of one */
export function percent({ median, min, max }: Spread): string {
  const [m, least, most] = [median, min, max].map((value) => (value * 100).toFixed(1));
  return `**${m} %** (${least}–${most})`;
}

export function verdict(passed: boolean | null): string {
  if (passed === null) return '';
  return passed ? 'ok' : 'MISSED';
}

export function megabytes(bytes: number): string {
  return `${(bytes / (1 << 20)).toFixed(1)} MB`;
}

export function markdown(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}

/** The subject's figure in parts of the reference's, round by round. */
export function ratios(
  subject: readonly Sample[],
  reference: readonly Sample[],
  pick: (sample: Sample) => number,
): Spread {
  return spread(
    subject.map((sample, round) => {
      const other = reference[round];
      return other === undefined ? Number.NaN : pick(sample) / pick(other);
    }),
  );
}

export function withSpread(ratio: Spread): string {
  return `**${ratio.median.toFixed(2)}** (${ratio.min.toFixed(2)}–${ratio.max.toFixed(2)})`;
}

export function count(value: number): string {
  return `${(value / 1000).toFixed(value < 100_000 ? 1 : 0)} k`;
}
