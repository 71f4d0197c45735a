/** CLIENT TRACKING, CACHING, TRACKINGINFO and GETREDIR. */
import type { Command } from '../../../commands/command.js';
import * as encode from '../../../resp/encode.js';
import { linesIn } from '../../peers/clients.js';
import type { Peers } from '../../peers/peers.js';
import type { Verdict } from '../../request/verdict.js';
import { LATER } from '../../request/verdict.js';
import type { Router } from '../../route/router.js';
import type { ClientConnection } from '../../session/client-connection.js';
import { answerLater } from '../../session/later.js';
import { answer, answerError, argumentBytes, argumentTexts } from '../../session/words.js';
import type { LocalCommand, LocalCommands } from '../local-command.js';
import type { ClientTracking, TrackingOptions } from './client-tracking.js';
import { NO_SUCH_TARGET, parseTrackingOptions } from './parse-options.js';
import type { Tracking } from './tracking.js';

/** What the commands of tracking work with. */
export interface TrackingCommandPorts {
  readonly router: Router;
  readonly tracking: Tracking;
  /** Null: the proxy has no other processes. */
  readonly peers: Peers | null;
}

const SYNTAX = 'ERR syntax error';
const NOT_KNOWN = 'TRYAGAIN a worker of the proxy does not say whether it has the client to redirect to';

const tracking =
  (ports: TrackingCommandPorts): LocalCommand =>
  (client, command, framer) => {
    const { router, tracking, peers } = ports;
    const [, , word = '', ...words] = argumentBytes(framer).map((argument) => argument.toString('latin1'));
    const state = word.toLowerCase();
    const options = parseTrackingOptions(words, tracking.of(client)?.options ?? null, state === 'on');
    if (typeof options === 'string') return answerError(client, command, options);
    const refusal = state === 'on' ? tracking.refusal(client, options) : null;
    if (refusal !== null) return answerError(client, command, refusal);
    const { redirect } = options;
    const target = redirect === 0 ? null : clientWithId(router, redirect);
    if (redirect !== 0 && target === null) {
      if (peers === null || state !== 'on') return answerError(client, command, NO_SUCH_TARGET);
      return beginElsewhere(client, command, tracking, options, peers);
    }
    if (state === 'on') return begin(client, command, tracking, options, target);
    if (state !== 'off') return answerError(client, command, SYNTAX);
    tracking.stop(client);
    return answer(client, command, encode.OK);
  };

function begin(
  client: ClientConnection,
  command: Command,
  tracking: Tracking,
  options: TrackingOptions,
  target: ClientConnection | null,
): Verdict {
  if (!tracking.prepare(client, options)) {
    client.suspend();
    return LATER;
  }
  tracking.start(client, options, target);
  return answer(client, command, encode.OK);
}

/** The client that is to be told may be one of another process. */
function beginElsewhere(
  client: ClientConnection,
  command: Command,
  tracking: Tracking,
  options: TrackingOptions,
  peers: Peers,
): Verdict {
  if (!tracking.prepare(client, options)) {
    client.suspend();
    return LATER;
  }
  const found = peers.ask({ type: 'list', filter: { ids: [options.redirect] } });
  const verdict = answerLater(client, command, found, (answers) => {
    if (!answers.some((answer) => linesIn(answer).length > 0)) {
      return encode.error(answers.includes(null) ? NOT_KNOWN : NO_SUCH_TARGET);
    }
    if (client.closed) return encode.OK;
    tracking.start(client, options, null);
    return encode.OK;
  });
  // What it reads next is to be noted.
  client.raiseBarrier();
  return verdict;
}

function clientWithId(router: Router, id: number): ClientConnection | null {
  for (const candidate of router.shared.clients) if (candidate.id === id) return candidate;
  return null;
}

const caching =
  (tracking: Tracking): LocalCommand =>
  (client, command, framer) => {
    const state = tracking.of(client);
    if (state === null) {
      return answerError(
        client,
        command,
        'ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled',
      );
    }
    const word = argumentTexts(framer)[2]?.toLowerCase();
    if (word !== 'yes' && word !== 'no') return answerError(client, command, SYNTAX);
    if (word === 'yes' && !state.options.optIn) {
      return answerError(
        client,
        command,
        'ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.',
      );
    }
    if (word === 'no' && !state.options.optOut) {
      return answerError(
        client,
        command,
        'ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.',
      );
    }
    state.caching = true;
    return answer(client, command, encode.OK);
  };

const trackingInfo =
  (tracking: Tracking): LocalCommand =>
  (client, command) => {
    const state = tracking.of(client);
    const { protocol } = client.kind;
    const texts = (values: readonly string[]): Buffer[] =>
      values.map((value) => encode.bulk(Buffer.from(value, 'latin1')));
    return answer(
      client,
      command,
      encode.map(
        [
          [encode.bulk('flags'), encode.set(texts(flagsOf(state)), protocol)],
          [encode.bulk('redirect'), encode.integer(tracking.redirectOf(client))],
          [encode.bulk('prefixes'), encode.array(texts([...(state?.options.prefixes ?? [])].sort()))],
        ],
        protocol,
      ),
    );
  };

function flagsOf(state: ClientTracking | null): string[] {
  if (state === null) return ['off'];
  const { bcast, optIn, optOut, noLoop } = state.options;
  const flags = ['on'];
  if (bcast) flags.push('bcast');
  if (optIn) flags.push('optin');
  if (optIn && state.caching) flags.push('caching-yes');
  if (optOut) flags.push('optout');
  if (optOut && state.caching) flags.push('caching-no');
  if (noLoop) flags.push('noloop');
  if (state.redirectIsBroken) flags.push('broken_redirect');
  return flags;
}

const getRedirection =
  (tracking: Tracking): LocalCommand =>
  (client, command) =>
    answer(client, command, encode.integer(tracking.redirectOf(client)));

export function trackingCommands(ports: TrackingCommandPorts) {
  return {
    'client|tracking': tracking(ports),
    'client|caching': caching(ports.tracking),
    'client|trackinginfo': trackingInfo(ports.tracking),
    'client|getredir': getRedirection(ports.tracking),
  } as const satisfies LocalCommands;
}
