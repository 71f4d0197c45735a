/** Commands that run on every node: administration, and those that say something of the whole ring. */

import type { Everywhere } from '../../../commands/columns.js';
import type { Command } from '../../../commands/command.js';
import { findKeys } from '../../../commands/keys.js';
import { args, type RequestFramer } from '../../../resp/request-framer.js';
import type { ClientCount } from '../../peers/clients.js';
import type { Verdict } from '../../request/verdict.js';
import { LATER, TAKEN } from '../../request/verdict.js';
import { refusalOfAdministration } from '../../route/administration.js';
import { runAtOwner } from '../../route/at-owner.js';
import { fanOut } from '../../route/fan-out.js';
import type { Merger } from '../../route/merge/group.js';
import { infoMerger } from '../../route/merge/info.js';
import { MERGERS } from '../../route/merge/mergers.js';
import { slowlogMerger } from '../../route/merge/slowlog.js';
import { refusalOf } from '../../route/refusal.js';
import type { Router } from '../../route/router.js';
import type { RunKeyed } from '../../route/special.js';
import type { ClientConnection } from '../../session/client-connection.js';
import { argumentTexts } from '../../session/words.js';
import { type OwnSettings, ownPartOfSettings } from './config-command.js';

/** The sections of INFO that the proxy's own belongs to. */
const INFO_SECTIONS: ReadonlySet<string> = new Set(['ringproxy', 'all', 'everything', 'default']);

/** What commands on every node work with. */
export interface EverywherePorts extends OwnSettings {
  readonly router: Router;
  /** Who counts clients, for INFO. @returns null while others are asked */
  readonly countClients: (client: ClientConnection) => ClientCount | null;
  /** INFO of this client is on its way: the next one counts anew. */
  readonly forgetCount: (client: ClientConnection) => void;
  /** Lines of INFO's section on the proxy, `name:value`. */
  readonly proxyInfo: () => string[];
  /** Fields of INFO that the proxy knows and the nodes do not. */
  readonly figures: () => Readonly<Record<string, number | string>>;
  /** SCRIPT and FUNCTION, as far as there is more to do than to ask every node. */
  readonly runScriptCommand: Readonly<
    Record<Everywhere, (client: ClientConnection, framer: RequestFramer, command: Command) => Verdict>
  >;
  /** Runs a command that has keys at their owner. */
  readonly runKeyed: RunKeyed;
}

export function runEverywhere(
  ports: EverywherePorts,
  client: ClientConnection,
  framer: RequestFramer,
  command: Command,
): Verdict {
  if (command.everywhere !== null) return ports.runScriptCommand[command.everywhere](client, framer, command);
  if (command.merge === 'info') return runInfo(ports, client, framer, command);
  return fanOut(ports.router, client, framer, command, mergerOf(command, framer));
}

function runInfo(ports: EverywherePorts, client: ClientConnection, framer: RequestFramer, command: Command): Verdict {
  const count = ports.countClients(client);
  if (count === null) return LATER;
  const merger = infoMerger(ownSection(ports, framer), ownFigures(ports, count), {
    blocked_clients: count.blocked,
  });
  const verdict = fanOut(ports.router, client, framer, command, merger);
  if (verdict === TAKEN) ports.forgetCount(client);
  return verdict;
}

/** What only those may run whom the configuration trusts with the nodes (`admin-commands`). */
export function runAdministration(
  ports: EverywherePorts,
  client: ClientConnection,
  framer: RequestFramer,
  command: Command,
): Verdict {
  if (ports.router.shared.options.adminCommands !== 'allow') {
    return ports.router.refuse(client, command, refusalOf(command));
  }
  // DEBUG OBJECT and its like: other nodes would miss the key.
  if (findKeys(command, args, framer.argc, framer.source) > 0)
    return runAtOwner(ports.router, client, framer, command, ports.runKeyed);
  const refusal = refusalOfAdministration(command, framer);
  if (refusal !== null) return ports.router.refuse(client, command, refusal);
  const merger = MERGERS[command.merge];
  if (command.administration !== 'settings') return fanOut(ports.router, client, framer, command, merger);
  const ownPart = ownPartOfSettings(ports, framer);
  return fanOut(ports.router, client, framer, command, (group, out) => {
    merger(group, out);
    ownPart?.();
  });
}

function mergerOf(command: Command, framer: RequestFramer): Merger {
  if (command.merge !== 'slowlog' || framer.argc < 3) return MERGERS[command.merge];
  return slowlogMerger((framer.source as Buffer).toString('latin1', args.start[2], args.end[2]));
}

/** The lines of INFO's section on the proxy, when the sections that were asked for include it. */
function ownSection(ports: EverywherePorts, framer: RequestFramer): string[] {
  const sections = argumentTexts(framer).slice(1);
  const isWanted = sections.length === 0 || sections.some((section) => INFO_SECTIONS.has(section.toLowerCase()));
  return isWanted ? ports.proxyInfo() : [];
}

function ownFigures(
  { router, figures }: EverywherePorts,
  { connected }: ClientCount,
): Readonly<Record<string, number | string>> {
  return { ...figures(), connected_clients: connected, maxclients: router.shared.options.maxClients };
}
