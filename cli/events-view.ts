/** Events as lines for people. */

import type { ProxyEvent } from '../src/client/event-stream.js';
import { colors } from './colors.js';
import { formatName } from './format.js';

const PREFIX = /^ringproxy:/;
/** The longest name of a channel that comes by itself. */
const NAME_WIDTH = 18;
/** What people should see: something does not work. */
const BAD = /:(?:down|impaired|rejected|attack|abandoned|failed|forced|left-out)$/;
/** Fields that a summary says in words. */
const SUMMARIZED: ReadonlySet<string> = new Set(['change', 'kind', 'generation', 'phase', 'nodes']);

/** One line: the time of day, the channel, its summary where it has one, and its fields. */
export function describeEvent({ event, at, ...fields }: ProxyEvent): string {
  const { summary, ...others } = fields;
  const hasSummary = typeof summary === 'string' && summary !== '';
  const name = formatName(event.replace(PREFIX, ''));
  const words = Object.entries(others)
    .filter(([field, value]) => value !== null && value !== '' && !(hasSummary && SUMMARIZED.has(field)))
    .map(([field, value]) => `${colors.dim(`${formatName(field)}=`)}${formatValue(value)}`);
  const bad = BAD.test(event) || fields.up === false || (event.endsWith(':paused') && typeof fields.error === 'string');
  return [
    colors.dim(timeOfDay(at)),
    (bad ? colors.red : colors.cyan)(name.padEnd(NAME_WIDTH)),
    ...(hasSummary ? [formatName(summary)] : []),
    ...words,
  ].join(' ');
}

/** In quotes where it could be taken for several words. */
function formatValue(value: unknown): string {
  if (typeof value === 'number') return String(Number.isInteger(value) ? value : Number(value.toPrecision(4)));
  if (typeof value !== 'string') return formatName(JSON.stringify(value) ?? '');
  return /^[^\s"=]+$/.test(value) ? formatName(value) : formatName(JSON.stringify(value));
}

/** Of the reader's own day, with milliseconds: `14:03:59.120`. */
function timeOfDay(at: string): string {
  const time = new Date(at);
  if (Number.isNaN(time.getTime())) return '-'.padEnd('00:00:00.000'.length);
  const part = (value: number, digits: number): string => String(value).padStart(digits, '0');
  const [hours, minutes, seconds] = [time.getHours(), time.getMinutes(), time.getSeconds()].map((v) => part(v, 2));
  return `${hours}:${minutes}:${seconds}.${part(time.getMilliseconds(), 3)}`;
}
