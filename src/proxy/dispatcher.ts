/**
 * Decides what becomes of a frame: which command it is, and who handles it. The first lines of `onFrame` are the path
 * that nearly every command takes: one key at a fixed place, one node, the frame forwarded as it came.
 */
import { arityError, unknownCommandError, unknownSubcommandError } from '../commands/arity.js';
import { UNKNOWN_COMMAND_ID } from '../commands/build.js';
import type { Command } from '../commands/command.js';
import type { CommandTable } from '../commands/table.js';
import { error as encodeError } from '../resp/encode.js';
import { args, type RequestFramer } from '../resp/request-framer.js';
import { Features } from './features/compose.js';
import type { LocalContext } from './features/context.js';
import { rewriteFrame } from './features/limits/frame-rewriter.js';
import { PASS } from './features/policies.js';
import { refusalWhileSubscribed, waitsForSubscription } from './features/pubsub/commands.js';
import { runAdministration, runEverywhere } from './features/server/everywhere.js';
import { refusalInside, runsAtOnce } from './features/transactions/queue.js';
import { commandName } from './measure/command-names.js';
import type { Counters } from './measure/counters.js';
import type { HotKeys } from './measure/hot-keys/hot-keys.js';
import type { KeyGroups } from './measure/key-groups.js';
import { KNOWN_KEY } from './request/request.js';
import { ANSWERED, type FrameVerdict, LATER, TAKEN, type Verdict } from './request/verdict.js';
import { askAnyNode } from './route/any-node.js';
import { runAtOwner } from './route/at-owner.js';
import { dispatchMovedKey } from './route/moving/moving-keys.js';
import { settleAhead } from './route/moving/settle-ahead.js';
import { refusalOf } from './route/refusal.js';
import { NOT_READY } from './route/replies.js';
import { isReserved, RESERVED_REPLY } from './route/reserved.js';
import { Router } from './route/router.js';
import { planScan } from './route/scan/scan.js';
import { splitByOwner } from './route/split.js';
import { planUpload } from './route/upload-plan.js';
import type { ClientConnection } from './session/client-connection.js';
import type { FrameHandler } from './session/frame-handler.js';
import { AWAITS_FILL, IN_TRANSACTION, METERED, RESTRICTED, SUBSCRIBED, TRACKS } from './session/modes.js';
import type { UploadPlan } from './session/upload.js';
import type { RoutingSnapshot } from './snapshot.js';
import type { UpstreamNode } from './upstream/upstream-node.js';

const NO_AUTH = 'NOAUTH Authentication required.';

export class Dispatcher implements FrameHandler {
  readonly unknownCommandId = UNKNOWN_COMMAND_ID;
  readonly router: Router;
  readonly features: Features;
  readonly #counters: Counters;
  readonly #groups: KeyGroups;
  readonly #hotKeys: HotKeys;
  /** Commands until the next one that `#hotKeys` looks at. */
  #untilDraw = 1;
  /** Clients are paused, or monitored: every command must be looked at more closely. */
  #attentive = false;

  constructor(table: CommandTable, context: LocalContext) {
    this.router = new Router(context.shared, table, (client) => this.features.transactions.abort(client));
    this.features = new Features(this.router, context, (attentive) => {
      this.#attentive = attentive;
    });
    this.#counters = context.shared.counters;
    this.#groups = this.#counters.groups;
    this.#hotKeys = context.hotKeys;
  }

  publish(snapshot: RoutingSnapshot, nodes: readonly UpstreamNode[]): void {
    this.router.publish(snapshot, nodes);
    this.features.onPublish(snapshot, nodes);
  }

