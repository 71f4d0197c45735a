/**
 * Runs the load until it is told to stop; every ten seconds one line of JSON with what these ten seconds brought, and
 * a last one with all counts.
 */
import { Load } from './load.js';
import { optionsFrom } from './options.js';

const REPORT_MS = 10_000;

const options = optionsFrom(process.env);
const load = new Load(options);
load.start();
const { ca: _ca, password: _password, ...shown } = options;
console.log(JSON.stringify({ event: 'started', ...shown }));

const total = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((a, b) => a + b, 0);

/** How often each kind of error came since it was told last. */
function newErrors(): Record<string, number> {
  const { errors } = load.counts;
  const entries = Object.entries(errors).map(([kind, count]): [string, number] => [kind, count - (told[kind] ?? 0)]);
  told = { ...errors };
  return Object.fromEntries(entries.filter(([, count]) => count > 0));
}

let told: Readonly<Record<string, number>> = {};
let before = { at: performance.now(), commands: 0, errors: 0, hits: 0, misses: 0, wrong: 0, lost: 0, stale: 0 };
const timer = setInterval(() => {
  const { counts } = load;
  const now = {
    at: performance.now(),
    commands: total(counts.commands),
    errors: total(counts.errors),
    hits: counts.hits,
    misses: counts.misses,
    wrong: counts.wrong,
    lost: counts.lost,
    stale: counts.stale,
  };
  const reads = now.hits + now.misses - before.hits - before.misses;
  console.log(
    JSON.stringify({
      event: 'report',
      commandsPerSecond: Math.round(((now.commands - before.commands) * 1000) / (now.at - before.at)),
      hitRatio: reads === 0 ? null : Number(((now.hits - before.hits) / reads).toFixed(3)),
      ...(now.errors === before.errors ? {} : { kinds: newErrors() }),
      ...(options.versions === 0 ? {} : { stale: now.stale - before.stale }),
      errors: now.errors - before.errors,
      wrong: now.wrong - before.wrong,
      lost: now.lost - before.lost,
    }),
  );
  before = now;
}, REPORT_MS);

async function end(): Promise<void> {
  clearInterval(timer);
  await load.stop();
  console.log(JSON.stringify({ event: 'total', ...load.counts }));
  const { acknowledged, checked, missing } = load.versions;
  if (options.versions === 0) return;
  const count = (number: number): string => number.toLocaleString('en');
  console.log(
    `${count(load.counts.stale)} stale reads, ${count(acknowledged)} acknowledged writes checked (${count(checked)} reads, of which ${count(missing)} found nothing)`,
  );
}
process.once('SIGTERM', end);
process.once('SIGINT', end);
