/** The audit log on disk: what is answered is kept, and it takes no more than its bound. */
import { appendFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { AuditEntry } from '../../../src/admin/api.js';
import { Audit } from '../../../src/admin/audit/audit.js';
import { AuditFile } from '../../../src/admin/audit/audit-file.js';
import { tempFolder } from '../../support/temp-folder.js';
import { serveAdmin } from '../serve-admin.js';

function entry(path: string): AuditEntry {
  const caller = { who: 'ann', role: 'admin', address: '127.0.0.1', client: null } as const;
  const what = { method: 'POST', path, body: null, dryRun: false, outcome: 'done', status: 200, code: null } as const;
  return { at: '2026-01-01T00:00:00.000Z', proxy: 'p', ...caller, ...what, unlisted: 0 };
}

function pathsOf(entries: readonly AuditEntry[]): string[] {
  return entries.map(({ path }) => path);
}

describe('the file of the audit log', () => {
  it('has what was appended, in order, for its owner alone', async () => {
    const path = join(tempFolder('audit'), 'audit.jsonl');
    const file = new AuditFile(path);
    expect(await file.load(10)).toEqual([]);
    await Promise.all(['a', 'b', 'c'].map((name) => file.append(entry(name))));
    await file.close();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(pathsOf(await new AuditFile(path).load(10))).toEqual(['a', 'b', 'c']);
    expect(pathsOf(await new AuditFile(path).load(2))).toEqual(['b', 'c']);
  });

  // Whoever is killed in the middle of a line leaves it without an end: the next one would be lost with it.
  it('goes on behind a line that was cut, and leaves out what is no entry', async () => {
    const path = join(tempFolder('audit'), 'audit.jsonl');
    writeFileSync(path, `${JSON.stringify(entry('a'))}\nnull\n[]\n{"at":"cut off`);
    const file = new AuditFile(path);
    await file.append(entry('b'));
    await file.close();
    expect(pathsOf(await new AuditFile(path).load(10))).toEqual(['a', 'b']);
  });

  it('begins anew when it is full, and keeps one of before', async () => {
    const path = join(tempFolder('audit'), 'audit.jsonl');
    const bound = JSON.stringify(entry('n00')).length * 10;
    const file = new AuditFile(path, bound);
    for (let i = 10; i < 75; i++) await file.append(entry(`n${i}`));
    await file.close();
    const kept = pathsOf(await new AuditFile(path).load(100));
    expect(kept.at(-1)).toBe('n74');
    expect(kept).toEqual(Array.from({ length: kept.length }, (_, i) => `n${75 - kept.length + i}`));
    expect(kept.length).toBeGreaterThanOrEqual(10);
    expect(readFileSync(path).length + readFileSync(`${path}.1`).length).toBeLessThan(bound * 2.5);
    // Also of one that was full before.
    appendFileSync(path, `${'x'.repeat(bound)}\n`);
    const next = new AuditFile(path, bound);
    await next.append(entry('first'));
    await next.append(entry('second'));
    await next.close();
    expect(statSync(path).size).toBeLessThan(bound);
  });
});

it('whoever cannot write it is answered, and that is told once', async () => {
  const warned: string[] = [];
  let isFull = true;
  const appended: string[] = [];
  const keep = {
    load: async () => [entry('before')],
    append: async ({ path }: AuditEntry) => {
      if (isFull) throw new Error('ENOSPC: no space left on device');
      appended.push(path);
    },
    close: async () => {},
  };
  const audit = new Audit({
    proxy: () => 'p',
    keep,
    log: () => {},
    warn: (message) => warned.push(message),
    now: () => 0,
  });
  await audit.open();
  const { url } = await serveAdmin({ audit });
  const pause = async (): Promise<number> =>
    (await fetch(`${url}/v1/ring/changes/current/pause`, { method: 'POST' })).status;
  expect([await pause(), await pause()]).toEqual([200, 200]);
  isFull = false;
  expect(await pause()).toBe(200);
  expect(warned).toEqual([
    'the audit log cannot be written, and is kept in memory alone: ENOSPC: no space left on device',
    'the audit log can be written again',
  ]);
  expect(appended).toHaveLength(1);
  expect(pathsOf(audit.newest(10))).toEqual(['before', ...Array(3).fill('/v1/ring/changes/current/pause')]);
});
