/** A proxy asks another one by HTTPS, and whoever answers there is not the one that its certificate is to show: nothing is sent. */
import https from 'node:https';
import type { SecureContextOptions, TlsOptions } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { HttpPeers } from '../../../src/fleet/peers/http-peers.js';
import type { PeerAnswer } from '../../../src/fleet/peers/peers.js';
import { PEER_HEADERS } from '../../../src/fleet/peers/protocol.js';
import { systemTimers } from '../../../src/time/timers.js';
import { Authority, type Certificate, hasOpenssl } from '../../support/certificates.js';
import { atEnd } from '../../support/cleanup.js';

const TIMEOUT_MS = 5000;

describe.skipIf(!hasOpenssl)('another proxy by HTTPS', () => {
  const [authority, stranger] = hasOpenssl ? [new Authority('ours'), new Authority('theirs')] : [];
  const own = authority?.issue('asker', ['serverAuth', 'clientAuth']);
  const server = (name: string, how = {}): Certificate | undefined => authority?.issue(name, ['serverAuth'], how);
  const asks = { requestCert: true, rejectUnauthorized: true, ca: authority?.cert };

  /** @returns what comes of a question, and the paths that the other side has heard of */
  async function ask(
    shown: Certificate | undefined,
    more: TlsOptions,
    mine: SecureContextOptions,
  ): Promise<{ answer: PeerAnswer; heard: string[] }> {
    const heard: string[] = [];
    const other = https.createServer({ cert: shown?.cert, key: shown?.key, ...more }, (request, response) => {
      heard.push(request.url ?? '');
      response.writeHead(200, { 'content-type': 'application/json', [PEER_HEADERS.to]: 'b' }).end('{}');
    });
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const address = other.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const info = { admin: `https://127.0.0.1:${port}`, version: '1', workers: 1, startedAt: '', format: 1 };
    const members = { members: async () => [{ id: 'b', alive: true, fencedOff: false, answer: null, info }] };
    const peers = new HttpPeers({ ownId: () => 'a', token: 'secret', members, timers: systemTimers, tls: () => mine });
    atEnd(async () => {
      await peers.close();
      other.close();
    });
    return { answer: await peers.ask('b', 'question', {}, TIMEOUT_MS), heard };
  }

  const ours = { ca: authority?.cert, cert: own?.cert, key: own?.key };
  it.each<[string, () => Certificate | undefined, TlsOptions, SecureContextOptions, RegExp]>([
    ['shows one of another authority', () => stranger?.issue('b', ['serverAuth']), {}, ours, /verify the first|issuer/],
    ['shows one that has expired', () => server('old', { days: -1 }), {}, ours, /certificate has expired/],
    ['shows one of another name', () => server('other', { names: 'DNS:other.test' }), {}, ours, /altnames/],
    [
      'shows none that is for servers',
      () => authority?.issue('client', ['clientAuth']),
      {},
      ours,
      /unsuitable|purpose/,
    ],
  ])('that %s is not asked', async (_title, shown, more, mine, words) => {
    const { answer, heard } = await ask(shown(), more, mine);
    expect(heard).toEqual([]);
    expect(answer.ok ? 'answered' : answer.failure.message).toMatch(words);
    expect(answer.ok ? 'answered' : answer.failure.message).toMatch(/^proxy b \(https:/);
  });

  it('that shows a right one is asked, with a certificate where it wants one', async () => {
    const { answer, heard } = await ask(server('right'), asks, ours);
    expect([answer.ok, heard.length]).toEqual([true, 1]);
  });
});