  /** Handles the complete frame that `framer` holds. */
  onFrame(client: ClientConnection, framer: RequestFramer): FrameVerdict {
    const source = framer.source as Buffer;
    const { router } = this;
    const command = router.offered.lookup(source, args.start[0] as number, args.end[0] as number);
    const { snapshot } = router;
    if (this.#groups.active) this.#groups.note(command, framer.argc, source);
    if (command === undefined || !client.authenticated || snapshot === null || client.isUnusual || this.#attentive) {
      return this.#dispatchUnusual(client, framer, command);
    }
    client.noteCommand(command);
    if (--this.#untilDraw === 0) this.#draw(client, framer, command);
    const at = command.singleKeyAt;
    if (at === 0 || at >= framer.argc) return this.#dispatchByRoute(client, framer, command, source);
    if (this.#groups.isManaged) {
      // What is kept is answered at once.
      if (this.features.near.serve(client, framer, command, source)) return ANSWERED;
      return this.#dispatchByRoute(client, framer, command, source);
    }
    if (client.lanes.snapshot !== snapshot && !router.bind(client)) return LATER;
    const start = args.start[at] as number;
    const end = args.end[at] as number;
    if (isReserved(source, start, end)) return router.refuse(client, command, RESERVED_REPLY);
    if (router.isChanging) return dispatchMovedKey(router, client, framer, command, source, start, end);
    const { rings } = snapshot;
    const hash = rings.hashOf(source, start, end);
    return router.forward(client, command, rings.ownerOf(hash), source, framer, KNOWN_KEY, hash);
  }

  onAnsweredAtOnce(
    client: ClientConnection,
    framer: RequestFramer,
    buffer: Buffer,
    start: number,
    end: number,
  ): number {
    const command = client.lastCommand;
    // The next one that the lot falls on goes the usual way, and so do all of which somebody wants to hear.
    const most = this.#untilDraw - 1;
    if (command === null || most === 0 || this.#counters.observer !== null) return start;
    const { near } = this.features;
    const behind = near.serveRun(client, framer, command, buffer, start, end, most);
    this.#untilDraw -= near.served;
    return behind;
  }

  #dispatchUnusual(client: ClientConnection, framer: RequestFramer, command: Command | undefined): Verdict {
    const beyond = client.isIn(METERED) ? client.meter(framer) : null;
    return this.#dispatchMetered(client, framer, command, beyond);
  }

  /** @param beyond the error of a command that is beyond a rate */
  #dispatchMetered(
    client: ClientConnection,
    framer: RequestFramer,
    command: Command | undefined,
    beyond: string | null,
  ): Verdict {
    const source = framer.source as Buffer;
    if (command === undefined) {
      const renamed = this.#underOtherName(framer, source);
      if (renamed !== null) return this.#dispatchMetered(client, framer, renamed, beyond);
      if (beyond !== null) return this.#refuseUnknown(client, beyond);
      if (this.features.guard.looksLikeHttp(source)) return this.features.guard.end(client);
      return this.#refuseUnknown(client, unknownCommandError(source, args, framer.argc));
    }
    if (beyond !== null) {
      if (!steersConnection(command)) return this.router.refuse(client, command, encodeError(beyond));
      client.meterAnyway(framer);
    }
    if (!client.authenticated && !command.beforeAuth) return this.#refuseStranger(client, command, framer);
    client.noteCommand(command);
    if (client.isIn(RESTRICTED)) {
      const verdict = this.#refuseUnlessAllowed(client, command, framer);
      if (verdict !== null) return verdict;
    }
    if (--this.#untilDraw === 0) this.#draw(client, framer, command);
    if (this.#attentive && this.features.pause.holds(client, rowOf(command, framer), framer)) return LATER;
    if (client.isIn(AWAITS_FILL)) this.features.fillWait.onCommand(client, framer, rowOf(command, framer));
    const verdict = this.#dispatchByRoute(client, framer, command, source);
    if (verdict === TAKEN) this.#note(client, command, framer);
    return verdict;
  }

  #refuseUnknown(client: ClientConnection, text: string): Verdict {
    this.features.transactions.abort(client);
    client.reply(UNKNOWN_COMMAND_ID, encodeError(text, 'latin1'), true);
    return TAKEN;
  }

  /** @returns the command that has this name instead of its own, and its frame with that; null: there is none */
  #underOtherName(framer: RequestFramer, source: Buffer): Command | null {
    const { renamed } = this.router;
    if (renamed === null) return null;
    const found = renamed.get(source.toString('latin1', args.start[0], args.end[0]).toLowerCase());
    if (found === undefined) return null;
    // What goes to a node, to MONITOR, or into a transaction has the name that nodes know.
    rewriteFrame(framer, [{ at: 0, value: found.name }]);
    if (this.#groups.active) this.#groups.note(found.command, framer.argc, framer.source as Buffer);
    return found.command;
  }

  /** The lot has fallen on this command: its keys are counted. */
  #draw(client: ClientConnection, framer: RequestFramer, command: Command): void {
    const { argc, source } = framer;
    this.#untilDraw = this.#hotKeys.draw(command, argc, source as Buffer, client.kind.database);
  }

  /** The client has not said its password yet. As in Redis, what is wrong with the command itself is said first. */
  #refuseStranger(client: ClientConnection, command: Command, framer: RequestFramer): Verdict {
    const row = rowOf(command, framer);
    const reason = arityError(row, framer.argc) ?? NO_AUTH;
    if (command.transactionStep === 'runs') {
      return this.features.transactions.abortExec(client, command, reason);
    }
    return this.router.refuse(client, row, encodeError(reason));
  }

