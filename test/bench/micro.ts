import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { markdown } from './report.js';
import { spread } from './statistics.js';

interface MicroBenchmark {
  readonly name: string;
  run(iterations: number): void;
}

const SAMPLES = 9;
const SAMPLE_NANOSECONDS = 100e6;

/** Runs what the files of `micro/` export as `benchmarks`. @returns a table in markdown */
export async function runMicroBenchmarks(): Promise<string> {
  const folder = fileURLToPath(new URL('micro/', import.meta.url));
  const rows: string[][] = [];
  for (const file of readdirSync(folder).sort()) {
    if (!file.endsWith('.js')) continue;
    const module: { benchmarks?: readonly MicroBenchmark[] } = await import(pathToFileURL(join(folder, file)).href);
    for (const benchmark of module.benchmarks ?? []) {
      const { median, min, max } = spread(measure(benchmark));
      rows.push([
        file.replace('.js', ''),
        benchmark.name,
        nanoseconds(median),
        `${nanoseconds(min)}–${nanoseconds(max)}`,
      ]);
    }
  }
  return markdown(['part', 'operation', 'ns', 'min–max'], rows);
}

/** @returns nanoseconds an iteration, one figure a sample */
function measure(benchmark: MicroBenchmark): number[] {
  let iterations = 1;
  while (time(benchmark, iterations) < SAMPLE_NANOSECONDS / 2) iterations *= 2;
  return Array.from({ length: SAMPLES }, () => time(benchmark, iterations) / iterations);
}

function time(benchmark: MicroBenchmark, iterations: number): number {
  const start = process.hrtime.bigint();
  benchmark.run(iterations);
  return Number(process.hrtime.bigint() - start);
}

function nanoseconds(value: number): string {
  return value < 100 ? value.toFixed(1) : value.toFixed(0);
}
