/**
 * Keys of groups with `cache: replicated`. Their values are in this process' memory (`fleet/values`), as they are in that
 * of every other process of every proxy: a read is a look-up, a write is answered at once, and what it has changed
 * travels in batches. Nodes have none of these keys.
 */
import type { Command } from '../../../commands/command.js';
import { findKeys, keyPositions } from '../../../commands/keys.js';
import { args, type RequestFramer } from '../../../resp/request-framer.js';
import type { KeyGroups } from '../../measure/key-groups.js';
import { TAKEN, type Verdict } from '../../request/verdict.js';
import type { Router } from '../../route/router.js';
import type { ClientConnection } from '../../session/client-connection.js';
import { PASS, type PolicyStep } from '../policies.js';
import type { Call } from './call.js';
import { operationOf } from './operations.js';
import { refusalApart, refusalOnReplicated } from './refusals.js';

const ERROR_BYTE = 0x2d;

export class Replicated implements PolicyStep {
  readonly #router: Router;
  readonly #groups: KeyGroups;
  readonly #call: Call;

  constructor(router: Router, groups: KeyGroups, call: Call) {
    this.#router = router;
    this.#groups = groups;
    this.#call = call;
  }

  /** Answers the command that `framer` holds when all of its keys are here. */
  dispatch(client: ClientConnection, framer: RequestFramer, command: Command, source: Buffer): Verdict | typeof PASS {
    const groups = this.#groups;
    const at = command.singleKeyAt;
    if (at > 0 && at < framer.argc) {
      if (groups.policyAtHand?.cache !== 'replicated') return PASS;
      return this.#run(client, framer, command, source, at);
    }
    const count = findKeys(command, args, framer.argc, source);
    const here: number[] = [];
    for (let i = 0; i < count; i++) {
      const key = keyPositions.at[i] as number;
      const policy = groups.policyOf(source, args.start[key] as number, args.end[key] as number);
      if (policy?.cache === 'replicated') here.push(key);
    }
    const [first] = here;
    if (first === undefined) return PASS;
    this.#call.keys = here;
    if (here.length === count) return this.#run(client, framer, command, source, first);
    // Its parts are brought together where they are split.
    if (command.route === 'split') return PASS;
    return this.#router.refuse(client, command, refusalApart(command));
  }

  /** What was written stays: a group may become replicated again. */
  onGroups(): void {}

  /** @param key where the first of its keys stands */
  #run(client: ClientConnection, framer: RequestFramer, command: Command, source: Buffer, key: number): Verdict {
    const operation = operationOf(command.onReplicated);
    const start = args.start[key] as number;
    const end = args.end[key] as number;
    const groups = this.#groups;
    if (operation === null) {
      const group = groups.nameOf(groups.groupOf(source, start, end));
      return this.#router.refuse(client, command, refusalOnReplicated(command, group));
    }
    const call = this.#call;
    call.begin(command.name, framer, source, client.kind);
    call.isPart = false;
    const reply = operation(call);
    client.reply(command.id, reply, reply[0] === ERROR_BYTE);
    return TAKEN;
  }
}
