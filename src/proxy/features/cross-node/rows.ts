/** Which way a command goes whose keys are on several nodes, by what its row says. */
import type { CrossNode } from '../../../commands/columns.js';
import type { Command } from '../../../commands/command.js';
import type { RequestFramer } from '../../../resp/request-framer.js';
import type { CrossNodeWay } from '../../measure/cross-node-counters.js';
import { namesKeysByPatterns } from '../../route/sort-patterns.js';
import type { Way } from './operation.js';
import { setAllOrNone } from './ways/all-or-none.js';
import { runCode } from './ways/code.js';
import { popFirst, popFirstAtOnce } from './ways/first-of.js';
import { lendForFirst, lendForLast, lendForRead } from './ways/lend.js';
import { moveElement, moveElementAtOnce } from './ways/list-move.js';
import { rename, renameUnlessThere } from './ways/rename.js';
import { moveMember } from './ways/set-move.js';
import { sortByPatterns } from './ways/sort.js';
import { readStreams, readStreamsAtOnce } from './ways/streams.js';

export interface WayRow {
  readonly way: CrossNodeWay;
  readonly run: Way;
}

const BY_PATTERNS: WayRow = { way: 'lend', run: sortByPatterns };
const MOVES_AT_ONCE: WayRow = { way: 'steps', run: moveElementAtOnce };

const WAYS: Readonly<Record<Exclude<CrossNode, 'refused' | 'waits'>, WayRow>> = {
  reads: { way: 'lend', run: lendForRead },
  'writes first': { way: 'lend', run: lendForFirst },
  'writes last': { way: 'lend', run: lendForLast },
  code: { way: 'lend', run: runCode },
  renames: { way: 'steps', run: rename },
  'renames unless there': { way: 'steps', run: renameUnlessThere },
  'moves element': { way: 'steps', run: moveElement },
  'moves member': { way: 'steps', run: moveMember },
  'sets all or none': { way: 'steps', run: setAllOrNone },
  'pops first': { way: 'steps', run: popFirst },
  streams: { way: 'steps', run: readStreams },
};

/** In a transaction: what waits otherwise does not. */
const WAYS_INSIDE: Readonly<Record<Exclude<CrossNode, 'refused'>, WayRow>> = {
  ...WAYS,
  streams: { way: 'steps', run: readStreamsAtOnce },
  waits: { way: 'steps', run: popFirstAtOnce },
};

/** Of the command that `framer` holds. */
export function wayOf(command: Command, crossNode: keyof typeof WAYS, framer: RequestFramer): WayRow {
  return isByPatterns(command, framer) ? BY_PATTERNS : WAYS[crossNode];
}

/** As `wayOf`, in a transaction. */
export function wayInside(command: Command, crossNode: keyof typeof WAYS_INSIDE, framer: RequestFramer): WayRow {
  if (isByPatterns(command, framer)) return BY_PATTERNS;
  return command.waits?.takes === 'moves' ? MOVES_AT_ONCE : WAYS_INSIDE[crossNode];
}

function isByPatterns({ special }: Command, { argc, source }: RequestFramer): boolean {
  return special === 'sort' && namesKeysByPatterns(argc, source);
}
