/**
 * Which server is a node's master, by what those say who know: pure.
 *
 * Of Sentinels a majority of all that are named must say the same: a failover is theirs only when a majority has voted
 * for it, so a minority is cut off, late, or wrong. The epoch of their configuration grows with each failover; an older
 * one than was seen counts no more.
 */
import { follows, goesOnFrom, type Replication } from './replication.js';

/** A node's master, as far as it is known. */
export interface Found {
  /** `HOST:PORT`. */
  readonly address: string;
  /** Of Sentinel's configuration; null: it is not Sentinels that say so. */
  readonly epoch: number | null;
}

export interface Verdict {
  /** Null: it cannot be told. */
  readonly found: Found | null;
  /** Why not, as a predicate of the node, or what is strange; empty: all agree. */
  readonly why: string;
  /** A majority says that it is this one, by an older epoch than is known. */
  readonly older?: string;
}

/** What one Sentinel says. */
export type SentinelAnswer = { readonly sentinel: string } & (
  | { readonly address: string; readonly epoch: number }
  | { readonly error: string }
);

/**
 * @param current what was found before; null: nothing yet
 * @param counts whether an older epoch than that one's counts for nothing: Sentinels that were set up anew begin at 0
 */
export function judgeSentinels(answers: readonly SentinelAnswer[], current: Found | null, counts: boolean): Verdict {
  const needed = Math.floor(answers.length / 2) + 1;
  const said = answers.flatMap((answer) => ('address' in answer ? answer : []));
  const errors = answers.flatMap((answer) => ('error' in answer ? `${answer.sentinel}: ${answer.error}` : []));
  const addresses = [...new Set(said.map(({ address }) => address))];
  const agreed = addresses.find((address) => said.filter((answer) => answer.address === address).length >= needed);
  if (agreed === undefined)
    return { found: null, why: whyUndecided({ count: answers.length, current, said, addresses, errors }) };
  // What a majority vouches for: a single one that claims more is not believed.
  const epochs = said.flatMap(({ address, epoch }) => (address === agreed ? epoch : [])).sort((a, b) => b - a);
  const epoch = epochs[needed - 1] ?? 0;
  if (counts && current !== null && current.address !== agreed && epoch < (current.epoch ?? 0)) {
    return {
      found: null,
      older: agreed,
      why: `its Sentinels say ${agreed} by configuration epoch ${epoch}, and ${current.address} was its master by the later one ${current.epoch ?? 0}`,
    };
  }
  const dissent = addresses.filter((address) => address !== agreed);
  return {
    found: { address: agreed, epoch },
    why: dissent.length === 0 ? '' : `a minority of its Sentinels says that its master is ${dissent.join(', ')}`,
  };
}

interface Undecided {
  /** Of the Sentinels that are named. */
  readonly count: number;
  readonly current: Found | null;
  readonly said: readonly { readonly address: string }[];
  readonly addresses: readonly string[];
  readonly errors: readonly string[];
}

function whyUndecided({ count, current, said, addresses, errors }: Undecided): string {
  const lacks = current === null ? 'has no master that is known' : `stays with ${current.address}`;
  const views = addresses.map((address) => `${said.filter((each) => each.address === address).length} say ${address}`);
  const silent = errors.length === 0 ? '' : ` (${errors.join('; ')})`;
  if (views.length > 1) return `${lacks}: its Sentinels do not agree, ${views.join(', ')}${silent}`;
  return `${lacks}: ${errors.length} of its ${count} Sentinels do not say where it is${silent}`;
}

/** What one of a node's servers says; null: it does not answer. */
export interface ServerAnswer {
  readonly address: string;
  readonly replication: Replication | null;
}

/**
 * Of servers that all say that they are master, the one counts that was promoted last: its history goes on from another
 * one's. That is the same whoever asks. Where the one that served does not answer, only a server whose history goes on
 * from there takes its place: any other one lacks what was acknowledged last, as a former master that comes back does.
 * @param last what the current one said when it was found last; null: nothing yet
 */
export function judgeServers(
  answers: readonly ServerAnswer[],
  current: Found | null,
  last: Pick<Replication, 'history'> | null = null,
): Verdict {
  const masters = answers.flatMap(({ address, replication }) =>
    replication?.role === 'master' ? { address, replication } : [],
  );
  const latest = masters.filter(
    (one) => !masters.some((other) => other !== one && follows(other.replication, one.replication)),
  );
  const [only] = latest;
  if (only === undefined) {
    const silent = answers.filter(({ replication }) => replication === null).map(({ address }) => address);
    const how = silent.length === 0 ? 'all of them are replicas' : `${silent.join(', ')} does not answer`;
    return { found: null, why: `has no master: none of its servers says that it is one, ${how}` };
  }
  const names = latest.map(({ address }) => address).join(' and ');
  const why = latest.length === 1 ? '' : `${names} say that they are master, and neither follows the other`;
  const heirs = last === null ? [] : latest.filter(({ replication }) => goesOnFrom(replication, last));
  const known = latest.find(({ address }) => address === current?.address);
  const [heir] = heirs;
  const chosen = heir !== undefined && heirs.length === 1 ? heir : known;
  if (chosen !== undefined) return { found: { address: chosen.address, epoch: null }, why };
  if (latest.length > 1) return { found: null, why };
  if (last === null || current === null || isObeyed(only, answers, current))
    return { found: { address: only.address, epoch: null }, why };
  return {
    found: null,
    why: `${only.address} says that it is master, but lacks what ${current.address}, which served last, has acknowledged: its history does not go on from there. It is taken only when it has followed ${current.address}, or that one follows it, or when it was forgotten who served last`,
  };
}

/** Whether the one that served before says of itself that it has the other one's history now: so nothing else is left. */
function isObeyed(
  { replication: { history } }: { readonly replication: Replication },
  answers: readonly ServerAnswer[],
  current: Found,
): boolean {
  const before = answers.find(({ address }) => address === current.address)?.replication;
  return before?.role === 'replica' && before.history === history;
}
