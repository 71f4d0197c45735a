/** Adding, removing, weighing and replacing nodes: what would move is shown first. */
import type { ChangeAccepted, ChangeRequest, NodeView } from '../api.js';
import type { ApiClient } from './api-client.js';
import { confirmThat } from './confirm.js';
import { byId } from './dom.js';
import { formatBytes, formatCount, formatPercent } from './format.js';

export class Editor {
  readonly #api: ApiClient;
  readonly #refresh: () => void;
  readonly #form = byId('add', HTMLFormElement);
  readonly #name = byId('add-name', HTMLInputElement);
  readonly #address = byId('add-address', HTMLInputElement);
  readonly #weight = byId('add-weight', HTMLInputElement);
  readonly #flush = byId('add-flush', HTMLInputElement);

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
    const node = { name, address: this.#address.value.trim(), weight: this.#weight.valueAsNumber };
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
      act: async () => {
        await this.#do(request);
        this.#form.reset();
      },
    });
  }

  remove(node: NodeView): void {
    const requestFor = (noDrain: boolean): ChangeRequest => ({ kind: 'remove', remove: [node.name], noDrain });
    confirmThat({
      title: `Remove ${node.name}`,
      text: `The node leaves the ring, and its keys move to the others.`,
      yes: `Remove ${node.name}`,
      look: {
        plan: (noDrain) => this.#plan(requestFor(noDrain)),
        describe: (plan, noDrain) =>
          noDrain
            ? `Its part, ${formatPercent(movedShare(plan))} of the ring, goes to the other nodes without its keys; generation ${plan.generation} follows.`
            : `Its keys, ${formatPercent(movedShare(plan))} of the ring, move to the other nodes, while clients go on; generation ${plan.generation} follows.${surveyed(plan)}`,
      },
      option: 'The node is gone: give up its keys instead of moving them',
      act: (noDrain) => this.#do(requestFor(noDrain)),
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
        plan: (_, value) => this.#plan(requestFor(value)),
        describe: (plan) =>
          `${formatPercent(movedShare(plan))} of the ring changes hands, while clients go on; generation ${plan.generation} follows.${surveyed(plan)}`,
      },
      act: (_, value) => this.#do(requestFor(value)),
    });
  }

  replace(node: NodeView): void {
    const requestFor = (value: string, flush: boolean): ChangeRequest => {
      return { kind: 'replace', replace: [{ name: node.name, address: value.trim() }], flush };
    };
    confirmThat({
      title: `Replace ${node.name}`,
      text: `Another server takes the place of ${node.address}: the node keeps its name and its part of the ring, and its keys are copied.`,
      yes: `Replace ${node.name}`,
      field: { label: 'Address of the new server', value: '', type: 'text', placeholder: '10.0.0.4:6379' },
      look: {
        plan: (flush, value) => this.#plan(requestFor(value, flush)),
        describe: (plan, flush) =>
          `All keys of ${node.name}, ${formatPercent(movedShare(plan))} of the ring, move to the new server, while clients go on; generation ${plan.generation} follows.${flush ? ' What the new server holds now is deleted first.' : ''}${surveyed(plan)}`,
      },
      option: 'Delete what the new server holds',
      act: (flush, value) => this.#do(requestFor(value, flush)),
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
