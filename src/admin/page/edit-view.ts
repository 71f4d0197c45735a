/** Adding, removing, weighing and replacing nodes: what would move is shown first. */
import type { ChangeAccepted, ChangeRequest, NodeView } from '../api.js';
import type { ApiClient } from './api-client.js';
import { type Answers, accessOf, confirmThat } from './confirm.js';
import { byId } from './dom.js';
import { formatBytes, formatCount, formatPercent } from './format.js';
import { isDown } from './problems.js';

export class Editor {
  readonly #api: ApiClient;
  readonly #refresh: () => void;
  readonly #form = byId('add', HTMLFormElement);
  readonly #name = byId('add-name', HTMLInputElement);
  readonly #address = byId('add-address', HTMLInputElement);
  readonly #weight = byId('add-weight', HTMLInputElement);
  readonly #flush = byId('add-flush', HTMLInputElement);
  readonly #access = {
    username: byId('add-username', HTMLInputElement),
    password: byId('add-password', HTMLInputElement),
    peer: byId('add-peer', HTMLInputElement),
  };

  constructor(api: ApiClient, refresh: () => void) {
    this.#api = api;
    this.#refresh = refresh;
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#add();
    });
  }

  #add(): void {
    const name = this.#name.value.trim();
    const node = {
      ...{ name, address: this.#address.value.trim(), weight: this.#weight.valueAsNumber },
      ...accessOf(this.#access),
    };
    const request: ChangeRequest = { kind: 'add', add: [node], flush: this.#flush.checked };
    const deletes = this.#flush.checked ? ' What it holds now is deleted first.' : '';
    confirmThat({
      title: `Add ${name}`,
      text: `The server ${node.address} becomes a node of the ring, and gets its part of the keys.`,
      yes: `Add ${name}`,
      look: {
        plan: () => this.#plan(request),
        describe: (plan) =>
          `${formatPercent(movedShare(plan))} of the ring changes hands, while clients go on; generation ${plan.generation} follows.${deletes}${surveyed(plan)}`,
      },
      act: async ({ throttle }) => {
        await this.#do({ ...request, throttle });
        this.#form.reset();
      },
    });
  }

  remove(node: NodeView): void {
    const requestFor = (noDrain: boolean | undefined): ChangeRequest => {
      return { kind: 'remove', remove: [node.name], noDrain: noDrain === true };
    };
    if (node.ejection !== null) {
      confirmThat({
        title: `Forget ${node.name}`,
        text: `It is ejected, and owns no keys. Once it is forgotten it does not come back by itself.`,
        yes: `Forget ${node.name}`,
        act: () => this.#do(requestFor(false)),
      });
      return;
    }
    confirmThat({
      title: `Remove ${node.name}`,
      text: `The node leaves the ring, and its keys move to the others.`,
      yes: `Remove ${node.name}`,
      look: {
        plan: ({ ticked: [noDrain] }) => this.#plan(requestFor(noDrain)),
        describe: (plan, { ticked: [noDrain] }) =>
          noDrain === true
            ? `Its part, ${formatPercent(movedShare(plan))} of the ring, goes to the other nodes without its keys; generation ${plan.generation} follows.`
            : `Its keys, ${formatPercent(movedShare(plan))} of the ring, move to the other nodes, while clients go on; generation ${plan.generation} follows.${surveyed(plan)}`,
      },
      options: [{ label: 'The node is gone: give up its keys instead of moving them', ticked: isDown(node) }],
      act: ({ ticked: [noDrain], throttle }) => this.#do({ ...requestFor(noDrain), throttle }),
    });
  }

  reweigh(node: NodeView): void {
    // More is a slip of the hand, but on a ring that came from twemproxy with such weights.
    const most = node.weight > 1000 ? 1_000_000 : 1000;
    const requestFor = (value: string): ChangeRequest => {
      return { kind: 'reweight', weights: [{ name: node.name, weight: Number(value) }] };
    };
    confirmThat({
      title: `Weight of ${node.name}`,
      text: `It is ${node.weight}. A node's part of the ring is its weight among the weights of all.`,
      yes: 'Set the weight',
      field: { label: `Weight, 1 to ${most}`, value: String(node.weight), type: 'number', most },
      look: {
        plan: ({ value }) => this.#plan(requestFor(value)),
        describe: (plan) =>
          `${formatPercent(movedShare(plan))} of the ring changes hands, while clients go on; generation ${plan.generation} follows.${surveyed(plan)}`,
      },
      act: ({ value, throttle }) => this.#do({ ...requestFor(value), throttle }),
    });
  }

  replace(node: NodeView): void {
    const requestFor = ({ value, ticked: [flush, noDrain], access }: Answers): ChangeRequest => {
      const replace = [{ name: node.name, address: value.trim(), ...access }];
      return { kind: 'replace', replace, flush: flush === true, noDrain: noDrain === true };
    };
    confirmThat({
      title: `Replace ${node.name}`,
      text: `Another server takes the place of ${node.address}: the node keeps its name and its part of the ring, and its keys are copied.`,
      yes: `Replace ${node.name}`,
      field: { label: 'Address of the new server', value: '', type: 'text', placeholder: '10.0.0.4:6379' },
      asksAccess: true,
      look: {
        plan: (answers) => this.#plan(requestFor(answers)),
        describe: (plan, { ticked: [flush, noDrain] }) => {
          const part = `${formatPercent(movedShare(plan))} of the ring`;
          const what =
            noDrain === true
              ? `The part of ${node.name}, ${part}, is served by the new server without the keys of before`
              : `All keys of ${node.name}, ${part}, move to the new server, while clients go on`;
          const deleted = flush === true ? ' What the new server holds now is deleted first.' : '';
          return `${what}; generation ${plan.generation} follows.${deleted}${surveyed(plan)}`;
        },
      },
      options: [
        { label: 'Delete what the new server holds', ticked: false },
        { label: 'The server of before is gone: give up its keys', ticked: isDown(node) },
      ],
      act: (answers) => this.#do({ ...requestFor(answers), throttle: answers.throttle }),
    });
  }

  /** Keys that a running change waits for, of a node that does not answer. */
  giveUp(node: NodeView): void {
    confirmThat({
      title: `Give up keys of ${node.name}`,
      text: `The change goes on without the keys that ${node.name} has not handed over: they read as missing. That holds for all nodes that are down.`,
      yes: 'Give them up',
      act: async () => {
        await this.#api.resumeWithoutDead();
        this.#refresh();
      },
    });
  }

  #plan(request: ChangeRequest): Promise<ChangeAccepted> {
    return this.#api.change({ ...request, dryRun: true });
  }

  async #do(request: ChangeRequest): Promise<void> {
    await this.#api.change(request);
    this.#refresh();
  }
}

function movedShare(plan: ChangeAccepted): number {
  return plan.moves.reduce((sum, move) => sum + move.share, 0);
}

/** How many keys would move, and the largest of them, as far as there was time to look. */
function surveyed({ survey }: ChangeAccepted): string {
  if (survey === null || survey.keys === 0) return '';
  const keys = `${survey.complete ? '' : 'more than '}${formatCount(survey.keys)} keys`;
  const [largest] = survey.largest;
  return ` That is ${keys} now${largest === undefined ? '' : `, the largest ${formatBytes(largest.bytes)} (${largest.key})`}.`;
}
