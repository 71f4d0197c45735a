/**
 * The fence of a ring change: waits until no command is in flight on a key that changes hands. Whatever else is in
 * flight goes on. New commands on such keys are held by the router meanwhile.
 *
 * Others must not wait for somebody who neither reads nor sends: whoever holds the fence up for half of its time is
 * ended, by what holds it up:
 *
 *   a large reply that its client does not take, or takes slowly    the client is closed; a lane that is not through
 *                                                                   soon after is cut
 *   a large value that its client does not send                     the client is closed, and with it its lane
 *   a script that runs                                              SCRIPT KILL, FUNCTION KILL
 *   a node that does not answer                                     nobody's fault: the fence is not passed
 *
 * A lane that is cut is a late connection: its node is made to drop it before keys move.
 */
import type { CommandTable } from '../../../commands/table.js';
import { type FenceForcedEvent, fenceForced } from '../../events.js';
import { commandName } from '../../measure/command-names.js';
import { KNOWN_KEY, NO_KEYS_AT_ALL, type Request } from '../../request/request.js';
import type { Requester } from '../../request/requester.js';
import type { RoutingSnapshot } from '../../snapshot.js';
import type { Lane } from '../../upstream/lane.js';
import type { UpstreamNode } from '../../upstream/upstream-node.js';
import { endCode } from './end-code.js';

/** How often it is looked again at what holds the fence up, once that is ended by force. Milliseconds. */
const FORCE_EVERY_MS = 100;
/** A client that was closed has left a reply behind: the lane is cut when that is not through after this. */
const DRAIN_MS = 250;
const HELD_UP = 'held up a change of the ring';

export interface FenceSubject {
  readonly snapshot: RoutingSnapshot;
  readonly table: CommandTable;
  nodes(): Iterable<UpstreamNode>;
}

/** Whether a request may concern a key that changes hands. */
export function mayMove({ rings }: RoutingSnapshot, request: Request): boolean {
  if (request.keys === NO_KEYS_AT_ALL || !rings.isChanging) return false;
  return request.keys !== KNOWN_KEY || rings.movesAway(request.keyHash);
}

export class Fence {
  readonly #subject: FenceSubject;
  readonly #matters: (request: Request) => boolean;
  /** Since when lanes wait for what a closed client has left behind, by the clock of the process. */
  readonly #draining = new Map<Lane, number>();
  /** What can never be ended, by node: then nobody is held any longer. */
  readonly #endless = new Map<UpstreamNode, string>();
  readonly #killing = new Set<UpstreamNode>();
  #startedAt = 0;
  #giveUp: () => void = () => {};

  constructor(subject: FenceSubject) {
    this.#subject = subject;
    this.#matters = (request) => mayMove(subject.snapshot, request);
  }

