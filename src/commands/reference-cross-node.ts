/** The documentation's table of what commands mean whose keys are on several nodes, made from the command table. */
import { buildCommandTable } from './build.js';
import type { CrossNode } from './columns.js';
import type { Command } from './command.js';
import { leaves, shown } from './reference.js';

/** What holds on each node, and what is weaker over nodes. */
type Guarantee = readonly [onEachNode: string, overNodes: string];

const LENT: Guarantee = ['what it reads is of one moment', 'what it reads of each node is of another moment'];
const WRITTEN: Guarantee = [`${LENT[0]}, and what it writes is written at once`, LENT[1]];
const IN_PARTS: Guarantee = [
  'its part is carried out at once',
  'the parts are carried out at several moments; when one fails the others have been',
];
const AT_BOTH = 'for a moment the value is at both places; at no time at neither';
const ELEMENT_AT_BOTH = `${AT_BOTH}. Who takes it from both within that moment (two consumers, one at each list) has it twice`;
const ONE_RENAMES = `${AT_BOTH}. Of several clients that rename a key, or remove it, one has done so`;
const FIRST_COME = 'who came first to the same proxy process is served first';
const NO_ORDER = 'who is served first of those who wait at several proxies, or workers, is not said';

const GUARANTEES: Readonly<Record<CrossNode, Guarantee>> = {
  refused: ['–', 'refused: `-CROSSSLOT`'],
  reads: LENT,
  'writes first': WRITTEN,
  'writes last': WRITTEN,
  code: [`${LENT[0]}, where the code declares \`no-writes\``, `${LENT[1]}; other code is refused: \`-CROSSSLOT\``],
  waits: [`an element is taken once, and ${FIRST_COME}`, `its keys are not looked at in one moment; ${NO_ORDER}`],
  renames: [
    'the target is written at once, and keeps its time to live',
    `${ONE_RENAMES}: for the others there is no such key, and their target has again what it had. Where that was more than 1 MB, it keeps the value as well`,
  ],
  'renames unless there': ['the target is written at once, and never overwritten', ONE_RENAMES],
  'moves element': ["elements come in Redis' order", ELEMENT_AT_BOTH],
  'moves member': ['the member is moved once', AT_BOTH],
  'sets all or none': [
    'its keys are set at once',
    'all are set, or none; others may see a part for a moment, and a key that has been given the very same value meanwhile is undone as well',
  ],
  'pops first': [
    'elements are taken at once, from one key',
    'a key that was looked at may have got elements before a later one is taken from',
  ],
  streams: [
    'as in Redis',
    "each node's streams are of another moment; where some have delivered and a node fails, what was delivered is answered",
  ],
};

/** Those that wait, and then move an element. */
const MOVES_WAITING: Guarantee = [
  `${GUARANTEES['moves element'][0]}, and ${FIRST_COME}`,
  `${ELEMENT_AT_BOTH}; ${NO_ORDER}`,
];

/** @returns a table in Markdown of all commands whose keys may be on several nodes: those that are alike share a row */
export function crossNodeReference(): string {
  const rows = new Map<Guarantee, string[]>();
  for (const command of [...buildCommandTable().rows()].flatMap(leaves).filter(hasSeveralKeys)) {
    const guarantee = guaranteeOf(command);
    rows.set(guarantee, [...(rows.get(guarantee) ?? []), command.name]);
  }
  const lines = [...rows].map(([[one, over], names]) => `| ${shown(names).join(' ')} | ${one} | ${over} |`);
  return ['| commands | on each node | over nodes |', '|---|---|---|', ...lines.sort()].join('\n');
}

function hasSeveralKeys({ route, keys, special }: Command): boolean {
  if (route === 'split' || special === 'sort') return true;
  if (route !== 'owner' || keys.kind === 'none') return false;
  return keys.kind !== 'range' || keys.first !== keys.last;
}

function guaranteeOf({ route, name, crossNode }: Command): Guarantee {
  if (route === 'split') return IN_PARTS;
  if (name === 'blmove' || name === 'brpoplpush') return MOVES_WAITING;
  return GUARANTEES[crossNode];
}
