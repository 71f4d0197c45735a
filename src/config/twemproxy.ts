/** Says what a nutcracker.yml says in ringproxy's configuration, so that every key stays where twemproxy puts it. */
import { stringify } from 'yaml';
import { RingproxyError } from '../errors.js';
import { readPool } from './twemproxy/directives.js';
import { readTwemproxyFile, refuse, type TwemproxyFile, type TwemproxyPool } from './twemproxy/file.js';

export interface ImportedConfig {
  readonly yaml: string;
  /** What the pool does that ringproxy does otherwise. */
  readonly warnings: readonly string[];
}

const FIRST_ADMIN_PORT = 6390;
const HINT = 'change these lines, then import it again';

/**
 * @param text the contents of nutcracker.yml
 * @param name which pool, when there are several
 * @param adminAddress where the admin API is served; by default each pool of the file has a port of its own, from 6390 on
 * @throws RingproxyError with the line and the reason of everything that stands in the way
 */
export function importTwemproxy(text: string, name?: string, adminAddress?: string): ImportedConfig {
  const file = readTwemproxyFile(text);
  const pool = choosePool(file, name);
  const { settings, warnings, notes, mistakes } = readPool(pool);
  if (mistakes.length > 0) refuse(`pool ${pool.name} cannot be imported`, mistakes, HINT);
  const port = adminPort(file, pool);
  const admin = adminAddress ?? (port === FIRST_ADMIN_PORT ? null : `127.0.0.1:${port}`);
  const strange = file.strange.map(({ line, message }) => `line ${line}: ${message}: left out`);
  const { listen, ...others } = settings;
  const config = { listen, ...(admin === null ? {} : { admin }), ...others };
  const told = [...strange, ...warnings];
  const comments = [`pool ${pool.name} of a nutcracker.yml`, ...told, ...notes].map((line) => `# ${printable(line)}\n`);
  // Lines are not folded: a long password would be hard to compare.
  return { yaml: comments.join('') + stringify(config, { lineWidth: 0 }), warnings: told };
}

function choosePool({ pools, strange }: TwemproxyFile, name: string | undefined): TwemproxyPool {
  if (pools.length === 0)
    refuse('the file is not a nutcracker.yml', strange, 'expected pools with listen, hash, servers …');
  const wanted = name === undefined && pools.length === 1 ? pools[0] : pools.find((pool) => pool.name === name);
  if (wanted !== undefined) return wanted;
  const what = name === undefined ? `the file has ${pools.length} pools` : `the file has no pool ${name}`;
  throw new RingproxyError('POOL', what, `choose one with --pool: ${pools.map((pool) => pool.name).join(', ')}`);
}

/**
 * Each pool becomes a proxy with an admin API: those of one file can run on one machine, whichever is imported when.
 * Ports that the file uses for something else are passed over.
 */
function adminPort({ pools }: TwemproxyFile, chosen: TwemproxyPool): number {
  const used = new Set<number>();
  for (const { directives, servers } of pools) {
    used.add(Number(/:(\d+)$/.exec(directives.get('listen')?.text ?? '')?.[1]));
    for (const { text } of servers) used.add(Number(/:(\d+):\d+(?: \S*)?$/.exec(text)?.[1]));
  }
  let port = FIRST_ADMIN_PORT - 1;
  for (const pool of pools) {
    do port++;
    while (used.has(port));
    if (pool === chosen) break;
  }
  return port;
}

/** A comment ends with its line. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e\u00a1-\uffff]/g, '?');
}