  /**
   * @param timeout milliseconds; from half of it on, what holds the fence up is ended
   * @returns what is still in flight then, for people; nothing when the fence is passed
   */
  async raise(timeout: number): Promise<string[]> {
    this.#startedAt = performance.now();
    let passed = false;
    let interval: NodeJS.Timeout | undefined;
    const force = setTimeout(() => {
      this.#force();
      interval = setInterval(() => this.#force(), FORCE_EVERY_MS);
    }, timeout / 2);
    let late: NodeJS.Timeout | undefined;
    const end = new Promise<void>((resolve) => {
      this.#giveUp = resolve;
      late = setTimeout(resolve, timeout);
    });
    // Twice: a read that found nothing at one node may have been sent to another one in the meantime.
    const answered = this.#answered()
      .then(() => this.#answered())
      .then(() => {
        passed = true;
      });
    await Promise.race([answered, end]);
    for (const timer of [force, interval, late]) clearTimeout(timer);
    return passed ? [] : this.#describe();
  }

  /** What waits at a node with keys that stay there may go on waiting. */
  *#lanes(node: UpstreamNode): Generator<Lane> {
    for (const lane of node.lanes()) if (lane.patience === 0) yield lane;
  }

  async #answered(): Promise<void> {
    const lanes = [...this.#subject.nodes()].flatMap((node) => [...this.#lanes(node)]);
    await Promise.all(lanes.map((lane) => lane.answeredSoFar(this.#matters)));
    // A busy node drops no connection, but must before keys move.
    while ([...this.#subject.nodes()].some(isBusyWithLateOnes) && this.#endless.size === 0) await sleep(FORCE_EVERY_MS);
  }

  /** Ends what holds the fence up. */
  #force(): void {
    for (const node of this.#subject.nodes()) {
      let held = isBusyWithLateOnes(node);
      for (const lane of [...this.#lanes(node)]) {
        const request = lane.find(this.#matters);
        if (request === null || lane.closed) continue;
        held = true;
        this.#free(lane, request);
      }
      // It answers others, so it also takes what ends the script.
      if (held && node.busy.reply !== null) this.#endCode(node);
    }
  }

  #free(lane: Lane, request: Request): void {
    const client = lane.pausedFor ?? lane.streamsTo ?? this.#sender(lane);
    if (client !== null && !client.closed) {
      this.#tell(client, lane.node, client.head ?? request, 'closed');
      this.#draining.set(lane, performance.now());
      client.close(HELD_UP);
      return;
    }
    const since = this.#draining.get(lane);
    const isLeftOver = lane.isStreaming || since !== undefined;
    if (!isLeftOver) return;
    if (since === undefined) this.#draining.set(lane, performance.now());
    else if (performance.now() - since > DRAIN_MS) lane.end('closed', HELD_UP);
  }

  /** Who has begun to send a large value on this lane, and has not ended. */
  #sender(lane: Lane): Requester | null {
    return lane.owner?.uploading === true ? lane.owner : null;
  }

  #endCode(node: UpstreamNode): void {
    if (this.#killing.has(node)) return;
    this.#killing.add(node);
    const code = this.#codeAt(node);
    endCode(node, (outcome) => {
      if (outcome === 'ended') this.#tell(code?.client ?? null, node, code, 'script ended');
      if (outcome === 'endless') {
        this.#endless.set(node, `${this.#name(code)} has written, so the node does not end it`);
        this.#giveUp();
      }
      // Another script may have begun.
      this.#killing.delete(node);
    });
  }

  /** The script that runs at the node, if it is of a client of this process. */
  #codeAt(node: UpstreamNode): Request | null {
    for (const lane of node.lanes()) {
      if (!lane.isBehindCode) continue;
      const code = lane.find((request) => request.runsCode);
      if (code !== null) return code;
    }
    return null;
  }

  #describe(): string[] {
    const found: string[] = [];
    for (const node of this.#subject.nodes()) {
      const requests = [...this.#lanes(node)].flatMap((lane) => lane.find(this.#matters) ?? []);
      const [first] = requests;
      if (first === undefined && !isBusyWithLateOnes(node)) continue;
      let what = this.#endless.get(node);
      if (what === undefined && node.runsLongCode) {
        what = `${this.#name(this.#codeAt(node))} runs there, and the node does not take SCRIPT KILL yet`;
      }
      what ??= first === undefined ? 'it drops no connection' : this.#name(first);
      found.push(`${node.name} (${node.shownAddress}): ${what}`);
    }
    return found;
  }

  #name(request: Request | null): string {
    if (request === null) return 'a script of another process';
    const command = commandName(this.#subject.table, request.command);
    const client = clientOf(request);
    if (client === null) return `${command} of a client that has left`;
    const name = client.name === '' ? '' : `, ${client.name}`;
    return `${command} of client ${client.id} (${client.address}${name})`;
  }

  #tell(client: Requester | null, node: UpstreamNode, request: Request | null, done: 'closed' | 'script ended') {
    if (!fenceForced.hasSubscribers) return;
    const waited = Math.round(performance.now() - this.#startedAt);
    const what = this.#name(request);
    const outcome = done === 'closed' ? 'the client was closed' : 'the script was ended';
    const event: FenceForcedEvent = {
      client: client?.id ?? 0,
      address: client?.address ?? '',
      name: client?.name ?? '',
      command: request === null ? '' : commandName(this.#subject.table, request.command),
      node: node.name,
      done,
      summary: `${what} to ${node.name} (${node.shownAddress}) held up a change of the ring for ${waited} ms: ${outcome}`,
    };
    fenceForced.publish(event);
  }
}

/** Whose command it is, be it a part of one. */
function clientOf(request: Request): Requester | null {
  return request.client ?? request.sink.requester ?? null;
}

/** A script keeps it from dropping connections on which commands may still lie. */
function isBusyWithLateOnes(node: UpstreamNode): boolean {
  return node.late.list().length > 0 && node.busy.reply !== null;
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
