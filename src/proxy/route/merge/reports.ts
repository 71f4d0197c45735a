/** Reports of nodes on themselves: texts stand one behind the other, figures add up. */
import { decodeReply, type ReplyValue } from '../../../resp/decode.js';
import { bulk, double, integer, map, type Protocol } from '../../../resp/encode.js';
import type { Group, Merger } from './group.js';

/** Figures of MEMORY STATS that are means, or parts of something: of them the greatest is shown. */
const NOT_ADDED = /percentage|ratio|bytes-per-key|\.fragmentation$|^fragmentation$/;

function values(group: Group): { readonly node: string; readonly value: ReplyValue }[] {
  return group.parts.flatMap(({ held, heldStart, heldEnd }, i) => {
    const decoded = held === null ? null : decodeReply(held.buffer.subarray(heldStart, heldEnd));
    return decoded === null ? [] : [{ node: group.nodes[i]?.name ?? '', value: decoded.value }];
  });
}

/** MEMORY DOCTOR, MALLOC-STATS, LATENCY DOCTOR and GRAPH: each node's text under its name. */
export const mergeTexts: Merger = (group, out) => {
  const all = values(group);
  const texts = all.map(({ node, value }) => `# Node ${node}\n${String(value).trimEnd()}\n`);
  const text = all.length === 1 ? String(all[0]?.value) : texts.join('\n');
  const length = Buffer.byteLength(text);
  out.text(group.protocol === 3 ? `=${length + 4}\r\ntxt:${text}\r\n` : `$${length}\r\n${text}\r\n`);
};

/** MEMORY STATS: figures that add up are added. */
export const mergeStats: Merger = (group, out) => {
  let sum = new Map<string, ReplyValue>();
  for (const { value } of values(group)) sum = added(sum, fieldsOf(value));
  const encoded = encodeMap(sum, group.protocol);
  out.append(encoded, 0, encoded.length);
};

/** LATENCY HISTOGRAM: calls add up, and so do the histograms, whose buckets count everything up to their bound. */
export const mergeHistograms: Merger = (group, out) => {
  const commands = new Map<string, { calls: number; parts: Map<number, number>[] }>();
  for (const { value } of values(group)) {
    for (const [command, entry] of fieldsOf(value)) {
      const fields = fieldsOf(entry);
      const merged = commands.get(command) ?? { calls: 0, parts: [] };
      merged.calls += Number(fields.get('calls') ?? 0);
      const buckets = [...fieldsOf(fields.get('histogram_usec') ?? [])];
      merged.parts.push(new Map(buckets.map(([bound, count]) => [Number(bound), Number(count)])));
      commands.set(command, merged);
    }
  }
  const { protocol } = group;
  const pairs = [...commands].map(([command, { calls, parts }]): [Buffer, Buffer] => {
    const buckets = cumulated(parts).map(([bound, count]): [Buffer, Buffer] => [integer(bound), integer(count)]);
    const fields = map(
      [
        [bulk('calls'), integer(calls)],
        [bulk('histogram_usec'), map(buckets, protocol)],
      ],
      protocol,
    );
    return [bulk(command), fields];
  });
  const encoded = map(pairs, protocol);
  out.append(encoded, 0, encoded.length);
};

/** The sum of step functions, each given by what it has reached at some bounds. */
function cumulated(parts: readonly Map<number, number>[]): [bound: number, count: number][] {
  const bounds = [...new Set(parts.flatMap((part) => [...part.keys()]))].sort((a, b) => a - b);
  const reached = parts.map(() => 0);
  return bounds.map((bound) => {
    parts.forEach((part, i) => {
      reached[i] = part.get(bound) ?? (reached[i] as number);
    });
    return [bound, reached.reduce((sum, count) => sum + count, 0)];
  });
}

/** A map, which RESP2 has as a flat array. */
function fieldsOf(value: ReplyValue): Map<string, ReplyValue> {
  if (value instanceof Map) return new Map([...value].map(([key, field]) => [String(key), field]));
  const fields = new Map<string, ReplyValue>();
  if (!Array.isArray(value)) return fields;
  for (let i = 0; i + 1 < value.length; i += 2) fields.set(String(value[i]), value[i + 1] ?? null);
  return fields;
}

function added(a: Map<string, ReplyValue>, b: Map<string, ReplyValue>): Map<string, ReplyValue> {
  const sum = new Map(a);
  for (const [field, value] of b) {
    const before = sum.get(field);
    if (before === undefined) sum.set(field, value);
    else if (typeof value === 'number' && typeof before === 'number') {
      sum.set(field, NOT_ADDED.test(field) ? Math.max(before, value) : before + value);
    } else if (Buffer.isBuffer(value) && NOT_ADDED.test(field)) {
      if (Number(value) > Number(before)) sum.set(field, value);
    } else if (value instanceof Map || Array.isArray(value)) {
      const nested: Map<ReplyValue, ReplyValue> = new Map(added(fieldsOf(before), fieldsOf(value)));
      sum.set(field, nested);
    }
  }
  return sum;
}

function encodeMap(fields: Map<string, ReplyValue>, protocol: Protocol): Buffer {
  return map(
    [...fields].map(([field, value]) => [bulk(field), encodeField(value, protocol)]),
    protocol,
  );
}

function encodeField(value: ReplyValue, protocol: Protocol): Buffer {
  if (typeof value === 'number') return Number.isInteger(value) ? integer(value) : double(value, protocol);
  if (value instanceof Map || Array.isArray(value)) return encodeMap(fieldsOf(value), protocol);
  return bulk(Buffer.isBuffer(value) ? value : String(value));
}
