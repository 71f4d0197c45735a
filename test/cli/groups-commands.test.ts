import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { FastifyReply } from 'fastify';
import { describe, expect, it } from 'vitest';
import { widthOf } from '../../cli/format.js';
import { describeGroup, FILL_WORDS, REPLICA_WORDS } from '../../cli/group-view.js';
import { describeGroups } from '../../cli/groups-view.js';
import type { GroupCountsView, GroupsView, GroupView } from '../../src/admin/api.js';
import { FILL_OUTCOMES, noFills } from '../../src/proxy/measure/fill-counts.js';
import { noReplicaReads, REPLICA_READ_OUTCOMES } from '../../src/proxy/measure/replica-read-counts.js';
import { atEnd } from '../support/cleanup.js';
import { RawClient } from '../support/raw-client.js';
import { startRedises } from '../support/redis-process.js';
import { MAIN, startRingproxy } from '../support/ringproxy-process.js';
import { tempFolder } from '../support/temp-folder.js';
import { startAdmin } from './fake-admin.js';
import { type Outcome, ringproxy } from './run.js';

const COUNTS: GroupCountsView = {
  ...{ commands: 12345, commandsPerSecond: 67.8, errors: 1 },
  ...{ hits: 900, misses: 100, hitRatio: 0.9 },
};

function groupsView(fields: Partial<GroupsView> = {}): GroupsView {
  const policy = { cache: 'near', 'near-ttl': '2s' };
  return {
    ...{ source: 'ring', revision: 7, changed: { by: 'p1', at: '2026-01-01T00:00:00.000Z' } },
    groups: [
      {
        group: 'pages',
        prefixes: ['page:', 'html:'],
        policy,
        near: { entries: 12, bytes: 2048, hits: 3, misses: 1, hitRatio: 0.75 },
        replicated: null,
        fill: null,
        fillShare: null,
        replicaReads: null,
        replicaShare: null,
        ...COUNTS,
      },
    ],
    other: { ...COUNTS, hits: 0, misses: 0, hitRatio: null },
    missing: [],
    ...fields,
  };
}

/** Notes what is asked, as method, path and body. */
async function fake(): Promise<{ asked: string[]; run: (...args: string[]) => Promise<Outcome> }> {
  const asked: string[] = [];
  const admin = await startAdmin((server) => {
    server.all('/v1/*', (request, reply: FastifyReply) => {
      asked.push(
        `${request.method} ${request.url} ${request.body === undefined ? '' : JSON.stringify(request.body)}`.trim(),
      );
      reply.send(groupsView());
    });
  });
  return { asked, run: (...args) => ringproxy(['groups', ...args], { RINGPROXY_ADMIN: admin }) };
}

