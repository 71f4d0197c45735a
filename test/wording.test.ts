/**
 * No decision hangs on the wording of a message: errors have codes and kinds to decide by. What nodes, the library
 * that talks to them, and etcd say without one is looked at in three files, which make a kind of it, and in a fourth what
 * proxies tell each other of a node that was restarted, for which those of before know no field. (The demo's load generator, which
 * imports nothing of src, counts errors by their first word.)
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from './support/root.js';

const ALLOWED = new Set([
  'src/node/reply-errors.ts',
  'src/node/client.ts',
  'src/node/restarted.ts',
  'src/etcd/failure.ts',
  'compose/load/load.ts',
]);

/** What holds a text for people, by its name. */
const MESSAGE = String.raw`(?:\bmessageOf\([^()]*\)|\bdescribe\w*\([^()]*\)|\bString\((?:error|reason|failure)\)|\b(?:\w+\.)*(?:error|message|hint|why|reason|summary|detail)\b)`;
const DECISIONS = [
  new RegExp(String.raw`${MESSAGE}\??\.(?:includes|startsWith|endsWith|match|search|indexOf)\(`),
  new RegExp(String.raw`(?:/[a-z]*|[A-Z_]{3,}|\bpattern)\.(?:test|exec)\(${MESSAGE}`),
  new RegExp(String.raw`${MESSAGE} [!=]== ['"\`][^'"\`]* [^'"\`]*['"\`]`),
];

/** @returns the lines that decide by a message */
function decisions(text: string): string[] {
  return text.split('\n').filter((line) => DECISIONS.some((pattern) => pattern.test(line)));
}

describe('the wording of a message', () => {
  it.each([
    'if (/refused the connection/.test(messageOf(error))) break;',
    "if (reply.message.startsWith('BUSYKEY')) return;",
    "const hint = /password/i.test(why) ? 'a' : 'b';",
    "if (String(error).includes('unknown command')) return [];",
    'if (TURNS_AWAY.test(failure.message)) return true;',
    "return reason === 'it refused the connection';",
  ])('is found where it decides: %s', (line) => {
    expect(decisions(line)).toEqual([line]);
  });

  it.each([
    "if (error.code === 'STATE_DIR') return;",
    'const why = error.message;',
    "if (state.reason === '') return;",
  ])('is not where something else does: %s', (line) => {
    expect(decisions(line)).toEqual([]);
  });

  it('decides nothing', () => {
    const files = ['src', 'cli', 'compose'].flatMap((folder) =>
      readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
        .map((name) => join(folder, name))
        .filter((name) => name.endsWith('.ts') && !ALLOWED.has(name)),
    );
    const found = files.flatMap((file) =>
      decisions(readFileSync(join(ROOT, file), 'utf8')).map((line) => `${file}: ${line.trim()}`),
    );
    expect(found).toEqual([]);
  });
});
