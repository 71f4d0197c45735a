/**
 * SORT whose BY and GET name further keys by patterns, which may be anywhere.
 *
 *   the key's node    TYPE, MEMORY USAGE, then MULTI DUMP PTTL and its elements EXEC
 *   other nodes       GET weight_1, HGET object_1 name, …                                what the patterns name
 *   home              MULTI
 *                     RESTORE __ringproxy__lent:0 …, SET __ringproxy__lent:2:1 …         each under such a name
 *                     SORT __ringproxy__lent:0 BY __ringproxy__lent:2:* …
 *                     UNLINK …
 *                     EXEC
 *
 * Home is where STORE's key is, otherwise the sorted key's node. What the patterns name is read after the elements.
 */
import { error as encodeError, request as encodeRequest } from '../../../../resp/encode.js';
import { bulkPayload } from '../../../../resp/whole-reply.js';
import { RESERVED_PREFIX } from '../../../route/reserved.js';
import type { UpstreamNode } from '../../../upstream/upstream-node.js';
import { unlessError } from '../exec.js';
import { dumpFrames, expectFew, lentName, restoreFrame, type Value, valueIn } from '../lent-values.js';
import type { Operation } from '../operation.js';
import { elementsIn } from '../replies.js';
import { StepFailed } from '../step-failed.js';
import { expectTaken } from '../taken-dumps.js';

const READS: Readonly<Record<string, (key: Buffer) => Buffer>> = {
  list: (key) => encodeRequest(['LRANGE', key, '0', '-1']),
  set: (key) => encodeRequest(['SMEMBERS', key]),
  zset: (key) => encodeRequest(['ZRANGE', key, '0', '-1']),
};
const ARROW = '->';
const ASTERISK = '*';

/** `weight_*` or `object_*->field`, at one place of the command. Texts have one character for each byte. */
interface Pattern {
  readonly at: number;
  readonly before: string;
  readonly behind: string;
  /** Empty: it names strings. */
  readonly field: string;
}

/** The elements of the sorted key, and all of it. */
interface Sorted {
  readonly value: Value | null;
  readonly elements: readonly string[];
}

/** A frame that sets what a pattern names for an element, and under which name it is set. */
interface Lent {
  readonly name: Buffer;
  readonly frame: Buffer;
}

export async function sortByPatterns(operation: Operation): Promise<Buffer> {
  const { words, owners } = operation.call;
  const key = words[1] as Buffer;
  const node = owners[0] as UpstreamNode;
  const home = owners.at(-1) as UpstreamNode;
  const type = (await operation.one(node, ['TYPE', key])).toString('latin1', 1).trim();
  const read = READS[type];
  // There is no key, or it is of another type: its node says so, whatever the patterns name.
  if (read === undefined && type !== 'none') return operation.one(node, words);
  await expectFew(operation, [{ key, node }]);
  const sorted = read === undefined ? { value: null, elements: [] } : await readSorted(operation, node, key, read(key));
  const patterns = patternsIn(words);
  const lent = await lendNamed(operation, patterns, sorted.elements);
  const named = words.map((word, at) => {
    const pattern = patterns.find((one) => one.at === at);
    return pattern === undefined ? word : patternOf(pattern);
  });
  named[1] = lentName(0);
  return runAt(operation, home, named, sorted.value, lent);
}

async function readSorted(operation: Operation, node: UpstreamNode, key: Buffer, read: Buffer): Promise<Sorted> {
  const [dump, pttl, elements] = await operation.exec(node, [...dumpFrames(key), read]);
  const value = valueIn(dump as Buffer, pttl as Buffer);
  const texts = elementsIn(unlessError(elements as Buffer)).map(
    (element) => bulkPayload(element, 0, element.length)?.toString('latin1') ?? '',
  );
  return { value, elements: texts };
}

function patternsIn(words: readonly Buffer[]): Pattern[] {
  const patterns: Pattern[] = [];
  for (let at = 2; at + 1 < words.length; at++) {
    const word = words[at]?.toString('latin1').toLowerCase();
    if (word !== 'by' && word !== 'get') continue;
    const pattern = patternIn(++at, (words[at] as Buffer).toString('latin1'));
    if (pattern !== null) patterns.push(pattern);
  }
  return patterns;
}

/** @returns null: it names no key, since it has no asterisk */
function patternIn(at: number, text: string): Pattern | null {
  const asterisk = text.indexOf(ASTERISK);
  if (asterisk < 0) return null;
  const arrow = text.indexOf(ARROW, asterisk + 1);
  const end = arrow >= 0 && arrow + ARROW.length < text.length ? arrow : text.length;
  const field = text.slice(end + ARROW.length);
  return { at, before: text.slice(0, asterisk), behind: text.slice(asterisk + 1, end), field };
}

