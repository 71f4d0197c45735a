/** What people should know of a node's settings and of the state that it is in, before it is a node of a ring. */
import { formatSize, parseSize } from '../config/units.js';
import type { NodeExam } from './examine.js';
import type { NodeFacts } from './inspect.js';

export interface JudgedSetting {
  /** As Redis calls it, in its configuration or in INFO. */
  readonly name: string;
  /** null: the node does not tell. */
  readonly value: string | null;
  /** `refused`: a ring does not take such a node, or cannot use it as it is now; `note`: it works otherwise than people may think. */
  readonly state: 'ok' | 'note' | 'refused';
  /** What that means, and what to do; empty: nothing. */
  readonly remark: string;
}

type Judgement = Pick<JudgedSetting, 'state' | 'remark'>;

const OK: Judgement = { state: 'ok', remark: '' };
const note = (remark: string): Judgement => ({ state: 'note', remark });
const refused = (remark: string): Judgement => ({ state: 'refused', remark });

/** The largest value that clients may send, unless it was set otherwise. */
const MAX_BULK = '512mb';

/** What helps where the node says that it cannot do its work, by the code that it says it with. */
const REMEDIES: Readonly<Record<string, string>> = {
  LOADING: 'check it again when it has',
  OOM: 'give it more maxmemory, or an eviction policy',
  MISCONF: 'see its log and its disk',
};

/**
 * @param facts null: it does not let this user use INFO
 * @param databases how many the ring needs
 */
export function judgeSettings(facts: NodeFacts | null, exam: NodeExam, databases: number): JudgedSetting[] {
  const told = (name: string, judge: (value: string) => Judgement): JudgedSetting => {
    const value = exam.settings.get(name) ?? null;
    return {
      name,
      value,
      ...(value === null ? note('the node does not tell (CONFIG GET): look there') : judge(value)),
    };
  };
  return [
    ...(facts === null ? [] : judgeFacts(facts)),
    { name: 'databases', value: String(exam.databases), ...judgeDatabases(exam.databases, databases) },
    told('timeout', (value) =>
      value === '0' ? OK : note('it ends connections that were idle for so many seconds: set it to 0'),
    ),
    told('notify-keyspace-events', (value) =>
      value === '' ? OK : note('set it to the same on every node: clients hear the events of those that send them'),
    ),
    told('proto-max-bulk-len', (value) =>
      Number(value) >= (parseSize(MAX_BULK) ?? 0)
        ? OK
        : note(`set it to ${MAX_BULK}, or max-bulk-length of the proxy to ${formatSize(Number(value))}`),
    ),
  ];
}

function judgeFacts(facts: NodeFacts): JudgedSetting[] {
  const { role, impairment, keys, maxMemory, maxMemoryPolicy } = facts;
  const [, code = '', words = ''] = /^(?:([A-Z]+) )?(.*)$/s.exec(impairment ?? '') ?? [];
  const isMaster = role === 'master';
  const state = impairment === null || !isMaster ? OK : refused(`${words}: ${REMEDIES[code] ?? 'see its log'}`);
  return [
    {
      name: 'role',
      value: role,
      ...(isMaster ? OK : refused(`${words || 'it is no master'}: give the address of its master`)),
    },
    { name: 'cluster-enabled', value: facts.clusterEnabled ? 'yes' : 'no', ...judgeCluster(facts.clusterEnabled) },
    { name: 'state', value: state === OK ? 'ready' : code.toLowerCase(), ...state },
    {
      name: 'keys',
      value: String(keys),
      ...(keys === 0 ? OK : note('a node that joins must be empty: ring add --flush removes its keys')),
    },
    { name: 'maxmemory', value: maxMemory === 0 ? '0' : formatSize(maxMemory), ...judgeLimit(maxMemory) },
    { name: 'maxmemory-policy', value: maxMemoryPolicy, ...judgePolicy(maxMemoryPolicy) },
  ];
}

function judgeDatabases(has: number, needed: number): Judgement {
  if (has >= needed) return OK;
  return refused(
    `the ring needs ${needed}: start it with --databases ${needed}, or have fewer (databases of the proxy)`,
  );
}

function judgeCluster(enabled: boolean): Judgement {
  return enabled ? refused('it is a node of a Redis Cluster: start it without cluster-enabled') : OK;
}

function judgeLimit(maxMemory: number): Judgement {
  return maxMemory === 0 ? note('no limit: it grows until the machine has no memory left') : OK;
}

function judgePolicy(policy: string): Judgement {
  return policy === 'noeviction' ? note('when it is full, it refuses writes, and takes no keys that move') : OK;
}
