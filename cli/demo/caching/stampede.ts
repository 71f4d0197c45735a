/** A page that has expired, whose origin is slow, and many clients that ask for it at the same moment. */
import { Redis } from 'ioredis';

export const CLIENTS = 200;
/** How long the origin takes for a query. */
export const ORIGIN_MS = 200;
const KEY = 'report:today';
const EXPIRES_MS = 60_000;

export interface Outcome {
  /** Queries that the origin was asked. */
  readonly queries: number;
  /** Until the last client had its page, in seconds. */
  readonly seconds: number;
  /** Clients that did not get the page. */
  readonly failed: number;
}

/** Cache-aside, as applications do it: read; on a miss ask the origin, and write. */
export async function stampede(port: number, clients: number = CLIENTS): Promise<Outcome> {
  const all = Array.from({ length: clients }, () => new Redis({ port, host: '127.0.0.1' }));
  for (const client of all) client.on('error', () => {});
  try {
    await Promise.all(all.map((client) => client.ping()));
    await all[0]?.del(KEY);
    let queries = 0;
    const origin = async (): Promise<string> => {
      queries++;
      await new Promise((resolve) => setTimeout(resolve, ORIGIN_MS));
      return 'the report';
    };
    const ask = async (client: Redis): Promise<boolean> => {
      const found = await client.get(KEY);
      if (found !== null) return found === 'the report';
      return (await client.set(KEY, await origin(), 'PX', EXPIRES_MS)) === 'OK';
    };
    const began = performance.now();
    const outcomes = await Promise.all(all.map((client) => ask(client).catch(() => false)));
    return {
      queries,
      seconds: (performance.now() - began) / 1000,
      failed: outcomes.filter((isRight) => !isRight).length,
    };
  } finally {
    for (const client of all) client.disconnect();
  }
}
