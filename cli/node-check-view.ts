/** What people read of `ringproxy node check`. */
import type { JudgedRight, NodeVerdict } from '../src/health/verdict.js';
import { colors } from './colors.js';
import { formatName, formatTable } from './format.js';

const GROUPS = [
  ['serve', 'Rights that lack, and are needed always:'],
  ['change', 'Rights that lack when the ring changes:'],
  ['feature', 'Rights that lack for a feature alone:'],
] as const;

const WHY: Readonly<Record<JudgedRight['why'], string>> = {
  right: '',
  keys: ' (for some keys or channels)',
  unknown: ' (the server does not know it)',
};

export function describeVerdict(verdict: NodeVerdict): string {
  const { address, username, version, lacking, settings } = verdict;
  const rights = GROUPS.flatMap(([need, title]) => {
    const rows = lacking.filter((row) => row.need === need);
    return rows.length === 0 ? [] : ['', title, ...byEffect(rows).map(describeRights)];
  });
  const table = formatTable(
    ['SETTING', 'VALUE', '', 'REMARK'],
    settings.map(({ name, value, state, remark }) => [
      name,
      value === null ? '?' : formatName(value === '' ? "''" : value),
      STATES[state],
      formatName(remark),
    ]),
  );
  return [
    `${address}: Redis ${version === null ? 'of a version that it does not tell' : formatName(version)}, as user ${formatName(username)}`,
    ...rights,
    '',
    table,
    ...remedies(verdict),
    '',
    judgement(verdict),
  ].join('\n');
}

const STATES = { ok: colors.green('ok'), note: colors.yellow('note'), refused: colors.red('refused') };

/** Rights that are there for the same, and lack with the same effect, are one line. */
function byEffect(rows: readonly JudgedRight[]): JudgedRight[][] {
  const found = new Map<string, JudgedRight[]>();
  for (const row of rows) {
    const key = [row.purpose, row.without, row.why].join('\n');
    found.set(key, [...(found.get(key) ?? []), row]);
  }
  return [...found.values()];
}

function describeRights(rows: readonly JudgedRight[]): string {
  const [first] = rows as [JudgedRight];
  const { needed, why, purpose, without } = first;
  const names = rows.map(({ command }) => command).join(', ');
  return `  ${needed ? colors.red(names) : colors.yellow(names)}${WHY[why]}: ${purpose}; without: ${without}`;
}

function remedies({ lacking, acl }: NodeVerdict): string[] {
  const lines: string[] = [];
  if (lacking.some(({ why }) => why === 'keys')) {
    lines.push(
      '',
      'Its user is restricted to some keys or channels (~… &…): a key that the proxy may not touch cannot be moved.',
    );
  }
  if (acl !== null) {
    lines.push(
      '',
      'This gives its user what lacks (ACL SAVE or CONFIG REWRITE there keeps it):',
      `  ${formatName(acl)}`,
    );
  }
  if (lacking.some(({ why }) => why === 'unknown')) {
    lines.push('', 'What the server does not know is hidden by rename-command in its configuration, or newer than it.');
  }
  return lines;
}

function judgement({ address, fit, lacking, settings }: NodeVerdict): string {
  if (!fit) {
    const against = [
      ...lacking.filter(({ needed }) => needed).map(({ command }) => command),
      ...settings.filter(({ state }) => state === 'refused').map(({ name }) => name),
    ];
    return colors.red(`${address} does not do as a node as it is: ${against.join(', ')}`);
  }
  const rest = lacking.length === 0 ? '' : ', without what lacks above';
  return colors.green(`${address} does as a node${rest}`);
}
