/** The admin API of a proxy, as tests of ring changes use it. */
import type { RingView } from '../../src/admin/api.js';
import type { RedisProcess } from './redis-process.js';
import type { RingproxyProcess } from './ringproxy-process.js';

/** The admin API of a proxy. */
export type AdminApi = Pick<RingproxyProcess, 'admin' | 'token'>;

const KEYS_OF_URL = 300;

/** What a request to it has to say. */
export function headersFor({ token }: AdminApi): Record<string, string> {
  return { 'content-type': 'application/json', ...(token === '' ? {} : { authorization: `Bearer ${token}` }) };
}

/** Posts to `/v1/ring/…`. @throws Error with the answer when it is not 2xx */
export async function post(proxy: AdminApi, path: string, body: object = {}): Promise<void> {
  const answer = await fetch(`${proxy.admin}/v1/ring/${path}`, {
    method: 'POST',
    headers: headersFor(proxy),
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`);
}

export async function ringOf(proxy: AdminApi): Promise<RingView> {
  return (await (await fetch(`${proxy.admin}/v1/ring`, { headers: headersFor(proxy) })).json()) as RingView;
}

/** Waits until no change is under way. @throws Error when it cannot go on */
export async function settled(proxy: AdminApi): Promise<RingView> {
  return until(proxy, (view) => {
    // What is tried again, or waited for, is told of as well.
    if (view.change?.paused && view.change.error !== null) throw new Error(view.change.error);
    return view.change === null;
  });
}

/** Waits for a state of the ring. */
export async function until(proxy: AdminApi, reached: (view: RingView) => boolean): Promise<RingView> {
  for (;;) {
    const view = await ringOf(proxy);
    if (reached(view)) return view;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** The keys of `fill`, as KEYS finds them, and by name. */
export const FILLERS = 'filler:*';
export function fillers(keys: number): string[] {
  return Array.from({ length: keys }, (_, i) => `filler:${i}`);
}

/** Sets `filler:0` and so on to `value of 0` and so on. */
export async function fill(proxy: RingproxyProcess, keys: number): Promise<void> {
  const client = proxy.client();
  for (let first = 0; first < keys; first += 5000) {
    const pipeline = client.pipeline();
    for (let i = first; i < first + 5000 && i < keys; i++) pipeline.set(`filler:${i}`, `value of ${i}`);
    await pipeline.exec();
  }
}

/** The addresses of the nodes that own these keys. */
export async function ownersOf(proxy: AdminApi, keys: readonly string[]): Promise<string[]> {
  const owners: string[] = [];
  // A URL has its bounds.
  for (let first = 0; first < keys.length; first += KEYS_OF_URL) {
    const query = keys.slice(first, first + KEYS_OF_URL).map((key) => `key=${encodeURIComponent(key)}`);
    const answer = await fetch(`${proxy.admin}/v1/ring/which?${query.join('&')}`, { headers: headersFor(proxy) });
    const rows = (await answer.json()) as { address: string }[];
    owners.push(...rows.map((row) => row.address));
  }
  return owners;
}

/** The body of a change that adds one node. */
export function add(name: string, node: RedisProcess | undefined, weight = 1): object {
  return { kind: 'add', add: [{ name, address: node?.address, weight }] };
}

/** Waits until a command is under way from the proxy to a node; what the proxy asks by itself does not count. */
export async function untilUnderWay(proxy: RingproxyProcess): Promise<void> {
  for (;;) {
    const metrics = await (await fetch(`${proxy.admin}/metrics`)).text();
    if (/^ringproxy_node_inflight\{.*\} [1-9]/m.test(metrics)) return;
  }
}
