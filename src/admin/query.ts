import type { FastifyRequest } from 'fastify';
import { RingproxyError } from '../errors.js';

/** The values of `key` in a URL, as bytes: keys are binary, and a percent-encoded byte stands for itself. */
export function parseKeys(url: string): Buffer[] {
  const question = url.indexOf('?');
  if (question < 0) return [];
  return url
    .slice(question + 1)
    .split('&')
    .filter((part) => part.startsWith('key='))
    .map((part) => decodeBytes(part.slice('key='.length)));
}

function decodeBytes(text: string): Buffer {
  const bytes: number[] = [];
  for (let i = 0; i < text.length; i++) {
    const hex = text[i] === '%' ? text.slice(i + 1, i + 3) : '';
    if (/^[0-9a-f]{2}$/i.test(hex)) {
      bytes.push(Number.parseInt(hex, 16));
      i += 2;
    } else {
      bytes.push(...Buffer.from(text[i] === '+' ? ' ' : (text[i] ?? '')));
    }
  }
  return Buffer.from(bytes);
}

/** @throws RingproxyError when it is given and no whole number within the bounds */
export function numberOf(
  request: FastifyRequest,
  name: string,
  { least, most, otherwise }: { least: number; most: number; otherwise: number },
): number {
  const text = new URL(request.url, 'http://localhost').searchParams.get(name);
  if (text === null) return otherwise;
  const value = Number(text);
  if (/^\d{1,16}$/.test(text) && value >= least && value <= most) return value;
  throw new RingproxyError('BAD_REQUEST', `${name}=${text} is not understood`, `expected ${least} to ${most}`);
}

/** @throws RingproxyError when it is given and neither `true` nor `false` */
export function flagOf(request: FastifyRequest, name: string, otherwise: boolean): boolean {
  const text = new URL(request.url, 'http://localhost').searchParams.get(name);
  if (text === null) return otherwise;
  if (text === 'true' || text === 'false') return text === 'true';
  throw new RingproxyError('BAD_REQUEST', `${name}=${text} is not understood`, 'expected true or false');
}

/** @throws RingproxyError when it is given and no time */
export function timeOf(request: FastifyRequest, name: string): Date | null {
  const text = new URL(request.url, 'http://localhost').searchParams.get(name);
  if (text === null) return null;
  const time = new Date(text);
  if (!Number.isNaN(time.getTime())) return time;
  throw new RingproxyError('BAD_REQUEST', `${name}=${text} is no time`, 'expected one such as 2026-01-31T12:00:00Z');
}

/** @returns what the path has for `:name` */
export function parameterOf(request: FastifyRequest, name: string): string {
  const { params } = request;
  return typeof params === 'object' && params !== null ? String(Reflect.get(params, name) ?? '') : '';
}
