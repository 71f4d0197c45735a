/**
 * The real nutcracker is the referee: what `nutcracker -t` accepts becomes a configuration that `serve` accepts, or is
 * refused with the line and one of the known reasons.
 *
 * Before, a password of digits lost its zeros, Unix sockets were refused, and weights, timeouts and numbers of
 * connections that `serve` does not take were passed on to it.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.js';
import type { Config } from '../../src/config/settings.js';
import { importTwemproxy } from '../../src/config/twemproxy.js';
import { RingproxyError } from '../../src/errors.js';
import { hasNutcracker } from '../support/nutcracker-process.js';
import { requireProgram } from '../support/programs.js';
import { tempFolder } from '../support/temp-folder.js';
import { DIRECTIVE_LINES, LISTENS, REALISTIC, SERVERS } from './nutcracker-samples.js';

/** What nutcracker accepts and ringproxy cannot keep as it is. */
const GOOD_REASONS = [
  /^the distribution random sends each command to any server/,
  /is not one for a node \(1 to 512 visible ASCII characters\)/,
  /twemproxy makes the server's points of an empty name/,
  /is more than 1000000: divide all weights/,
  /is too large: twemproxy reads another number/,
  /is the server '.*', too: a node is in a ring once/,
  /does not consist of two visible ASCII characters/,
  /is not an address that can be connected to/,
  /: it has no host$/,
  /^redis_db 99999: ringproxy has at most 1024 databases/,
];

function isAccepted(file: string, text: string): boolean {
  writeFileSync(file, text);
  const { status } = spawnSync(requireProgram('nutcracker'), ['-t', '-c', file, '-o', `${file}.log`]);
  return status === 0;
}

type Import = { readonly config: Config; readonly yaml: string } | { readonly refusal: string };

function tryImport(folder: string, text: string, pool?: string): Import {
  try {
    const { yaml } = importTwemproxy(text, pool);
    const file = join(folder, 'ringproxy.yaml');
    writeFileSync(file, yaml);
    return { config: loadConfig({ file }), yaml };
  } catch (error) {
    if (error instanceof RingproxyError) return { refusal: error.message };
    throw error;
  }
}

/** Each line of the refusal names a line, and a reason that is a good one. */
function isGood(refusal: string): boolean {
  const [, ...lines] = refusal.split('\n');
  return (
    lines.length > 0 &&
    lines.every((line) => {
      const reason = /^ {2}line \d+: (.*)$/s.exec(line)?.[1];
      return reason !== undefined && GOOD_REASONS.some((good) => good.test(reason));
    })
  );
}

/** A pool with a handful of directives and servers, written in one of several styles. */
const files = fc
  .record({
    listen: fc.constantFrom(...LISTENS.slice(0, 8), ...LISTENS),
    redis: fc.constantFrom('true', 'true', 'true', 'false', null),
    directives: fc.uniqueArray(
      fc
        .constantFrom(...Object.keys(DIRECTIVE_LINES))
        .chain((name) => fc.tuple(fc.constant(name), fc.constantFrom(...(DIRECTIVE_LINES[name] ?? [])))),
      { maxLength: 4, selector: ([name]) => name },
    ),
    servers: fc.uniqueArray(fc.constantFrom(...SERVERS.slice(0, 3), ...SERVERS), { minLength: 1, maxLength: 4 }),
    style: fc.constantFrom('plain', 'plain', 'crlf', 'tab', 'comments', 'bom', 'start', 'flat list'),
  })
  .map(({ listen, redis, directives, servers, style }) => {
    const lines = [
      'pool:',
      `  listen: ${listen}`,
      ...(redis === null ? [] : [`  redis: ${redis}`]),
      ...directives.map(([name, value]) => `  ${name}: ${value}`),
      '  servers:',
      ...servers.map((server) => `${style === 'flat list' ? '' : ' '}  - ${server}`),
    ];
    if (style === 'comments') return `# a file\n${lines.join('\n# between\n')}\n`;
    const text = `${lines.join(style === 'crlf' ? '\r\n' : '\n')}\n`;
    if (style === 'tab') return text.replace('redis: ', 'redis:\t');
    if (style === 'start') return `---\n${text}`;
    return style === 'bom' ? `\ufeff${text}` : text;
  });

describe.runIf(hasNutcracker)('what nutcracker accepts', () => {
  it('becomes a configuration that is valid, or is refused with the line and a good reason', {
    timeout: 180_000,
  }, () => {
    const folder = tempFolder('corpus');
    const file = join(folder, 'nutcracker.yml');
    let imported = 0;
    fc.assert(
      fc.property(files, (text) => {
        if (!isAccepted(file, text)) return;
        const result = tryImport(folder, text);
        if ('refusal' in result) expect(result.refusal, text).toSatisfy(isGood);
        else imported++;
      }),
      { numRuns: 1500 },
    );
    // So that the property is not one of refusals alone.
    expect(imported).toBeGreaterThan(100);
  });

  it.each(singleCases())('is taken up with %s', (_name, text) => {
    const folder = tempFolder('corpus');
    const accepted = isAccepted(join(folder, 'nutcracker.yml'), text);
    const result = tryImport(folder, text);
    if (accepted && 'refusal' in result) expect(result.refusal).toSatisfy(isGood);
    // What nutcracker refuses is refused here with a line, too; a few things may be taken that it does not.
    if (!accepted && 'refusal' in result) expect(result.refusal).toMatch(/\n {2}line \d+: /);
  });

  it.each(Object.entries(REALISTIC))('is imported pool by pool: %s', (_name, text) => {
    const folder = tempFolder('corpus');
    expect(isAccepted(join(folder, 'nutcracker.yml'), text)).toBe(true);
    const pools = [...text.matchAll(/^(\S+):$/gm)].map((match) => match[1] ?? '');
    const admins = new Set<string>();
    for (const pool of pools) {
      const result = tryImport(folder, text, pool);
      if ('refusal' in result) throw new Error(result.refusal);
      admins.add(result.config.admin);
    }
    expect(admins.size).toBe(pools.length);
  });
});

/** Each value of each directive, and each server, alone. */
function singleCases(): [string, string][] {
  const pool = (directive: string, server: string): string =>
    `pool:\n  listen: 127.0.0.1:22121\n  redis: true\n${directive}  servers:\n   - ${server}\n   - 127.0.0.1:7000:1\n`;
  return [
    ...Object.entries(DIRECTIVE_LINES).flatMap(([name, values]) =>
      values.map((value): [string, string] => [`${name}: ${value}`, pool(`  ${name}: ${value}\n`, '127.0.0.1:7001:1')]),
    ),
    ...SERVERS.map((server): [string, string] => [server.slice(0, 80), pool('', server)]),
  ];
}
