/**
 * INFO over all nodes: texts are read into sections and fields, fields are merged as `info-fields.ts`
 * says, everything else is what the first node says.
 */

import { bulkPayload, lineEnd } from '../../../resp/whole-reply.js';
import type { Merger, MissingPart } from './group.js';
import { FIELD_MERGES, type FieldMerge, HUMAN } from './info-fields.js';

type Section = Map<string, string>;

/**
 * @param own lines of the proxy's own section; empty: it was not asked for
 * @param figures fields that the proxy knows and the nodes do not
 * @param added what the proxy adds to fields of the nodes
 */
export function infoMerger(
  own: readonly string[],
  figures: Readonly<Record<string, number | string>> = {},
  added: Readonly<Record<string, number>> = {},
): Merger {
  return (group, out) => {
    const texts: string[] = [];
    for (const part of group.parts) {
      if (part.held) texts.push(infoText(part.held.buffer, part.heldStart, part.heldEnd));
    }
    // Figures without a node must not pass for those of the whole: it is named whatever sections were asked for.
    const lines = [...own, ...missingLines(group.missing)];
    const section = lines.length === 0 ? '' : `# Ringproxy\r\n${lines.join('\r\n')}\r\n\r\n`;
    const text = section + withFigures(mergeInfoTexts(texts), figures, added);
    const header = group.protocol === 3 ? `=${Buffer.byteLength(text) + 4}\r\ntxt:` : `$${Buffer.byteLength(text)}\r\n`;
    out.text(`${header}${text}\r\n`);
  };
}

/**
 * The nodes that the figures lack, as Redis names replicas (`slave0:ip=…,port=…`): programs that read INFO take a value
 * with `=` and `,` apart into fields, so neither may be in a field's text.
 */
function missingLines(missing: readonly MissingPart[]): string[] {
  if (missing.length === 0) return [];
  const plain = (text: string): string => text.replace(/,/g, ';').replace(/=/g, ':');
  const nodes = missing.map(
    ({ node, why }, i) =>
      `missing${i}:name=${plain(node.name)},address=${plain(node.shownAddress)},reason=${plain(why)}`,
  );
  return [`ringproxy_nodes_missing:${missing.length}`, ...nodes.map((line) => `ringproxy_${line}`)];
}

function withFigures(
  text: string,
  figures: Readonly<Record<string, number | string>>,
  added: Readonly<Record<string, number>>,
): string {
  return text.replace(/^(\w+):(.*)$/gm, (line, field: string, value: string) => {
    const figure = figures[field];
    if (figure !== undefined) return `${field}:${figure}`;
    const more = added[field];
    return more === undefined ? line : `${field}:${Number(value) + more}`;
  });
}

/** A bulk in RESP2, a verbatim string (`=len\r\ntxt:…`) in RESP3. */
function infoText(buffer: Buffer, start: number, end: number): string {
  if (buffer[start] === 0x3d) return buffer.toString('utf8', lineEnd(buffer, start) + 4, end - 2);
  return bulkPayload(buffer, start, end)?.toString('utf8') ?? '';
}

const LOADING_FIELDS: readonly string[] = [
  ...['loading_start_time', 'loading_total_bytes', 'loading_rdb_used_mem', 'loading_loaded_bytes'],
  ...['loading_loaded_perc', 'loading_eta_seconds'],
];

/** @returns one INFO text made of those of the nodes */
export function mergeInfoTexts(texts: readonly string[]): string {
  const merged = new Map<string, Section>();
  for (const text of texts) {
    for (const [title, fields] of parseInfo(text)) mergeSection(merged, title, fields);
  }
  let result = '';
  for (const [title, fields] of merged) {
    for (const [field, human] of Object.entries(HUMAN)) {
      const bytes = fields.get(field);
      if (bytes !== undefined && fields.has(human)) fields.set(human, humanBytes(Number(bytes)));
    }
    // How far a node has loaded says nothing of a whole that serves.
    if (fields.get('loading') === '0') for (const field of LOADING_FIELDS) fields.delete(field);
    result += `# ${title}\r\n`;
    for (const [field, value] of fields) result += `${field}:${value}\r\n`;
    result += '\r\n';
  }
  return result;
}

/** Sections in the order of the text; fields in the order of the section. */
export function parseInfo(text: string): Map<string, Section> {
  const sections = new Map<string, Section>();
  let current: Section | undefined;
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith('# ')) {
      current = new Map();
      sections.set(line.slice(2), current);
    } else if (line !== '') {
      const colon = line.indexOf(':');
      if (colon > 0) current?.set(line.slice(0, colon), line.slice(colon + 1));
    }
  }
  return sections;
}

function mergeSection(merged: Map<string, Section>, title: string, fields: Section): void {
  const known = merged.get(title);
  if (known === undefined) {
    merged.set(title, new Map(fields));
    return;
  }
  for (const [field, value] of fields) {
    const before = known.get(field);
    const merge = FIELD_MERGES.get(field);
    if (before === undefined) known.set(field, value);
    else if (merge !== undefined) known.set(field, MERGES[merge](before, value));
    else if (/^db\d+$/.test(field) || field.startsWith('cmdstat_') || field.startsWith('errorstat_')) {
      known.set(field, addFields(before, value));
    }
  }
}

const MERGES: Readonly<Record<FieldMerge, (a: string, b: string) => string>> = {
  sum: addNumbers,
  most: (a, b) => (Number(b) > Number(a) ? b : a),
  least: (a, b) => (Number(b) < Number(a) ? b : a),
  worst: (a, b) => (a === 'ok' ? b : a),
};

/** As many decimals as Redis has them. */
function addNumbers(a: string, b: string): string {
  const sum = Number(a) + Number(b);
  if (!Number.isFinite(sum)) return a;
  return sum.toFixed(a.includes('.') ? a.length - a.indexOf('.') - 1 : 0);
}

/** Adds `keys=1,expires=0,avg_ttl=0` field by field; averages (avg_ttl, usec_per_call) are weighed by their count. */
function addFields(a: string, b: string): string {
  const left = parseFields(a);
  const right = parseFields(b);
  const weigh = (field: string, weight: string): string => {
    const wa = left.get(weight) ?? 0;
    const wb = right.get(weight) ?? 0;
    const value = wa + wb === 0 ? 0 : ((left.get(field) ?? 0) * wa + (right.get(field) ?? 0) * wb) / (wa + wb);
    return field === 'avg_ttl' ? String(Math.round(value)) : value.toFixed(2);
  };
  const fields = [...new Set([...left.keys(), ...right.keys()])].map((field) => {
    if (field === 'avg_ttl') return `${field}=${weigh(field, 'expires')}`;
    if (field === 'usec_per_call') return `${field}=${weigh(field, 'calls')}`;
    return `${field}=${(left.get(field) ?? 0) + (right.get(field) ?? 0)}`;
  });
  return fields.join(',');
}

function parseFields(text: string): Map<string, number> {
  return new Map(
    text.split(',').map((field) => {
      const [name = '', value = '0'] = field.split('=');
      return [name, Number(value)] as const;
    }),
  );
}

function humanBytes(bytes: number): string {
  const units = ['B', 'K', 'M', 'G', 'T'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(2)}${units[unit]}`;
}
