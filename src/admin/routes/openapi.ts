/** The admin API as OpenAPI 3.1, made of the table of routes and of the schemas of what they take and answer. */
import { z } from 'zod';
import { readVersion } from '../../version.js';
import { type Access, ROLES } from '../access/roles.js';
import { ANSWER_SCHEMAS } from './answer-schemas.js';
import type { AnswerForm, QueryWord, RouteRow } from './row.js';
import { partsOf, routeRows } from './table.js';

type Json = Record<string, unknown>;

const CONTENT: Readonly<Record<AnswerForm, string>> = {
  json: 'application/json',
  text: 'text/plain',
  html: 'text/html',
  file: '*/*',
  metrics: 'text/plain',
  events: 'text/event-stream',
};

/** @returns the document, as `/v1/openapi.json` has it */
export function openApi(): Json {
  const paths: Record<string, Json> = {};
  for (const [name, row] of routeRows()) {
    const { method, path: pattern } = partsOf(name);
    const path = pattern.replace('*', ':file');
    const parameters = [...path.matchAll(/:(\w+)/g)].map(([, word = '']) => inPath(word));
    const url = path.replace(/:(\w+)/g, '{$1}');
    paths[url] = { ...paths[url], [method.toLowerCase()]: operation(`${method} ${path}`, row, parameters) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'ringproxy admin API',
      version: readVersion(),
      description: `Sizes are bytes, times are ISO 8601 in UTC, durations are seconds. Roles, each of which may do what those before it may: ${ROLES.join(', ')}.`,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: 'http://127.0.0.1:6390', description: 'where a proxy serves it unless it is told otherwise' }],
    security: [{ token: [] }],
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'admin-token or admin-viewer-token' } },
      schemas: ANSWER_SCHEMAS,
      responses: {
        Error: {
          description: 'It was not done.',
          content: { 'application/json': { schema: { $ref: '#/components/schemas/ApiError' } } },
        },
      },
    },
  };
}

function operation(name: string, row: RouteRow, inUrl: readonly Json[]): Json {
  const parameters = [...inUrl, ...Object.entries(row.query ?? {}).map(([word, query]) => inQuery(word, query))];
  const content = CONTENT[row.form ?? 'json'];
  return {
    operationId: idOf(name),
    summary: row.help,
    tags: [name.split('/')[2]?.replace(/\..*/, '') || 'process'],
    'x-ringproxy-role': row.needs,
    ...(row.raised === undefined ? {} : { 'x-ringproxy-role-of-words': row.raised }),
    ...(isOpen(row.needs) ? { security: [] } : {}),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(row.body === undefined ? {} : { requestBody: requestBody(row.body) }),
    responses: {
      '200': { description: 'It was done.', content: { [content]: { schema: schemaOf(row) } } },
      default: { $ref: '#/components/responses/Error' },
    },
  };
}

function isOpen(needs: Access): boolean {
  return needs === 'nobody';
}

function schemaOf({ form = 'json', answer }: RouteRow): Json {
  if (form !== 'json') return { type: 'string' };
  if (answer === undefined) return { type: 'object' };
  const kinds = answer.split(' | ').map(schemaOfType);
  return kinds.length === 1 ? (kinds[0] ?? {}) : { anyOf: kinds };
}

/** @param type `A` or `A[]` */
function schemaOfType(type: string): Json {
  const one = { $ref: `#/components/schemas/${type.replace('[]', '')}` };
  return type.endsWith('[]') ? { type: 'array', items: one } : one;
}

function requestBody({ schema, optional, examples }: NonNullable<RouteRow['body']>): Json {
  const { $schema: _, ...described } = z.toJSONSchema(schema, { io: 'input' });
  const named = Object.entries(examples).map(([summary, value]): [string, Json] => [
    summary.replace(/[^\w.-]+/g, '-'),
    { summary, value },
  ]);
  return {
    required: !optional,
    content: { 'application/json': { schema: described, examples: Object.fromEntries(named) } },
  };
}

function inPath(word: string): Json {
  return { name: word, in: 'path', required: true, schema: { type: 'string' } };
}

function inQuery(name: string, { type, help, least, most, otherwise, many, required }: QueryWord): Json {
  const one = {
    type: type === 'number' ? 'integer' : type === 'flag' ? 'boolean' : 'string',
    ...(type === 'time' ? { format: 'date-time' } : {}),
    ...(least === undefined ? {} : { minimum: least }),
    ...(most === undefined ? {} : { maximum: most }),
    ...(otherwise === undefined ? {} : { default: otherwise }),
  };
  return {
    name,
    in: 'query',
    description: help,
    required: required ?? false,
    schema: many === true ? { type: 'array', items: one } : one,
  };
}

/** `POST /v1/ring/changes` is `postRingChanges`. */
function idOf(name: string): string {
  const [first = '', ...rest] = name.split(/\W+/).filter((word) => word !== '' && word !== 'v1');
  const words = rest.map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return `${first.toLowerCase()}${words.join('') || (name.endsWith('/v1') ? 'Index' : 'Page')}`;
}
