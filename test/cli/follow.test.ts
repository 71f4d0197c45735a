import { describe, expect, it } from 'vitest';
import { describeProgress } from '../../cli/follow.js';
import type { ChangeView, HistoryEntry } from '../../src/admin/api.js';
import { changeView, historyEntry, proxyView, ringView, startAdmin } from './fake-admin.js';
import { type Outcome, ringproxy } from './run.js';

const BOOTSTRAP = historyEntry({ id: 'b', kind: 'bootstrap', generation: 1, summary: 'ring of a', keysMoved: 0 });

/** `ring add` against an API whose change and history go through these states, one a question. */
async function add(changes: (ChangeView | null)[], histories: HistoryEntry[][], ...flags: string[]): Promise<Outcome> {
  const next = <T>(queue: T[]): T | undefined => (queue.length > 1 ? queue.shift() : queue[0]);
  const admin = await startAdmin((server) => {
    server.post('/v1/ring/changes', () => ({
      generation: 2,
      dryRun: false,
      warnings: ['mind the gap'],
      moves: [],
      survey: null,
    }));
    server.get('/v1/ring', () => ringView({ change: next(changes) ?? null }));
    server.get('/v1/ring/history', () => next(histories) ?? []);
  });
  return ringproxy(['ring', 'add', 'b=127.0.0.1:7002', ...flags], { RINGPROXY_ADMIN: admin });
}

it('the line on a running change says what keeps it slow', () => {
  expect(describeProgress(changeView({ throttle: 1500 }))).toContain('keys/s, throttled to 1,500 keys/s');
  expect(describeProgress(changeView())).not.toContain('throttled');
});

it('the line on a running change fits a terminal of 80 columns', () => {
  const startedAt = new Date(Date.now() - 100_000).toISOString();
  const change = { startedAt, keysMoved: 1_234_567, etaSeconds: 3_723, percent: 33.3 };
  expect(describeProgress(changeView(change), 79).length).toBeLessThanOrEqual(79);
  // Nothing goes faster or slower while it is paused.
  expect(describeProgress(changeView({ ...change, paused: true }))).not.toContain('keys/s');
  expect(describeProgress(changeView({ ...change, keysMoved: 1 }))).toContain('1 key moved');
});

describe('waiting for a change', () => {
  it('says what came of it', async () => {
    const { code, out } = await add([changeView(), null], [[BOOTSTRAP, historyEntry()]]);
    expect(out).toMatch(/^on the way to generation 2\n[\s\S]*warning: mind the gap\n/);
    expect(out).toMatch(/done: add b; generation 2, 1,000 keys moved in 2\.0 s\n$/);
    expect(code).toBe(0);
  });

  // Symptom: 'done: ring of a'. Cause: a change is over a moment before the history has it.
  it('waits until it is in the history', async () => {
    const { code, out } = await add([null], [[BOOTSTRAP], [BOOTSTRAP], [BOOTSTRAP, historyEntry()]]);
    expect(out).toContain('done: add b; generation 2');
    expect(out).not.toContain('ring of a');
    expect(code).toBe(0);
  });

  it('fails when somebody cancels it', async () => {
    const entry = historyEntry({ kind: 'cancel', generation: 3, summary: 'cancelled: add b' });
    expect(await add([changeView(), null], [[BOOTSTRAP, entry]])).toMatchObject({
      code: 1,
      err: 'ringproxy: cancelled: add b\n  everything is back where it was: ringproxy ring history\n',
    });
  });

  it('fails when the change pauses because of a failure, and says how it goes on', async () => {
    expect(await add([changeView({ paused: true, error: 'b is out of memory' })], [[]])).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^ringproxy: b is out of memory\n.*ringproxy ring resume.*ringproxy ring cancel\n$/),
    });
  });

  // Any proxy of the ring brings the change to its end: whoever waits for it does not wait for one that is dead.
  it('goes on at another proxy when the one that was called dies', async () => {
    const other = await startAdmin((server) => {
      server.get('/v1/ring', () => ringView({ generation: 2 }));
      server.get('/v1/ring/history', () => [BOOTSTRAP, historyEntry()]);
    });
    const proxies = [
      proxyView(),
      proxyView({ id: 'gone', admin: 'http://127.0.0.1:1' }),
      proxyView({ id: 'b2', admin: other }),
    ];
    let asked = 0;
    const admin = await startAdmin((server) => {
      server.post('/v1/ring/changes', () => ({ generation: 2, dryRun: false, warnings: [], moves: [], survey: null }));
      server.get('/v1/ring', (request, reply) => {
        if (++asked === 1) return ringView({ change: changeView(), proxies });
        request.raw.socket.destroy();
        return reply.hijack();
      });
    });
    const { code, out, err } = await ringproxy(['ring', 'add', 'b=127.0.0.1:7002'], { RINGPROXY_ADMIN: admin });
    expect(err).toBe(`the proxy does not answer any more; the change goes on, as ${other} shows it\n`);
    expect(out).toMatch(/done: add b; generation 2, 1,000 keys moved/);
    expect(code).toBe(0);
  });

  it('prints JSON alone with --json', async () => {
    const { code, out } = await add([null], [[historyEntry()]], '--json');
    expect(JSON.parse(out)).toEqual({
      generation: 2,
      dryRun: false,
      warnings: ['mind the gap'],
      moves: [],
      survey: null,
    });
    expect(code).toBe(0);
  });
});
