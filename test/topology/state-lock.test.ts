import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { StateLock } from '../../src/topology/state-lock.js';
import { startChild } from '../support/child.js';
import { atEnd } from '../support/cleanup.js';
import { RawClient } from '../support/raw-client.js';
import { startRedis } from '../support/redis-process.js';
import { MAIN, startRingproxy } from '../support/ringproxy-process.js';
import { tempFolder } from '../support/temp-folder.js';

/** Above the largest process id that Linux gives. */
const NOBODY = 4_194_305;

describe('the lock of a state directory', () => {
  it('is one process’ own until it is released', async () => {
    const folder = tempFolder('state');
    const first = new StateLock(folder);
    await first.take();
    const held = readFileSync(join(folder, 'lock'), 'utf8');
    await expect(new StateLock(folder).take()).rejects.toMatchObject({ code: 'STATE_LOCKED' });
    expect(readFileSync(join(folder, 'lock'), 'utf8')).toBe(held);
    await first.release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it.each([
    ['a process that is gone', `${NOBODY} boot 17\n`],
    ['a process that is gone, as earlier versions wrote it', String(NOBODY)],
    ['a process whose id another one has now', `${process.ppid} boot 17\n`],
    ['this process’ id in an earlier life of its container', `${process.pid} boot 17\n`],
    ['nobody, since the disk was full', ''],
  ])('is taken over from %s', async (_who, text) => {
    const folder = tempFolder('state');
    writeFileSync(join(folder, 'lock'), text);
    const lock = new StateLock(folder);
    await lock.take();
    expect(readFileSync(join(folder, 'lock'), 'utf8')).toMatch(new RegExp(`^${process.pid} `));
    expect(readdirSync(folder)).toEqual(['lock']);
    await lock.release();
  });

  it('stays with a living process that wrote only its id', async () => {
    const folder = tempFolder('state');
    writeFileSync(join(folder, 'lock'), String(process.ppid));
    await expect(new StateLock(folder).take()).rejects.toMatchObject({ code: 'STATE_LOCKED' });
  });

  it('of a process that was killed goes to exactly one of those that start at the same instant', {
    timeout: 60_000,
  }, async () => {
    const node = await startRedis();
    const folder = tempFolder('state');
    for (let round = 0; round < 30; round++) {
      writeFileSync(join(folder, 'lock'), `${NOBODY} boot 17\n`);
      const locks = Array.from({ length: 20 }, () => new StateLock(folder));
      // At the same instant, but for a few turns of the event loop: so they meet in every state of the take-over.
      const taken = await Promise.allSettled(
        locks.map(async (lock, i) => {
          for (let turn = 0; turn < (i * (round + 1)) % 60; turn++) await new Promise(setImmediate);
          await lock.take();
        }),
      );
      expect(taken.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      for (const lock of locks) await lock.release();
    }
    writeFileSync(join(folder, 'lock'), `${NOBODY} boot 17\n`);
    const args = ['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', '--state-dir', folder];
    const starts = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const child = await startChild(process.execPath, [MAIN, 'serve', '--node', `a=${node.address}`, ...args]);
        atEnd(() => child.kill());
        const ready = child
          .line((line) => (line.startsWith('{"event":"ready"') ? 'ready' : null))
          .catch(() => 'refused');
        return { child, end: await ready };
      }),
    );
    expect(starts.map(({ end }) => end).sort()).toEqual(['ready', 'refused', 'refused', 'refused']);
    for (const { child, end } of starts) {
      if (end === 'refused') expect(child.stderr.join('\n')).toMatch(/is in use by the process \d+/);
    }
  });

  it('of a proxy that was killed does not keep the next one from starting', async () => {
    const node = await startRedis();
    const folder = tempFolder('state');
    const first = await startRingproxy({ nodes: [node], args: ['--state-dir', folder] });
    first.kill('SIGKILL');
    const second = await startRingproxy({ nodes: [node], args: ['--state-dir', folder] });
    expect(await (await RawClient.connect(second.port)).text('PING')).toBe('+PONG\r\n');
  });
});
