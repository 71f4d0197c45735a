/** Groups of keys, and changes of them. */

/** How keys are told apart and cached: `GET /v1/groups` and `ringproxy groups --json`. Counts are of all proxies of the ring. */
export interface GroupsView {
  /** Where the groups stand: with the ring, for all proxies, or in the configuration of this one. */
  source: 'ring' | 'configuration';
  /** What a change may name (`revision=…`), so that it is refused when somebody else was faster; 0: nothing is recorded. */
  revision: number;
  /** Who has changed them last: the id of the proxy at which it was asked for, and when (ISO date); null: nobody. */
  changed: { by: string; at: string } | null;
  groups: GroupView[];
  /** Keys of no group; null: there are no groups. */
  other: GroupCountsView | null;
  /** Whose counts are missing, and why. */
  missing: { proxy: string; why: string }[];
}

export interface GroupView extends GroupCountsView {
  group: string;
  prefixes: string[];
  /** In the words of the configuration; `cache` is always there. */
  policy: Record<string, string>;
  /**
   * Of `cache: near`: what all processes of all proxies keep, and reads that were answered from there, or not, with the
   * share of those that were (0 to 1; null: nothing was read); else null.
   */
  near: { entries: number; bytes: number; hits: number; misses: number; hitRatio: number | null } | null;
  /** Of `cache: replicated`: what each process of each proxy has; else null. */
  replicated: { keys: number; bytes: number } | null;
  /** What became of misses, by outcome, as in `ringproxy_fill_waits_total`; null: the group has no `fill-wait`. */
  fill: Record<string, number> | null;
  /**
   * Of these misses, how many have spared their clients making the value (`filled`, `stale`), 0 to 1; null: there were
   * none, or `fill` is null.
   */
  fillShare: number | null;
  /** Who has answered reads, by outcome, as in `ringproxy_replica_reads_total`; null: the group has not `read-from: replica`. */
  replicaReads: Record<string, number> | null;
  /** Of these reads, how many replicas have answered, 0 to 1; null: nothing was read, or `replicaReads` is null. */
  replicaShare: number | null;
}

/** Since the start of each proxy. */
export interface GroupCountsView {
  /** A command counts for the group of its first key. */
  commands: number;
  /** Within the last ten seconds; null: not measured yet. */
  commandsPerSecond: number | null;
  errors: number;
  hits: number;
  misses: number;
  /** 0 to 1; null: nothing was read. */
  hitRatio: number | null;
}

/** What operators ask of the groups of keys. */
export type GroupsChange =
  /** A group becomes as it is written, as in the configuration, or is made. */
  | { readonly kind: 'put'; readonly group: string; readonly written: unknown }
  /** What is not named stays; a word that is null becomes its default again. */
  | { readonly kind: 'set'; readonly group: string; readonly words: Readonly<Record<string, unknown>> }
  | { readonly kind: 'remove'; readonly group: string }
  /** All become as they are written, as in the configuration. */
  | { readonly kind: 'all'; readonly written: unknown }
  /** Those of each proxy's configuration. */
  | { readonly kind: 'reset' };

export interface GroupsChangeOptions {
  /** Go on although keys that are there are not seen any more; they are not looked for then. */
  readonly force: boolean;
  /** What whoever asks has seen (`GroupsView.revision`); null: whatever there is. */
  readonly revision: number | null;
}

/** What a change of the groups would do: the answer to one with `dryRun=true`. */
export interface GroupsPreview {
  dryRun: true;
  /** Where the groups would stand, and of which revision they would be changed: as in `GroupsView`. */
  source: GroupsView['source'];
  revision: number;
  /** In words, what would be otherwise; empty: nothing. */
  differences: string[];
  groups: Pick<GroupView, 'group' | 'prefixes' | 'policy'>[];
  /** What was looked at for keys that would not be seen any more; empty: none can be hidden by it. */
  hidden: HiddenKeysView[];
  /** Keys would not be seen any more, or that is not known: it is refused without `force=true`. */
  needsForce: boolean;
}

/** What a node, or the proxies, have of keys that would be looked for elsewhere. */
export interface HiddenKeysView {
  /** Null: they are in the proxies, where all have the same. */
  node: string | null;
  address: string | null;
  /** What they begin with. */
  prefixes: string[];
  /** That were found. */
  keys: number;
  /** There are no others. */
  complete: boolean;
  /** Why it could not be looked at, or null. */
  error: string | null;
}
