/** The hottest keys as operators see them. */
import type { HotKeyView, HotView } from '../../admin/api.js';
import type { HotReport } from '../../proxy/measure/hot-keys/hot-report.js';

/** What the ring and its groups say of hot keys. */
export interface HotKeyFacts {
  /** How this group is cached. */
  cacheOf(group: string): NonNullable<HotKeyView['cache']>;
  /** The name of the node that owns the key. */
  nodeOf(key: Buffer): string;
}

/** @param limit keys at most */
export function hotView(report: HotReport, limit: number, facts: HotKeyFacts, missing: HotView['missing']): HotView {
  const { perSecond, sampled } = report;
  return {
    perSecond: round(perSecond),
    sampled: Math.round(sampled),
    keys: report.keys.slice(0, limit).map(({ key, bytes, database, group, perSecond: used, reads, near }) => {
      const known = Buffer.from(key);
      const isWhole = bytes === known.length;
      const cache = group === null ? null : facts.cacheOf(group);
      return {
        key: isWhole ? escapeKey(known) : `${escapeKey(known)}…`,
        ...{ bytes, database, group },
        // Where a key is, hangs on all of its bytes; of a replicated group every proxy has it, and no node.
        node: isWhole && cache !== 'replicated' ? facts.nodeOf(known) : null,
        commandsPerSecond: round(used),
        share: perSecond === 0 ? 0 : Math.min(1, used / perSecond),
        reads,
        near,
        cache,
      };
    }),
    missing,
  };
}

/**
 * A key is bytes: what is UTF-8 and can be seen stays as it is, each other byte is `\xNN`, and a backslash is two, so
 * that no two keys are told alike.
 */
export function escapeKey(key: Buffer): string {
  const text = key.toString('utf8');
  const isText = Buffer.from(text, 'utf8').equals(key);
  const source = isText ? text : key.toString('latin1');
  const hidden = isText ? /[\\\p{C}\p{Z}]/gu : /[^!-[\]-~]/g;
  return source.replace(hidden, (char) => {
    if (char === '\\') return '\\\\';
    if (char === ' ') return ' ';
    return [...Buffer.from(char, isText ? 'utf8' : 'latin1')]
      .map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`)
      .join('');
  });
}

/** One decimal is more than is known. */
function round(rate: number): number {
  return Math.round(rate * 10) / 10;
}
