/** `/v1/openapi.json`: that it says of every route what that takes and answers. */
import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, it } from 'vitest';
import { parseChange } from '../../src/admin/change-request.js';
import { openApi } from '../../src/admin/routes/openapi.js';
import { answersOfRoutes, partsOf, routeRows } from '../../src/admin/routes/table.js';
import { readKeyGroups } from '../../src/config/key-groups.js';
import { answerSchemas, writtenSchemas } from '../scripts/answer-schemas.mjs';
import { serveAdmin } from './serve-admin.js';

interface Operation {
  operationId: string;
  parameters?: { name: string; in: string }[];
  requestBody?: { content: { 'application/json': { examples: Record<string, { value: unknown }> } } };
}

function operations(): [string, Operation][] {
  const { paths } = openApi() as { paths: Record<string, Record<string, Operation>> };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, Operation] => [
      `${method.toUpperCase()} ${path}`,
      operation,
    ]),
  );
}

it('has every route, each under a name of its own', () => {
  const routes = routeRows().map(([name]) => name.replace('*', ':file').replace(/:(\w+)/g, '{$1}'));
  expect(operations().map(([name]) => name)).toEqual(expect.arrayContaining(routes));
  expect(operations()).toHaveLength(routes.length);
  const ids = operations().map(([, { operationId }]) => operationId);
  expect(new Set(ids).size).toBe(ids.length);
});

it('names what stands in each path', () => {
  for (const [name, { parameters = [] }] of operations()) {
    const words = [...name.matchAll(/\{(\w+)\}/g)].map(([, word]) => word);
    expect(parameters.filter((parameter) => parameter.in === 'path').map((parameter) => parameter.name)).toEqual(words);
  }
});

describe('its examples', () => {
  it('are understood by the schemas that they are of', () => {
    const bodies = routeRows().flatMap(([, { body }]) => (body === undefined ? [] : [body]));
    expect(bodies.length).toBeGreaterThan(5);
    for (const { schema, examples } of bodies) {
      expect(Object.keys(examples).length).toBeGreaterThan(0);
      for (const example of Object.values(examples)) expect(schema.safeParse(example).success).toBe(true);
    }
  });

  it('of changes do not contradict themselves', () => {
    const [, change] = operations().find(([name]) => name === 'POST /v1/ring/changes') ?? [];
    const examples = Object.values(change?.requestBody?.content['application/json'].examples ?? {});
    expect(examples.length).toBeGreaterThan(4);
    for (const { value } of examples) expect(parseChange(value)).toEqual(value);
  });

  it('of groups are groups', () => {
    const rows = Object.fromEntries(routeRows());
    const all = rows['PUT /v1/groups']?.body?.examples ?? {};
    const one = rows['PUT /v1/groups/:group']?.body?.examples ?? {};
    for (const written of [...Object.values(all), ...Object.values(one).map((group) => ({ group }))]) {
      expect(readKeyGroups(written)).toHaveProperty('groups');
    }
  });
});

it('has the shapes of all answers, as their types say', () => {
  const json = routeRows().filter(([, { form = 'json' }]) => form === 'json');
  expect(json.filter(([, { answer }]) => answer === undefined).map(([name]) => name)).toEqual(['GET /v1/openapi.json']);
  // Red? `npm run docs`.
  expect(writtenSchemas()).toEqual(answerSchemas([...answersOfRoutes(), 'ApiError']));
});

it('is a document of OpenAPI 3.1', async () => {
  const validator = new Validator();
  expect(await validator.validate(openApi())).toEqual({ valid: true });
  expect(validator.version).toBe('3.1');
});

it('is served, and its paths answer', async () => {
  const { url } = await serveAdmin();
  const served = await (await fetch(`${url}/v1/openapi.json`)).json();
  expect(served).toEqual(JSON.parse(JSON.stringify(openApi())));
  for (const [name] of routeRows()) {
    const { method, path } = partsOf(name);
    if (path === '/v1/events') continue;
    const answer = await fetch(url + path.replace(/:\w+/g, 'x').replace('*', 'page.css'), { method });
    const text = await answer.text();
    // Neither 404 nor 405 for want of a route.
    expect(text).not.toMatch(/"code":"(NOT_FOUND|BAD_METHOD)"/);
  }
});