describe('ringproxy groups', () => {
  it.each([
    ['people', []],
    ['programs', ['--json']],
  ])('shows %s what has changed, time and again, until it is ended', async (_who, flags) => {
    let asked = 0;
    const admin = await startAdmin((server) => {
      server.get('/v1/groups', (_request, reply: FastifyReply) => {
        const [pages] = groupsView().groups;
        const group = `pages${++asked}`;
        reply.send(groupsView(pages === undefined ? {} : { groups: [{ ...pages, group }] }));
      });
    });
    const args = [MAIN, 'groups', '--watch', ...flags, '--admin', admin];
    const env = { ...process.env, NO_COLOR: '1' };
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
    atEnd(() => void child.kill('SIGKILL'));
    const exited = once(child, 'exit');
    const found: string[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      found.push(...(/pages\d/.exec(line) ?? []));
      if (found.length === 2 && !child.killed) child.kill('SIGINT');
    }
    expect((await exited)[0]).toBe(0);
    expect(found).toEqual(['pages1', 'pages2']);
    expect(asked).toBe(2);
  });

  it('lists them, and prints what programs read', async () => {
    const { run } = await fake();
    expect(JSON.parse((await run('--json')).out)).toEqual(groupsView());
    const { out, code } = await run();
    expect(code).toBe(0);
    expect(out).toMatch(
      /^groups for all proxies of the ring; changed at proxy p1, 2026-01-01T00:00:00.000Z\n\nGROUP +TYPE/,
    );
    expect(out).toMatch(
      /\npages +near +page: html: +near-ttl=2s +68 +12,345 +1 +900 +100 +90\.0 % +12 replies, 2\.0 KiB, served 75\.0 %\n/,
    );
    expect(out).toMatch(/\nother +sharded +- +- +68 +12,345 +1 +0 +0 +- +-\n$/);
    const missing = [{ proxy: 'p2', why: 'it did not answer' }];
    expect(describeGroups(groupsView({ missing }))).toContain('\ncounted without proxy p2: it did not answer\n\nGROUP');
    const none = describeGroups(groupsView({ source: 'configuration', changed: null, groups: [], other: null }));
    expect(none).toBe(
      "groups of this proxy's configuration\n\nthere are no groups: ringproxy groups set NAME --prefix PREFIX",
    );
  });

  it('is no wider than the terminal: says below what has no room beside, then leaves out what matters less', () => {
    const [pages] = groupsView().groups;
    const policy = { cache: 'near', 'near-ttl': '2s', 'fill-wait': '500ms', stale: '30s', 'early-refresh': 'on' };
    const filling = { ...pages, policy, fill: { first: 1, filled: 3 }, fillShare: 0.75 } as GroupView;
    const view = groupsView({ groups: [filling] });
    const [at130, at80] = [describeGroups(view, 130).split('\n'), describeGroups(view, 80).split('\n')];
    expect(at130.slice(2)).toEqual([
      expect.stringMatching(
        /^GROUP +TYPE +COMMANDS\/S +COMMANDS +ERRORS +HITS +MISSES +HIT RATIO +SPARED +IN PROXIES$/,
      ),
      expect.stringMatching(
        /^pages +near +68 +12,345 +1 +900 +100 +90\.0 % +75\.0 % +12 replies, 2\.0 KiB, served 75\.0 %$/,
      ),
      '    page: html:; near-ttl=2s fill-wait=500ms stale=30s early-refresh=on',
      expect.stringMatching(/^other +sharded +68 /),
    ]);
    for (const [lines, width] of [
      [at130, 130],
      [at80, 80],
    ] as const) {
      expect(Math.max(...lines.slice(1).map(widthOf))).toBeLessThanOrEqual(width);
    }
    expect(at80.at(2)).toMatch(/^GROUP +TYPE +COMMANDS\/S +COMMANDS +ERRORS +HITS +MISSES +HIT RATIO +SPARED$/);
    expect(at80.join(' ')).toMatch(/stale=30s early-refresh=on; 12 +replies, 2\.0 KiB, served 75\.0 %/);
    const at60 = describeGroups(view, 60);
    expect(at60).toMatch(/\nGROUP +TYPE +COMMANDS\/S +ERRORS +HIT RATIO +SPARED\n/);
    expect(at60).toMatch(/\nno room for COMMANDS, HITS, MISSES: [\s\S]*ls\s--wide [\s\S]*groups NAME all of one/);
    expect(describeGroups(view)).toMatch(/GROUP +TYPE +PREFIXES +POLICY .*\npages .* early-refresh=on .*\nother .*$/);
    // Nobody waits for misses.
    expect(describeGroups(groupsView())).not.toContain('SPARED');
    const reads = { ...pages, near: null, replicaReads: { replica: 4, none: 1 }, replicaShare: 0.8 } as GroupView;
    expect(describeGroups(groupsView({ groups: [reads] }))).toMatch(/\npages .* replicas answered 80\.0 %\n/);
  });

  it('tells all that is known of one that is named, in the words of the docs', async () => {
    const { run } = await fake();
    const { out, code } = await run('pages');
    expect(code).toBe(0);
    expect(out.split('\n').slice(2, -1)).toEqual([
      'pages: near',
      '  keys begin with  page: html:',
      '  policy           near-ttl=2s',
      '  commands         12,345, 68 a second, 1 error',
      '  reads            900 hits, 100 misses: 90.0 % found their key',
      '  kept near        12 replies, 2.0 KiB, served 75.0 % of 4 reads',
    ]);
    expect(JSON.parse((await run('pages', '--json')).out)).toMatchObject({ groups: [{ group: 'pages' }], other: null });
    expect(await run('page')).toMatchObject({
      ...{ code: 1, out: '', err: expect.stringMatching(/there is no group 'page'[\s\S]*there are pages/) },
    });
    const [pages] = groupsView().groups;
    const fill = { ...noFills(), first: 1000, filled: 20, next: 1, 'of tomorrow': 4 };
    const replicaReads = { ...noReplicaReads(), replica: 4, none: 1 };
    const kinds = { near: null, fill, fillShare: 0.5, replicaReads, replicaShare: 0.8 };
    const told = describeGroup(groupsView({ groups: [{ ...pages, ...kinds } as GroupView] }), 'pages');
    expect(told.split('\n').slice(5)).toEqual([
      '  fill-wait        spared 50.0 % of misses making the value',
      '    first          1,000  its client saw the miss, and was to fill the key; others would wait for it',
      '    filled            20  waited, and got the value',
      '    next               1  waited in vain, and then was to fill the key itself',
      '    of tomorrow        4',
      '  read-from        replicas answered 80.0 %',
      '    replica        4  were sent to a replica',
      '    none           1  the master: no replica is known',
    ]);
    // Whoever adds an outcome says here, and in the docs, what it is.
    expect(Object.keys(FILL_WORDS).sort()).toEqual([...FILL_OUTCOMES].sort());
    expect(Object.keys(REPLICA_WORDS).sort()).toEqual([...REPLICA_READ_OUTCOMES].sort());
    const chapter = readFileSync(new URL('../../src/docs/caching-types.md', import.meta.url), 'utf8');
    for (const [outcome, words] of Object.entries(FILL_WORDS))
      expect(chapter).toContain(`| \`${outcome}\` | ${words} |`);
  });

  it('asks for exactly what is named', async () => {
    const { asked, run } = await fake();
    await run('set', 'a b', '--prefix', 'page:', '--prefix', 'a,b', '--cache', 'near', '--near-ttl', '5s');
    await run('set', 'pages', '--reset', 'near-ttl', '--reset', 'stale', '--early-refresh', 'off', '--force');
    await run('rm', 'pages', 'flags');
    await run('reset', '--force');
    const file = join(tempFolder('groups'), 'groups.yaml');
    writeFileSync(
      file,
      'key-groups:\n  pages: { prefixes: "page:", cache: near }\n  sessions: "s:"\nlisten: 127.0.0.1:0\n',
    );
    await run('apply', '-f', file);
    writeFileSync(file, 'sessions: "s:"\n');
    await run('apply', '-f', file, '--force');
    await run('rm', 'pages', '--dry-run');
    await run('apply', '-f', file, '--dry-run');
    await run('ls', '--this-proxy');
    expect(asked).toEqual([
      'PATCH /v1/groups/a%20b?force=false {"cache":"near","near-ttl":"5s","prefixes":["page:","a,b"]}',
      'PATCH /v1/groups/pages?force=true {"early-refresh":"off","near-ttl":null,"stale":null}',
      'DELETE /v1/groups/pages?force=false',
      'DELETE /v1/groups/flags?force=false',
      'DELETE /v1/groups?force=true',
      'GET /v1/groups',
      'PUT /v1/groups?revision=7&force=false {"pages":{"prefixes":"page:","cache":"near"},"sessions":"s:"}',
      'GET /v1/groups',
      'PUT /v1/groups?revision=7&force=true {"sessions":"s:"}',
      'DELETE /v1/groups/pages?force=false&dryRun=true',
      'GET /v1/groups',
      'PUT /v1/groups?revision=7&force=false&dryRun=true {"sessions":"s:"}',
      'GET /v1/groups?fleet=false',
    ]);
  });

  it('asks for nothing where it was called wrongly', async () => {
    const { asked, run } = await fake();
    const file = join(tempFolder('groups'), 'groups.yaml');
    writeFileSync(file, '[a]\n');
    const calls = [
      ['set', 'pages'],
      ['set', 'pages', '--reset', 'near'],
      ['set', 'pages', '--reset', 'stale', '--stale', '1s'],
      ['apply', '-f', file],
      ['apply'],
      ['rm'],
    ];
    for (const call of calls) expect([call, (await run(...call)).code]).toEqual([call, 2]);
    expect(asked).toEqual([]);
  });
});

