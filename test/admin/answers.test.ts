/** What a running proxy answers, held against what `/v1/openapi.json` says that it does. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, it } from 'vitest';
import { startRedises } from '../support/redis-process.js';
import { add, fill, post, settled } from '../support/ring-api.js';
import { startRingproxy } from '../support/ringproxy-process.js';

interface Schemas {
  paths: Record<string, Record<string, { responses: Record<string, Answer> }>>;
  components: { schemas: object; responses: { Error: Answer } };
}
interface Answer {
  content: Record<string, { schema: object }>;
}

it('answers have the shapes that the document gives them, also while the ring changes', async () => {
  const nodes = await startRedises(3);
  const proxy = await startRingproxy({
    nodes: nodes.slice(0, 2),
    config: 'key-groups: { page: { prefixes: ["page:"], cache: near, near-ttl: 5s } }\n',
  });
  await fill(proxy, 2000);
  await proxy.client().mget('page:1', 'filler:1', 'filler:2', 'filler:3');
  const { paths, components } = (await (await fetch(`${proxy.admin}/v1/openapi.json`)).json()) as Schemas;
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  const mistakesOf = (schema: object, body: unknown): string[] => {
    const isRight = ajv.compile({ ...schema, components });
    return isRight(body) ? [] : (isRight.errors ?? []).map((error) => `${error.instancePath} ${error.message}`);
  };
  // Rates are those of whole seconds.
  await expect.poll(async () => (await fetch(`${proxy.admin}/v1/load`)).status).toBe(200);
  const found: Record<string, string[]> = {};
  const ask = async (path: string, url = path, status = 200, init: RequestInit = {}): Promise<void> => {
    const answer = await fetch(`${proxy.admin}${url}`, init);
    expect({ url, status: answer.status }).toEqual({ url, status });
    const documented = paths[path]?.[(init.method ?? 'GET').toLowerCase()]?.responses['200'];
    const { content } = (status === 200 ? documented : components.responses.Error) as Answer;
    const mistakes = mistakesOf(content['application/json']?.schema ?? { not: {} }, await answer.json());
    if (mistakes.length > 0) found[url] = mistakes;
  };
  const asks = Object.keys(paths).filter(
    (path) => !path.includes('{') && path !== '/v1/openapi.json' && path !== '/v1/ring/changes/current',
  );
  for (const path of asks) {
    const answers = paths[path]?.get?.responses['200']?.content ?? {};
    if ('application/json' in answers) await ask(path, path === '/v1/ring/which' ? `${path}?key=a&key=b` : path);
  }
  expect(asks.length).toBeGreaterThan(12);
  await ask('/v1/ring/changes/current', undefined, 404);
  const json = (body: object): RequestInit => ({
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  await ask('/v1/ring/changes', undefined, 200, json({ ...add('node3', nodes[2]), dryRun: true }));
  await ask('/v1/groups', '/v1/groups?dryRun=true', 200, { ...json({ pages: 'page:' }), method: 'PUT' });
  await post(proxy, 'changes', { ...add('node3', nodes[2]), throttle: 1 });
  await ask('/v1/ring/changes/current');
  await ask('/v1/ring');
  await ask('/v1/ring/changes/current/pause', undefined, 200, json({}));
  await post(proxy, 'changes/current/cancel', {});
  await settled(proxy);
  await ask('/v1/ring/history');
  await ask('/v1/ring/check', undefined, 200, json({}));
  expect(found).toEqual({});
});