/** Reads what the patterns name, at its owners. @throws StepFailed when that is more than may be taken from node to node */
async function lendNamed(
  operation: Operation,
  patterns: readonly Pattern[],
  elements: readonly string[],
): Promise<Lent[]> {
  const { nodesOf, maxBytes } = operation.call;
  const lent: Lent[] = [];
  let bytes = 0;
  for (const pattern of patterns) {
    let missing = [...new Set(elements)];
    // What moves is at the second of its nodes when it is not at the first any more; which these are may change meanwhile.
    const asked = new Map<string, readonly UpstreamNode[]>();
    for (;;) {
      const byNode = grouped(missing, (element) => {
        const known = asked.get(element) ?? [];
        return nodesOf(nameIn(pattern, element)).find((node) => !known.includes(node));
      });
      if (byNode.size === 0) break;
      missing = [];
      for (const [node, some] of byNode) {
        const values = await valuesAt(operation, node, pattern, some);
        for (const [i, element] of some.entries()) {
          const value = values[i] ?? null;
          if (value === null) {
            missing.push(element);
            asked.set(element, [...(asked.get(element) ?? []), node]);
            continue;
          }
          bytes += value.length;
          if (bytes > maxBytes) throw new StepFailed(tooMuch(maxBytes), true);
          lent.push(lentOf(pattern, element, value));
        }
      }
    }
  }
  return lent;
}

/** @returns what the pattern names for these elements; null: the node has none @throws StepFailed when it cannot be asked */
async function valuesAt(
  operation: Operation,
  node: UpstreamNode,
  pattern: Pattern,
  elements: readonly string[],
): Promise<(Buffer | null)[]> {
  const names = elements.map((element) => nameIn(pattern, element));
  try {
    const replies = await operation.ask(
      node,
      names.map((name) => readOf(name, pattern.field)),
    );
    // Of another type it counts as missing.
    return replies.map((reply) => bulkPayload(reply, 0, reply.length));
  } catch (error) {
    // It has left the ring meanwhile: then all that it had has moved.
    const hasLeft = names.every((name) => !operation.call.nodesOf(name).includes(node));
    if (error instanceof StepFailed && hasLeft) return names.map(() => null);
    throw error;
  }
}

/** @returns by node those that have one */
function grouped(
  elements: readonly string[],
  nodeOf: (element: string) => UpstreamNode | undefined,
): Map<UpstreamNode, string[]> {
  const groups = new Map<UpstreamNode, string[]>();
  for (const element of elements) {
    const node = nodeOf(element);
    if (node === undefined) continue;
    const group = groups.get(node);
    if (group === undefined) groups.set(node, [element]);
    else group.push(element);
  }
  return groups;
}

function nameIn({ before, behind }: Pattern, element: string): Buffer {
  return Buffer.from(`${before}${element}${behind}`, 'latin1');
}

function readOf(name: Buffer, field: string): Buffer {
  return field === '' ? encodeRequest(['GET', name]) : encodeRequest(['HGET', name, Buffer.from(field, 'latin1')]);
}

function lentOf({ at, field }: Pattern, element: string, value: Buffer): Lent {
  const name = Buffer.concat([RESERVED_PREFIX, Buffer.from(`lent:${at}:${element}`, 'latin1')]);
  if (field === '') return { name, frame: encodeRequest(['SET', name, value]) };
  return { name, frame: encodeRequest(['HSET', name, Buffer.from(field, 'latin1'), value]) };
}

/** The pattern that names what was lent for one. */
function patternOf({ at, field }: Pattern): Buffer {
  const arrow = field === '' ? '' : `${ARROW}${field}`;
  return Buffer.concat([RESERVED_PREFIX, Buffer.from(`lent:${at}:${ASTERISK}${arrow}`, 'latin1')]);
}

async function runAt(
  operation: Operation,
  home: UpstreamNode,
  words: readonly Buffer[],
  value: Value | null,
  lent: readonly Lent[],
): Promise<Buffer> {
  await expectTaken(operation, home, [value]);
  const before = [...(value === null ? [] : [restoreFrame(lentName(0), value)]), ...lent.map(({ frame }) => frame)];
  const names = [...(value === null ? [] : [lentName(0)]), ...lent.map(({ name }) => name)];
  const after = names.length === 0 ? [] : [encodeRequest(['UNLINK', ...names])];
  const replies = await operation.exec(home, [...before, encodeRequest(words), ...after]);
  for (const reply of replies.slice(0, before.length)) unlessError(reply);
  return unlessError(replies[before.length] as Buffer);
}

function tooMuch(maxBytes: number): Buffer {
  return encodeError(
    `ERR SORT would take more bytes from node to node than cross-node-max-bytes, which is ${maxBytes}: give what its patterns name the hash tag of the key`,
  );
}
