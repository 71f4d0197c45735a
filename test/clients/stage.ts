/** What each client library goes through: a ring at rest, a ring that grows, and a node that starts anew, empty. */
import { describe, expect, it } from 'vitest';
import { type RedisProcess, startRedises } from '../support/redis-process.js';
import { add, fill, post, settled } from '../support/ring-api.js';
import { type RingproxyProcess, startRingproxy } from '../support/ringproxy-process.js';

/**
 * Uses the library as its users do, and checks what it does.
 * @param name differs from call to call: what is stored under it is nobody else's
 * @throws Error when something is not as with a single Redis
 */
export type Exercise = (name: string) => Promise<void>;

const TIMEOUT = { timeout: 60_000 };

/** @param begin connects with the library to the proxy, and binds the end of that to the running test */
export function worksThroughTheProxy(library: string, begin: (proxy: RingproxyProcess) => Promise<Exercise>): void {
  const stage = async (): Promise<{ nodes: RedisProcess[]; proxy: RingproxyProcess; exercise: Exercise }> => {
    const nodes = await startRedises(4);
    const proxy = await startRingproxy({ nodes: nodes.slice(0, 3), allowLog: [/down/] });
    return { nodes, proxy, exercise: await begin(proxy) };
  };

  describe(library, () => {
    it('works', TIMEOUT, async () => {
      const { exercise } = await stage();
      for (let i = 0; i < 5; i++) await exercise(`rest:${i}`);
    });

    it('notices nothing of a node that joins', TIMEOUT, async () => {
      const { nodes, proxy, exercise } = await stage();
      await fill(proxy, 3000);
      let changing = true;
      const work = (async () => {
        for (let i = 0; changing || i < 5; i++) await exercise(`change:${i}`);
      })();
      await post(proxy, 'changes', add('node4', nodes[3]));
      await settled(proxy);
      changing = false;
      await work;
    });

    it('recovers by itself when a node starts anew', TIMEOUT, async () => {
      const { nodes, exercise } = await stage();
      await exercise('before');
      for (const node of nodes.slice(0, 3)) await node.restart();
      let attempt = 0;
      await expect
        .poll(() => exercise(`after:${attempt++}`).then(() => 'well', String), { timeout: 30_000 })
        .toBe('well');
      for (let i = 0; i < 3; i++) await exercise(`again:${i}`);
    });
  });
}
