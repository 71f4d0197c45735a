/** What the commands say and send, against an API that answers what the test says. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MAIN } from '../support/ringproxy-process.js';
import { tempFolder } from '../support/temp-folder.js';
import { changeView, historyEntry, ringView, startAdmin } from './fake-admin.js';
import { ringproxy } from './run.js';

function apply(text: string): string[] {
  const file = join(tempFolder('apply'), 'ring.yaml');
  writeFileSync(file, text);
  return ['ring', 'apply', '-f', file];
}

describe('wrong calls end with 2, before anything is asked', () => {
  it.each([
    [['ring', 'set-weight', 'a', 'heavy'], /expected 1 to 1000/],
    [['ring', 'set-weight', 'a', '0'], /expected 1 to 1000/],
    [['ring', 'throttle', 'fast'], /expected 0 or more/],
    [['ring', 'throttle', ''], /expected 0 or more/],
    [['ring', 'throttle', '0.5'], /expected 0 or more, a whole number/],
    [['ring', 'add', '=h:1'], /'=h:1' is not a node\n {2}expected NAME=HOST:PORT/],
    [['ring', 'add', 'b=localhost'], /'b=localhost' is not a node\n {2}expected NAME=HOST:PORT/],
    [['ring', 'add', 'b=h:99999'], /'b=h:99999' is not a node/],
    [['ring', 'replace', '127.0.0.1:1'], /names no node/],
    [['ring', 'add', 'b=h:1', '--throttle', '-1'], /expected 0 or more, a whole number/],
    [['ring', 'remove', 'b', '--throttle', '1e309'], /expected 0 or more, a whole number/],
    [['ring', 'set-weight', 'a', '1e3'], /expected 1 to 1000/],
    [['ring', 'set-weight', 'a', 'NaN'], /expected 1 to 1000/],
    [['ring', 'add', 'b=h:1', 'c=h:2', '--peer-address', 'h:3'], /--peer-address is of one node/],
    [['ring', 'add', 'b=h:1', '--peer-address', '/run/redis.sock'], /is not an address of a node for others/],
    [['ring', 'add', 'b=h:1', '--password-file', '/nowhere'], /the password cannot be read: ENOENT/],
  ])('%j', async (args, message) => {
    const { code, err } = await ringproxy(args, { RINGPROXY_ADMIN: 'http://127.0.0.1:1' });
    expect(err).toMatch(message);
    expect(code).toBe(2);
  });

  it.each([
    ['nodes: [a=nowhere]', /'nowhere' is not a node's address/],
    ['nodes: [{ address: "h:1", weight: much }]', /the weight of h:1 is not a number/],
    ['ring: 1', /has no list of nodes/],
    ['nodes: [a=h:1, a=h:2]', /node a is named twice/],
    ['nodes: [{ name: 007, address: "h:1" }]', /the name of h:1 is not a text/],
    ['nodes: [{ address: "h:1", weight: true }]', /the weight of h:1 is not a number/],
    ['nodes: [{ address: "h:1", password: 4711 }]', /the password of h:1 is not a text\n {2}put it in quotes\n$/],
    ['nodes: [{ address: "h:1", peer-address: h }]', /'h' is not a peer-address of h:1/],
    ['nodes: [{ address: "h:1", tls: maybe }]', /tls of h:1 is 'maybe'\n {2}expected on or off/],
    ['nodes: [a=https://h:1]', /'https:\/\/h:1' is not a node's address/],
    [
      'nodes: ["a=redis://me:secret@h:1"]',
      /'redis:\/\/\*\*\*@h:1' is not a node's address\n {2}expected HOST:PORT, and username and password beside it\n$/,
    ],
  ])('ring apply with %j', async (text, message) => {
    const admin = await startAdmin((server) => {
      server.get('/v1/ring', () => ringView());
    });
    expect(await ringproxy(apply(text), { RINGPROXY_ADMIN: admin })).toMatchObject({
      code: 2,
      err: expect.stringMatching(message),
    });
  });
});

describe('ring apply', () => {
  it('changes nothing where there is nothing to change', async () => {
    const admin = await startAdmin((server) => {
      server.get('/v1/ring', () => ringView());
    });
    const same = apply('nodes: [a=127.0.0.1:7001]');
    expect(await ringproxy(same, { RINGPROXY_ADMIN: admin })).toMatchObject({
      code: 0,
      out: expect.stringContaining('nothing to do'),
    });
    const { out } = await ringproxy([...same, '--json'], { RINGPROXY_ADMIN: admin });
    expect(JSON.parse(out)).toMatchObject({ generation: 1, moves: [] });
  });

  it('asks for all differences at once', async () => {
    const bodies: unknown[] = [];
    const admin = await startAdmin((server) => {
      server.get('/v1/ring', () => ringView());
      server.post('/v1/ring/changes', (request) => {
        bodies.push(request.body);
        return { generation: 2, dryRun: true, warnings: [], moves: [], survey: null };
      });
    });
    const call = [...apply('nodes: ["a=127.0.0.1:7009*3", "b=127.0.0.1:7002"]'), '--dry-run'];
    expect((await ringproxy(call, { RINGPROXY_ADMIN: admin })).code).toBe(0);
    expect(bodies).toEqual([
      {
        kind: 'apply',
        dryRun: true,
        add: [{ name: 'b', address: '127.0.0.1:7002', weight: 1 }],
        remove: [],
        weights: [{ name: 'a', weight: 3 }],
        replace: [{ name: 'a', address: '127.0.0.1:7009' }],
      },
    ]);
  });
});

describe('a change', () => {
  const calls: [string, readonly string[]][] = [
    ['add', ['ring', 'add', 'b=127.0.0.1:7002']],
    ['remove', ['ring', 'remove', 'a']],
    ['reweight', ['ring', 'set-weight', 'a', '2']],
    ['replace', ['ring', 'replace', 'a=127.0.0.1:7009']],
    ['apply', apply('nodes: ["a=127.0.0.1:7001*5"]')],
  ];

  it.each(calls)('can be tried, and has its throttle from the first key on: %s', async (kind, call) => {
    const bodies: unknown[] = [];
    const accepted = { generation: 2, dryRun: true, warnings: [], moves: [], survey: null };
    const admin = await startAdmin((server) => {
      server.get('/v1/ring', () => ringView());
      server.post('/v1/ring/changes', (request) => {
        bodies.push(request.body);
        return accepted;
      });
    });
    const env = { RINGPROXY_ADMIN: admin };
    const { code, out } = await ringproxy([...call, '--dry-run', '--throttle', '500', '--json'], env);
    expect({ code, out: JSON.parse(out) }).toEqual({ code: 0, out: accepted });
    expect(bodies).toEqual([expect.objectContaining({ kind, dryRun: true, throttle: 500 })]);
    expect((await ringproxy([...call, '--dry-run'], env)).out).toContain('dry run, nothing was changed');
  });

  // Symptom: it cancelled. Cause: cancel took every flag of the other changes, and looked at one of them.
  it.each([[], ['--json']])('that is cancelled can be tried, too %j', async (...flags) => {
    const bodies: unknown[] = [];
    const admin = await startAdmin((server) => {
      server.post('/v1/ring/changes/current/cancel', (request) => {
        bodies.push(request.body);
        return { generation: 3, dryRun: true, warnings: [], moves: [], survey: null };
      });
    });
    const { code } = await ringproxy(['ring', 'cancel', '--dry-run', ...flags], { RINGPROXY_ADMIN: admin });
    expect({ code, bodies }).toEqual({ code: 0, bodies: [{ dryRun: true }] });
  });
});

describe('cancel', () => {
  it.each([
    ['add', 'cancelled: add b', 'cancelled: everything goes back\n'],
    [
      'cancel',
      'cancelled: cancelled: add b',
      'the cancel is cancelled, keys move the other way again (cancelled: cancelled: add b)\n',
    ],
  ] as const)('of a change that is %s says where keys go: %s', async (kind, summary, said) => {
    const admin = await startAdmin((server) => {
      server.get('/v1/ring', () => ringView({ change: changeView({ kind }) }));
      server.post('/v1/ring/changes/current/cancel', () => changeView({ kind: 'cancel', summary }));
    });
    expect((await ringproxy(['ring', 'cancel', '--detach'], { RINGPROXY_ADMIN: admin })).out).toBe(said);
  });
});

describe('the login of a node that joins', () => {
  const SECRET = 'hunter2';

  async function sent(
    call: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<{ bodies: unknown[]; said: string }> {
    const bodies: unknown[] = [];
    const admin = await startAdmin((server) => {
      server.get('/v1/ring', () => ringView());
      server.post('/v1/ring/changes', (request) => {
        bodies.push(request.body);
        return { generation: 2, dryRun: true, warnings: [], moves: [], survey: null };
      });
    });
    const { out, err } = await ringproxy([...call, '--dry-run'], { RINGPROXY_ADMIN: admin, ...env });
    return { bodies, said: `${out}${err}` };
  }

  function passwordFile(): string {
    const file = join(tempFolder('password'), 'password');
    writeFileSync(file, `${SECRET}\n`);
    return file;
  }

  it('comes from a file, or from the environment, and is not echoed', async () => {
    const given = ['--username', 'app', '--password-file', passwordFile(), '--peer-address', '10.0.0.2:6379'];
    const added = await sent(['ring', 'add', 'b=127.0.0.1:7002', ...given]);
    const login = { username: 'app', password: SECRET, peerAddress: '10.0.0.2:6379' };
    expect(added.bodies).toMatchObject([{ add: [{ name: 'b', address: '127.0.0.1:7002', ...login }] }]);
    const replaced = await sent(['ring', 'replace', 'a=127.0.0.1:7002', ...given]);
    expect(replaced.bodies).toMatchObject([{ replace: [{ name: 'a', address: '127.0.0.1:7002', ...login }] }]);
    const several = await sent(['ring', 'add', 'b=h:1', 'c=h:2'], { RINGPROXY_ADD_PASSWORD: SECRET });
    expect(several.bodies).toMatchObject([{ add: [{ password: SECRET }, { password: SECRET }] }]);
    for (const { said } of [added, replaced, several]) expect(said).not.toContain(SECRET);
  });

  it('stands in the file of ring apply as in the configuration', async () => {
    const nodes = [
      '- { name: a, address: "127.0.0.1:7009", username: app, password: hunter2 }',
      '- { name: b, address: "127.0.0.1:7002", password: hunter2, peer-address: "10.0.0.2:6379" }',
    ];
    const { bodies, said } = await sent(apply(`nodes:\n${nodes.join('\n')}\n`));
    expect(bodies).toMatchObject([
      {
        add: [{ name: 'b', password: SECRET, peerAddress: '10.0.0.2:6379' }],
        replace: [{ name: 'a', address: '127.0.0.1:7009', username: 'app', password: SECRET }],
      },
    ]);
    expect(said).not.toContain(SECRET);
  });
});

it('TLS is said in front of the address, with the name that the certificate bears', async () => {
  const bodies: unknown[] = [];
  const admin = await startAdmin((server) => {
    server.get('/v1/ring', () => ringView());
    server.post('/v1/ring/changes', ({ body }, reply) => {
      bodies.push(body);
      return reply.code(409).send({ error: { code: 'RING_BUSY', message: 'no', hint: '' } });
    });
  });
  const env = { RINGPROXY_ADMIN: admin };
  await ringproxy(['ring', 'add', 'b=rediss://127.0.0.1:7002*2', '--tls-server-name', 'b.internal'], env);
  const nodes = [
    '- { name: a, address: "127.0.0.1:7001" }',
    '- { name: b, address: "127.0.0.1:7002", tls: "true" }',
    '- c=redis://h:1',
  ];
  await ringproxy(apply(`nodes:\n${nodes.join('\n')}\n`), env);
  expect(bodies).toMatchObject([
    { add: [{ name: 'b', address: 'rediss://127.0.0.1:7002', weight: 2, tlsServerName: 'b.internal' }] },
    {
      add: [
        { name: 'b', address: '127.0.0.1:7002', tls: true },
        { name: 'c', address: 'h:1', tls: false },
      ],
    },
  ]);
});

describe('output', () => {
  it('has keys, bytes and duration in the history of changes', async () => {
    const admin = await startAdmin((server) => {
      server.get('/v1/ring/history', () => [historyEntry()]);
    });
    const { out } = await ringproxy(['ring', 'history'], { RINGPROXY_ADMIN: admin });
    const rows = out.split('\n').map((line) => line.trim().split(/ {2,}/));
    expect(rows.slice(0, 2)).toEqual([
      ['GENERATION', 'WHEN', 'KIND', 'WHAT', 'KEYS', 'BYTES', 'DURATION', 'WHO', 'BY'],
      ['2', '2026-01-01T00:00:02.000Z', 'add', 'add b', '1,000', '62.5 KiB', '2.0 s', '-', 'p1'],
    ]);
  });

  const show = (env: Record<string, string>) => async (): Promise<string> => {
    const admin = await startAdmin((server) => {
      server.get('/v1/ring', () => ringView());
    });
    return (await ringproxy(['ring', 'show'], { RINGPROXY_ADMIN: admin, ...env })).out;
  };

  it('is for people: counts, bytes, percent', async () => {
    expect(await show({})()).toContain('a     127.0.0.1:7001       1  active  100.0 %  1,234,567  1.5 KiB');
  });

  // Symptom: escape sequences in pipes on build servers. Cause: picocolors takes CI for a terminal.
  it('has no colours where it does not go to a terminal, unless they are asked for', async () => {
    const colour = '\x1b[';
    expect(await show({ CI: 'true', NO_COLOR: '' })()).not.toContain(colour);
    expect(await show({ FORCE_COLOR: '1', NO_COLOR: '' })()).toContain(colour);
    expect(await show({ FORCE_COLOR: '1', NO_COLOR: '1' })()).not.toContain(colour);
  });

  it('a key cannot steer the terminal', async () => {
    const key = 'a\x1b[31m\nb';
    const admin = await startAdmin((server) => {
      server.get('/v1/ring/which', () => [{ key, hash: 1, node: 'a', address: 'h:1', nextNode: null }]);
    });
    const { out } = await ringproxy(['ring', 'which', key], { RINGPROXY_ADMIN: admin });
    expect(out.split('\n')[1]).toMatch(/^"a\\u001b\[31m\\nb" +1 +a/);
  });

  // Symptom: a stack trace. Cause: nobody listened to standard output's errors.
  it('may be cut off by whoever reads it', async () => {
    const child = spawn(process.execPath, [MAIN, 'config', 'reference'], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    let err = '';
    child.stderr.on('data', (chunk: Buffer) => {
      err += chunk.toString();
    });
    await once(child, 'close');
    expect(err).toBe('');
  });
});
