/** `cache: near` in a real proxy: what is answered from the proxy, and what ends that. */
import { describe, expect, it } from 'vitest';
import { RawClient } from '../../../support/raw-client.js';
import { type RedisProcess, startRedises } from '../../../support/redis-process.js';
import { type RingproxyProcess, startRingproxy } from '../../../support/ringproxy-process.js';
import { scrape } from '../../../support/series.js';

const CONFIG = `
key-groups:
  pages: { prefixes: ["page:", "html:"], cache: near, near-ttl: 1m }
  plain: "plain:"
`;

interface Stage {
  readonly nodes: readonly RedisProcess[];
  readonly proxy: RingproxyProcess;
  readonly client: RawClient;
}

async function start(config = CONFIG, nodeCount = 2): Promise<Stage> {
  const nodes = await startRedises(nodeCount);
  const proxy = await startRingproxy({ nodes, config });
  return { nodes, proxy, client: await RawClient.connect(proxy.port) };
}

/** Reads that were answered from the proxy. */
async function hits(proxy: RingproxyProcess): Promise<number> {
  return (await scrape(proxy.admin)).get('ringproxy_near_requests_total{group="pages",result="hit"}') ?? 0;
}

/** Sends the command until it is answered from the proxy. @returns that answer */
async function untilKept(proxy: RingproxyProcess, client: RawClient, ...words: string[]): Promise<string> {
  for (let before = await hits(proxy); ; ) {
    const reply = await client.text(...words);
    if ((await hits(proxy)) > before) return reply;
  }
}

describe('a read', () => {
  it('is answered from the proxy once it has come twice, until somebody changes the key', async () => {
    const { nodes, proxy, client } = await start();
    await client.command('SET', 'page:1', 'one');
    expect(await untilKept(proxy, client, 'GET', 'page:1')).toBe('$3\r\none\r\n');
    const before = await hits(proxy);
    for (let i = 0; i < 10; i++) expect(await client.text('get', 'page:1')).toBe('$3\r\none\r\n');
    expect(await hits(proxy)).toBe(before + 10);
    // Past the proxy, at whichever node has it.
    for (const node of nodes) {
      if ((await node.client().exists('page:1')) === 1) await node.client().set('page:1', 'two');
    }
    while ((await client.text('GET', 'page:1')) !== '$3\r\ntwo\r\n');
  });
});
