/** Commands that run on every node: administration, and those that say something of the whole ring. */
import type { Command } from '../../../commands/command.js';
import { findKeys } from '../../../commands/keys.js';
import { args, type RequestFramer } from '../../../resp/request-framer.js';
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
import type { ClientConnection } from '../../session/client-connection.js';
import { argumentTexts } from '../../session/words.js';
import { type ClientCount, countAll, forgetCount } from '../clients/client-count.js';
import { clusterFigures } from '../cluster/cluster-commands.js';
import type { Features } from '../compose.js';
import { SCRIPT_COMMANDS } from '../scripts/script-commands.js';
import { ownPartOfSettings } from './config-command.js';

/** The sections of INFO that the proxy's own belongs to. */
const INFO_SECTIONS: ReadonlySet<string> = new Set(['ringproxy', 'all', 'everything', 'default']);

export function runEverywhere(
  features: Features,
  client: ClientConnection,
  framer: RequestFramer,
  command: Command,
): Verdict {
  if (command.everywhere !== null) return SCRIPT_COMMANDS[command.everywhere](features, client, framer, command);
  if (command.merge === 'info') return runInfo(features, client, framer, command);
  return fanOut(features.router, client, framer, command, mergerOf(command, framer));
}

function runInfo(features: Features, client: ClientConnection, framer: RequestFramer, command: Command): Verdict {
  const count = countAll(features, client);
  if (count === null) return LATER;
  const merger = infoMerger(ownSection(features, framer), ownFigures(features, count), {
    blocked_clients: count.paused,
  });
  const verdict = fanOut(features.router, client, framer, command, merger);
  if (verdict === TAKEN) forgetCount(client);
  return verdict;
}

/** What only those may run whom the configuration trusts with the nodes (`admin-commands`). */
export function runAdministration(
  features: Features,
  client: ClientConnection,
  framer: RequestFramer,
  command: Command,
): Verdict {
  if (features.router.shared.options.adminCommands !== 'allow') {
    return features.router.refuse(client, command, refusalOf(command));
  }
  // DEBUG OBJECT and its like: other nodes would miss the key.
  if (findKeys(command, args, framer.argc, framer.source) > 0)
    return runAtOwner(features.router, client, framer, command, features.runKeyed);
  const refusal = refusalOfAdministration(command, framer);
  if (refusal !== null) return features.router.refuse(client, command, refusal);
  const merger = MERGERS[command.merge];
  if (command.administration !== 'settings') return fanOut(features.router, client, framer, command, merger);
  const ownPart = ownPartOfSettings(features, framer);
  return fanOut(features.router, client, framer, command, (group, out) => {
    merger(group, out);
    ownPart?.();
  });
}

function mergerOf(command: Command, framer: RequestFramer): Merger {
  if (command.merge !== 'slowlog' || framer.argc < 3) return MERGERS[command.merge];
  return slowlogMerger((framer.source as Buffer).toString('latin1', args.start[2], args.end[2]));
}

/** The lines of INFO's section on the proxy, when the sections that were asked for include it. */
function ownSection(features: Features, framer: RequestFramer): string[] {
  const sections = argumentTexts(framer).slice(1);
  const isWanted = sections.length === 0 || sections.some((section) => INFO_SECTIONS.has(section.toLowerCase()));
  return isWanted ? features.context.proxyInfo() : [];
}

/** Fields of INFO that the proxy knows and the nodes do not. */
function ownFigures(
  { context, tracking }: Features,
  { connected }: ClientCount,
): Readonly<Record<string, number | string>> {
  const { maxClients, clusterMode } = context.shared.options;
  return {
    ...tracking.figures,
    ...clusterFigures(clusterMode),
    connected_clients: connected,
    maxclients: maxClients,
  };
}
