/** How the program ends: what programs read, what a full disk holds, what Ctrl-C leaves. */
import { execFile } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { MAIN } from '../support/ringproxy-process.js';
import { changeView, ringView, startAdmin } from './fake-admin.js';
import { ringproxy } from './run.js';

const NOBODY = 'http://127.0.0.1:1';

describe('with --json', () => {
  it.each([
    [['ring', 'show', '--admin', NOBODY, '--json'], 1, 'ADMIN_UNREACHABLE', /cannot be reached/],
    [['ring', 'which', '--json'], 2, 'USAGE', /^missing required argument 'key'$/],
    [['ring', 'show', '--json', '--nope'], 2, 'USAGE', /^unknown option '--nope'/],
    [['ring', 'add', 'a b=h:1', '--json'], 2, 'USAGE', /^'a b' is not a name of a node$/],
  ])('a failure is JSON: %j', async (args, code, name, message) => {
    const outcome = await ringproxy(args);
    expect(outcome).toMatchObject({ code, out: '' });
    expect(JSON.parse(outcome.err)).toEqual({
      error: { code: name, message: expect.stringMatching(message), hint: expect.any(String) },
    });
  });

  it('an error of the admin API has its code', async () => {
    const admin = await startAdmin((server) => {
      server.get('/v1/ring', (_request, reply) =>
        reply.code(503).send({ error: { code: 'NO_COORDINATION', message: 'etcd is gone', hint: 'start it' } }),
      );
    });
    const { err } = await ringproxy(['ring', 'show', '--json', '--admin', admin]);
    expect(JSON.parse(err)).toEqual({ error: { code: 'NO_COORDINATION', message: 'etcd is gone', hint: 'start it' } });
  });

  it('a word behind -- asks for nothing', async () => {
    const { err } = await ringproxy(['ring', 'which', '--admin', NOBODY, '--', '--json']);
    expect(err).toMatch(/^ringproxy: /);
  });
});

describe('what is asked for twice', () => {
  it('is no failure', async () => {
    const admin = await startAdmin((server) => {
      server.get('/v1/ring', () => ringView());
      server.post('/v1/ring/changes', (_request, reply) =>
        reply
          .code(409)
          .send({ error: { code: 'NOTHING_TO_CHANGE', message: 'the ring is like that already', hint: '' } }),
      );
    });
    expect(await ringproxy(['ring', 'set-weight', 'a', '1', '--admin', admin])).toEqual({
      code: 0,
      out: 'the ring is like that already: nothing to do\n',
      err: '',
    });
  });
});

describe('what is called wrongly', () => {
  it.each([
    [
      ['ring', 'add', 'a b=h:1'],
      "ringproxy: 'a b' is not a name of a node\n  expected 1 to 512 visible ASCII characters\n",
    ],
    [['ring', 'add', 'a=h:1*0'], "ringproxy: 'a=h:1*0' has a weight of 0\n  expected 1 to 1000000\n"],
  ])('%j is told in a sentence', async (args, err) => {
    expect(await ringproxy(args)).toEqual({ code: 2, out: '', err });
  });
});

const inShell = (line: string): Promise<{ code: number; err: string }> =>
  new Promise((resolve) => {
    execFile('sh', ['-c', line], { timeout: 60_000 }, (error, _out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), err });
    });
  });

describe('output that cannot be written', () => {
  it('to a full disk is told in a line', async () => {
    expect(await inShell(`"${process.execPath}" "${MAIN}" config reference > /dev/full`)).toEqual({
      code: 1,
      err: expect.stringMatching(/^ringproxy: standard output cannot be written: ENOSPC.*\n$/),
    });
  });

  it('since nobody reads on is nothing to tell of', async () => {
    const { err } = await inShell(`"${process.execPath}" "${MAIN}" config reference | head -n 1`);
    expect(err).toBe('');
  });

  it('since nobody reads on any more is no failure either', async () => {
    const admin = await startAdmin((server) => {
      server.get('/v1/hot', () => ({ keys: [], perSecond: 0, looked: 0, missing: [] }));
    });
    const call = `"${process.execPath}" "${MAIN}" hot --watch --json --admin ${admin}`;
    const { err } = await inShell(`{ ${call}; echo "ended with $?" >&2; } | head -n 1`);
    expect(err).toBe('ended with 0\n');
  });
});

describe('Ctrl-C while a change is followed', () => {
  it('says that the change goes on', async () => {
    let seen = (): void => {};
    const followed = new Promise<void>((resolve) => {
      seen = resolve;
    });
    const admin = await startAdmin((server) => {
      server.get('/v1/ring', () => {
        seen();
        return ringView({ change: changeView() });
      });
    });
    const ended = new Promise<{ code: unknown; err: string }>((resolve) => {
      const child = execFile(
        process.execPath,
        [MAIN, 'ring', 'status', '--watch', '--admin', admin],
        (error, _out, err) => resolve({ code: error?.code, err }),
      );
      // Asked once to begin with, and then again and again by what follows it.
      void followed.then(() => {
        seen = () => child.kill('SIGINT');
      });
    });
    expect(await ended).toEqual({
      code: 130,
      err: 'the change goes on: ringproxy ring status --watch follows it, ringproxy ring cancel takes it back\n',
    });
  });
});