describe('ringproxy groups, with a proxy', () => {
  it('changes them, or says what is wrong and what to do', async () => {
    const proxy = await startRingproxy({ nodes: await startRedises(1) });
    const run = (...args: string[]): Promise<Outcome> =>
      ringproxy(['groups', ...args], { RINGPROXY_ADMIN: proxy.admin });
    const made = await run('set', 'pages', '--prefix', 'page:', '--max-ttl', '1h');
    expect(made).toMatchObject({ code: 0, err: '', out: expect.stringMatching(/pages +sharded +page: +max-ttl=1h/) });
    const wrong = await run('set', 'pages', '--cache', 'far', '--stale', '1s');
    expect(wrong).toMatchObject({ code: 2, out: '' });
    // Of the words that belong to a type nobody knows whether they fit one that is misspelt.
    expect(wrong.err).toMatch(/cache is 'far': expected sharded, near, replicated/);
    expect(wrong.err).not.toContain('stale');
    expect(await run('set', 'pages', '--stale', '1s')).toMatchObject({
      ...{ code: 2, err: expect.stringContaining('stale is only for cache: near') },
    });
    expect(await run('rm', 'page')).toMatchObject({ code: 1, err: expect.stringContaining('there are pages') });
    const client = await RawClient.connect(proxy.port);
    await client.command('SET', 'page:1', 'v');
    const replicated = ['set', 'pages', '--cache', 'replicated', '--reset', 'max-ttl'];
    expect(await run(...replicated)).toMatchObject({
      code: 1,
      err: expect.stringMatching(/1 of 'page:…' on \S+ \(127[\s\S]*--force/),
    });
    const dry = await run(...replicated, '--dry-run');
    expect(dry).toMatchObject({ code: 0, err: '' });
    expect(dry.out).toMatch(/pages is replicated \(page:\), and was sharded, max-ttl 1h \(page:\)\n/);
    expect(dry.out).toMatch(/\npage:… +\S+ \(127\.0\.0\.1:\d+\) +1\n[\s\S]*refused without --force\n$/);
    expect(JSON.parse((await run('rm', 'pages', '--dry-run', '--json')).out)).toMatchObject({
      ...{ dryRun: true, groups: [], differences: ['pages is gone'], hidden: [], needsForce: false },
    });
    expect(await run('set', 'flags', '--prefix', 'flag:', '--cache', 'replicated')).toMatchObject({ code: 0, err: '' });
    await run('rm', 'flags');
    expect((await run('rm', 'pages')).out).toMatch(/there are no groups/);
  });
});
