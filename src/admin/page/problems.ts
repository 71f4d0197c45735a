/** What is wrong, as the health line and the banner say it. Nothing here touches the document. */
import type { LoadView, NodeEjection, NodeView, RingView } from '../api.js';
import { formatPercent, formatTime, withLocalTimes } from './format.js';

export interface Problem {
  /** `bad`: something fails now. `warn`: something may, or waits for somebody. */
  readonly level: 'bad' | 'warn';
  /** A few words, for the title. */
  readonly short: string;
  readonly text: string;
  /** The node that it is about, or null. */
  readonly node: NodeView | null;
}

/** From this part of all commands on errors are what is wrong, and not what an application makes of its own. */
const MANY_ERRORS = 0.01;

export function findProblems(ring: RingView, load: LoadView | null): Problem[] {
  const found = [...ring.nodes.flatMap((node) => problemOf(node, ring) ?? []), ...proxyProblems(ring)];
  const { change } = ring;
  if (change?.error != null) {
    const what = change.paused ? 'is paused' : 'does not get on';
    found.push({
      ...{ level: 'warn', short: `the change ${what}`, node: null },
      text: `The change (${change.summary}) ${what}: ${change.error}`,
    });
  }
  if (found.every(({ level }) => level !== 'bad') && load !== null && areMany(load)) {
    const part = formatPercent(load.errorsPerSecond / load.commandsPerSecond);
    found.unshift({
      level: 'bad',
      short: 'errors',
      node: null,
      text: `${part} of the commands are answered with an error.`,
    });
  }
  return found.sort((a, b) => Number(a.level === 'warn') - Number(b.level === 'warn'));
}

export function areMany({ errorsPerSecond, commandsPerSecond }: LoadView): boolean {
  return errorsPerSecond > 0 && errorsPerSecond >= commandsPerSecond * MANY_ERRORS;
}

export function isDown({ state }: NodeView): boolean {
  return state === 'down' || state === 'ejected';
}

/** The proxies that serve and for which the node is down. */
export function downFor(node: NodeView, { proxies }: RingView): string[] {
  const serving = proxies.filter(({ alive, fencedOff }) => alive && !fencedOff).map(({ id }) => id);
  return serving.filter((id) => node.downFor.includes(id));
}

function problemOf(node: NodeView, ring: RingView): Problem | null {
  const name = `${node.name} (${node.master?.address ?? node.address})`;
  if (node.ejection !== null) return ejected(node, node.ejection);
  if (isDown(node)) {
    const since = node.downSince === null ? '' : ` since ${formatTime(new Date(node.downSince))}`;
    const why = node.error === null ? '' : `: ${node.error}`;
    const fails = node.share === 0 ? '' : ` Its keys, ${formatPercent(node.share)} of the ring, fail.`;
    return { level: 'bad', short: `${node.name} is down`, node, text: `${name} is down${since}${why}.${fails}` };
  }
  const down = downFor(node, ring);
  if (down.length > 0) {
    const part = formatPercent(node.share);
    const who = `${down.length === 1 ? 'the proxy' : 'the proxies'} ${down.join(', ')}`;
    const text = `${name} is down for ${who}, and not for this one: clients there miss ${part} of the ring.`;
    return { level: 'bad', short: `${node.name} is down for others`, node, text };
  }
  if (node.reason === null) return null;
  return { level: 'warn', short: `${node.name}: ${node.reason}`, node, text: `${name}: ${node.reason}` };
}

/** Clients are served: by the other nodes. */
function ejected(node: NodeView, { since, why, times }: NodeEjection): Problem {
  const lately = times === 1 ? '' : ` It has failed ${times} times lately.`;
  const comes =
    node.downSince === null
      ? 'It answers, and comes back, emptied, if it goes on.'
      : 'It comes back, emptied, when it answers.';
  const name = `${node.name} (${node.address})`;
  const text = `${name} is ejected since ${formatTime(new Date(since))}: ${withLocalTimes(why)}. Others have its keys. ${comes}${lately}`;
  return { level: 'warn', short: `${node.name} is ejected`, node, text };
}

function proxyProblems({ proxies, coordination }: RingView): Problem[] {
  if (coordination.kind === 'none') return [];
  return proxies.flatMap(({ id, alive, fencedOff }): Problem[] => {
    if (alive && !fencedOff) return [];
    const text = fencedOff
      ? `The proxy ${id} is fenced off: it may not speak to nodes.`
      : `The proxy ${id} gives no sign of itself: changes of the ring wait for it.`;
    return [{ level: 'warn', short: `a proxy is away`, node: null, text }];
  });
}
