/**
 * Reads a nutcracker.yml as nutcracker's own parser does: every value is the text that stands there, so that a password
 * of digits stays what it is. What it says of a mistake has the line.
 */
import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument } from 'yaml';
import { RingproxyError } from '../../errors.js';

/** A text with the line it stands on, from 1 on. */
export interface Located {
  readonly text: string;
  readonly line: number;
}

export interface TwemproxyPool {
  readonly name: string;
  readonly line: number;
  /** By the directive's name; `servers` is not among them. */
  readonly directives: ReadonlyMap<string, Located>;
  readonly servers: readonly Located[];
  /** What nutcracker would refuse as well: directives that are named twice, lists where a text is expected … */
  readonly mistakes: readonly Mistake[];
}

export interface Mistake {
  readonly line: number;
  readonly message: string;
}

export interface TwemproxyFile {
  readonly pools: readonly TwemproxyPool[];
  /** Parts of the file that are no pools. */
  readonly strange: readonly Mistake[];
}

/** @throws RingproxyError that names every mistake */
export function refuse(what: string, mistakes: readonly Mistake[], hint: string): never {
  const lines = [...mistakes].sort((a, b) => a.line - b.line).map(({ line, message }) => `  line ${line}: ${message}`);
  throw new RingproxyError('TWEMPROXY', `${what}:\n${lines.join('\n')}`, hint);
}

/**
 * @param bytes the file: UTF-8, or UTF-16 with a byte order mark, as libyaml takes it
 * @throws RingproxyError when it is neither
 */
export function decodeText(bytes: Uint8Array): string {
  const mark =
    bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : 'utf-8';
  try {
    return new TextDecoder(mark, { fatal: true }).decode(bytes);
  } catch {
    throw new RingproxyError('YAML', 'the file is not UTF-8 text');
  }
}

/** @throws RingproxyError when the text is no nutcracker.yml at all */
export function readTwemproxyFile(text: string): TwemproxyFile {
  // A carriage return alone ends a line in YAML 1.1.
  const source = text.replace(/^\ufeff/, '').replace(/\r\n?/g, '\n');
  const lines = new LineCounter();
  const document = parseDocument(source, {
    lineCounter: lines,
    prettyErrors: false,
    schema: 'failsafe',
    uniqueKeys: false,
    strict: true,
  });
  const lineAt = (offset: number): number => lines.linePos(offset).line;
  const odd = /[\u0085\u2028\u2029]/.exec(source);
  if (odd !== null) {
    const message = 'a Unicode line break, which YAML 1.1 and 1.2 read differently';
    refuse('the file is not understood', [{ line: lineAt(odd.index), message }], 'remove it');
  }
  if (document.errors.length > 0) {
    const mistakes = document.errors.map((error) => ({ line: lineAt(error.pos[0]), message: error.message }));
    refuse('the file is not YAML', mistakes, 'expected a nutcracker.yml');
  }
  const { contents } = document;
  const lineOf = (node: Node | null): number => lineAt(node?.range?.[0] ?? 0);
  const resolve = (node: Node | null): Node | null => (isAlias(node) ? (node.resolve(document) ?? null) : node);
  if (!isMap(contents)) {
    refuse(
      'the file is not a nutcracker.yml',
      [{ line: lineOf(contents), message: 'there is no pool' }],
      'expected pools with listen, hash, servers …',
    );
  }
  const pools: TwemproxyPool[] = [];
  const strange: Mistake[] = [];
  for (const item of contents.items) {
    const name = textOf(item.key) ?? '';
    const line = lineOf(item.key);
    const value = resolve(item.value);
    const keys = isMap(value) ? value.items.map((pair) => textOf(pair.key)) : [];
    if (!isMap(value) || !(keys.includes('listen') || keys.includes('servers'))) {
      strange.push({ line, message: `'${name}' is not a pool of twemproxy: it has neither listen nor servers` });
    } else if (pools.some((pool) => pool.name === name)) {
      strange.push({ line, message: `there are two pools '${name}'` });
    } else {
      pools.push(readPool(name, line, value.items, { lineOf, resolve }));
    }
  }
  return { pools, strange };
}

interface Reader {
  lineOf(node: Node | null): number;
  resolve(node: Node | null): Node | null;
}

function readPool(name: string, line: number, items: readonly Pair[], { lineOf, resolve }: Reader): TwemproxyPool {
  const directives = new Map<string, Located>();
  const servers: Located[] = [];
  const mistakes: Mistake[] = [];
  let hasServers = false;
  for (const item of items) {
    const keyNode = nodeOf(item.key);
    const key = textOf(keyNode) ?? '';
    const at = lineOf(keyNode);
    const value = resolve(nodeOf(item.value));
    if (key === 'servers') {
      if (hasServers) mistakes.push({ line: at, message: 'servers is there twice' });
      hasServers = true;
      if (!isSeq(value)) mistakes.push({ line: at, message: 'servers is not a list, - host:port:weight name' });
      for (const entry of isSeq(value) ? value.items : []) {
        const node = nodeOf(entry);
        const text = textOf(resolve(node));
        if (text === null) mistakes.push({ line: lineOf(node), message: 'a server is a text, host:port:weight name' });
        else servers.push({ text, line: lineOf(node) });
      }
      continue;
    }
    const text = textOf(value);
    if (directives.has(key)) mistakes.push({ line: at, message: `${key} is there twice` });
    else if (text === null) mistakes.push({ line: at, message: `${key} has a map or a list where a text is expected` });
    else directives.set(key, { text, line: at });
  }
  return { name, line, directives, servers, mistakes };
}

function nodeOf(value: unknown): Node | null {
  return isNode(value) ? value : null;
}

/** @returns the text of a scalar: empty when nothing stands there; null when it is none */
function textOf(node: unknown): string | null {
  if (node === null) return '';
  return isScalar(node) ? String(node.value ?? '') : null;
}