  /** As in Redis, what is wrong with the command itself is said first, by whoever handles it. @returns null: it may go on */
  #refuseUnlessAllowed(client: ClientConnection, container: Command, framer: RequestFramer): Verdict | null {
    const command = rowOf(container, framer);
    if (command === container && container.subcommands !== null && framer.argc > 1) return null;
    if (arityError(command, framer.argc) !== null) return null;
    const { rights, transactions } = this.features;
    const queued = transactions.of(client)?.queuedCommands ?? null;
    const refusal = rights.refusal(client, command, framer, queued);
    if (refusal === null) return null;
    client.noteCommand(command);
    if (command.transactionStep === 'runs') return transactions.abortExec(client, command, refusal);
    return this.router.refuse(client, command, encodeError(refusal));
  }

  /** The command was taken: those hear of it who want to. */
  #note(client: ClientConnection, command: Command, framer: RequestFramer): void {
    const { tracking, monitors } = this.features;
    if (client.isIn(TRACKS)) tracking.onCommand(client, rowOf(command, framer), framer);
    if (monitors.active) monitors.onCommand(client, rowOf(command, framer), framer);
  }

  /** What moves for one command of a client moves for those behind it as well. */
  onHeld(client: ClientConnection, buffer: Buffer, start: number, end: number): void {
    const { snapshot, isChanging, isFenced, offered } = this.router;
    if (snapshot === null || !isChanging || isFenced || !client.waitsForRing) return;
    settleAhead(snapshot, offered, client, buffer, start, end);
  }

  planUpload(client: ClientConnection, framer: RequestFramer, buffer: Buffer, start: number): UploadPlan | null {
    // What is queued stays here until EXEC; of what is noted, the whole command must be known.
    if (client.isIn(IN_TRANSACTION | TRACKS | RESTRICTED | METERED) || this.#attentive) return null;
    if (!client.authenticated) return null;
    const plan = planUpload(this.router, client, framer, buffer, start, this.features.limits);
    if (plan !== null && plan.lane !== null && this.#groups.isManaged) {
      this.features.near.onUpload(buffer, plan.keyStart, plan.keyEnd);
      this.features.fillWait.onUpload(client, buffer, plan.keyStart, plan.keyEnd);
      this.features.replicaReads.onUpload(client, buffer, plan.keyStart, plan.keyEnd);
    }
    return plan;
  }

  onAnswered(client: ClientConnection): void {
    this.features.tracking.onAnswered(client);
  }

  onFailed(client: ClientConnection): void {
    this.features.tracking.onFailed(client);
  }

  onBarrier(client: ClientConnection): void {
    this.features.onBarrier(client);
  }

  nameOf(command: number): string {
    return commandName(this.router.table, command);
  }

  onClosed(client: ClientConnection): void {
    this.features.onClosed(client);
  }

  #dispatchByRoute(client: ClientConnection, framer: RequestFramer, container: Command, source: Buffer): Verdict {
    let command = container;
    if (container.subcommands !== null && framer.argc > 1) {
      const sub = container.subcommands.lookup(source, args.start[1] as number, args.end[1] as number);
      if (sub === undefined) {
        const text = unknownSubcommandError(container, source, args);
        return this.router.refuse(client, container, encodeError(text, 'latin1'));
      }
      command = sub;
      client.noteCommand(sub);
    }
    if (client.isIn(SUBSCRIBED)) {
      const { pubsub } = this.features;
      if (waitsForSubscription(pubsub, client, command)) {
        client.raiseBarrier();
        return LATER;
      }
      const refusal = refusalWhileSubscribed(pubsub, client, command);
      if (refusal !== null) return this.router.refuse(client, command, refusal);
    }
    const transaction = this.features.transactions.of(client);
    if (command.route === 'refused') {
      const reply = refusalOf(command);
      return this.router.refuse(client, command, transaction === null ? reply : refusalInside(command, reply));
    }
    const wrongArity = arityError(command, framer.argc);
    if (wrongArity !== null) {
      if (transaction !== null && command.transactionStep === 'runs') {
        return this.features.transactions.abortExec(client, command, wrongArity);
      }
      return this.router.refuse(client, command, encodeError(wrongArity));
    }
    if (transaction !== null && !runsAtOnce(command)) {
      if (this.#groups.isManaged) return this.features.queueManaged(client, transaction, command, framer);
      return this.features.transactions.queue(client, transaction, command, framer);
    }
    if (command.route === 'proxy') {
      const run = this.features.handlerOf(command);
      if (run === undefined) return this.router.refuse(client, command, refusalOf(command));
      return run(client, command, framer);
    }
    const { router } = this;
    const { snapshot } = router;
    if (snapshot === null) return router.refuse(client, command, NOT_READY);
    if (!router.bind(client)) return LATER;
    if (!this.#groups.isManaged) return this.#route(client, framer, command, snapshot);
    const { policies } = this.features;
    const found = policies.dispatch(client, framer, command);
    const verdict = found === PASS ? this.#routeManaged(client, framer, command, snapshot) : found;
    if (verdict === TAKEN) policies.follow(client, framer, command);
    return verdict;
  }

  /** Nobody has taken a command on a key whose group has a policy: of one key it goes the way that it takes without. */
  #routeManaged(client: ClientConnection, framer: RequestFramer, command: Command, snapshot: RoutingSnapshot): Verdict {
    const at = command.singleKeyAt;
    if (at === 0 || at >= framer.argc || !this.router.isChanging || command.missingReply === null) {
      return this.#route(client, framer, command, snapshot);
    }
    const start = args.start[at] as number;
    const end = args.end[at] as number;
    const source = framer.source as Buffer;
    if (isReserved(source, start, end)) return this.router.refuse(client, command, RESERVED_REPLY);
    return dispatchMovedKey(this.router, client, framer, command, source, start, end);
  }

  #route(client: ClientConnection, framer: RequestFramer, command: Command, snapshot: RoutingSnapshot): Verdict {
    const { router } = this;
    switch (command.route) {
      case 'owner':
        return runAtOwner(router, client, framer, command, this.features.runKeyed);
      case 'split':
        return splitByOwner(router, client, framer, command, snapshot);
      case 'scan':
        return planScan(router, client, framer, command, snapshot);
      case 'any':
        return askAnyNode(router, client, framer, command);
      case 'admin':
        return runAdministration(this.features.everywhere, client, framer, command);
      case 'all':
        return runEverywhere(this.features.everywhere, client, framer, command);
      default:
        return router.refuse(client, command, refusalOf(command));
    }
  }
}

/**
 * Whether what its client sends behind it means something else when it was refused: it would go to another database, be
 * another user's, or run on its own instead of in a transaction.
 */
function steersConnection({ categories, whileSubscribed }: Command): boolean {
  if (categories.includes('connection') || categories.includes('transaction')) return true;
  return whileSubscribed === 'allowed';
}

/** The subcommand that `framer` holds; otherwise the command. */
function rowOf(command: Command, framer: RequestFramer): Command {
  if (command.subcommands === null || framer.argc < 2) return command;
  return command.subcommands.lookup(framer.source, args.start[1] as number, args.end[1] as number) ?? command;
}
