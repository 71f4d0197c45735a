/** Prints the table of `src/docs/ring.md`: how much more than the mean the fullest of ten equal nodes holds. */
import { randomUUID } from 'node:crypto';
import { buildRingSync } from '../../src/ring/build.js';
import { DEFAULT_RING_OPTIONS } from '../../src/ring/ring.js';

const NODES = 10;
const KEYS = 1_000_000;

const names: Readonly<Record<string, (i: number) => string>> = {
  'node1 … node10': (i) => `node${i + 1}`,
  'a … j': (i) => String.fromCharCode(97 + i),
  '10.0.0.1:6379 …': (i) => `10.0.0.${i + 1}:6379`,
};
const keys: readonly ((i: number) => string)[] = [
  (i) => `user:${i + 1}`,
  () => randomUUID(),
  () => String(1e9 + Math.floor(Math.random() * 9e9)),
];

/** The worst of the three sets of keys. */
function fullest(name: (i: number) => string, vnodes: number): number {
  const nodes = Array.from({ length: NODES }, (_, i) => ({ name: name(i), address: name(i), weight: 1 }));
  const ring = buildRingSync(nodes, { ...DEFAULT_RING_OPTIONS, vnodes });
  let worst = 0;
  for (const key of keys) {
    const counts = new Float64Array(NODES);
    for (let i = 0; i < KEYS; i++) {
      const bytes = Buffer.from(key(i));
      (counts[ring.ownerOf(bytes, 0, bytes.length)] as number)++;
    }
    worst = Math.max(worst, Math.max(...counts) / (KEYS / NODES));
  }
  return worst;
}

process.stdout.write(`| vnodes | ${Object.keys(names).join(' | ')} |\n|---|---|---|---|\n`);
for (const vnodes of [160, 1024, 2048, 4096]) {
  const row = Object.values(names).map((name) => fullest(name, vnodes).toFixed(2));
  process.stdout.write(`| ${vnodes} | ${row.join(' | ')} |\n`);
}
