/** Adding, removing, weighing and replacing nodes: what would move is shown first. */
import type { ChangeAccepted, ChangeRequest, NodeView } from '../api.js';
import { type ApiClient, explain } from './api-client.js';
import { confirmThat } from './confirm.js';
import { byId, setText } from './dom.js';
import { formatPercent } from './format.js';

export class Editor {
  readonly #api: ApiClient;
  readonly #refresh: () => void;
  readonly #form = byId('add', HTMLFormElement);
  readonly #name = byId('add-name', HTMLInputElement);
  readonly #address = byId('add-address', HTMLInputElement);
  readonly #weight = byId('add-weight', HTMLInputElement);
  readonly #flush = byId('add-flush', HTMLInputElement);
  readonly #error = byId('edit-error', HTMLElement);

  constructor(api: ApiClient, refresh: () => void) {
    this.#api = api;
    this.#refresh = refresh;
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#add();
    });
  }

  async #add(): Promise<void> {
    const name = this.#name.value.trim();
    const node = { name, address: this.#address.value.trim(), weight: this.#weight.valueAsNumber };
    const request: ChangeRequest = { kind: 'add', add: [node], flush: this.#flush.checked };
    const plan = await this.#plan(request);
    if (plan === null) return;
    const deletes = this.#flush.checked ? ' What it holds now is deleted first.' : '';
    confirmThat({
      title: `Add ${name}`,
      text: `${formatPercent(movedShare(plan))} of the ring changes hands, while clients go on; generation ${plan.generation} follows.${deletes}`,
      yes: `Add ${name}`,
      plan,
      act: async () => {
        await this.#do(request);
        this.#form.reset();
      },
    });
  }

  async remove(node: NodeView): Promise<void> {
    const request: ChangeRequest = { kind: 'remove', remove: [node.name] };
    const plan = await this.#plan(request);
    if (plan === null) return;
    confirmThat({
      title: `Remove ${node.name}`,
      text: `Its keys, ${formatPercent(movedShare(plan))} of the ring, move to the other nodes, while clients go on; generation ${plan.generation} follows.`,
      yes: `Remove ${node.name}`,
      plan,
      option: {
        label: 'The node is gone: give up its keys instead of moving them',
        plan: () => this.#api.change({ ...request, noDrain: true, dryRun: true }),
      },
      act: (noDrain) => this.#do({ ...request, noDrain }),
    });
  }

  reweigh(node: NodeView): void {
    const requestFor = (value: string): ChangeRequest => {
      return { kind: 'reweight', weights: [{ name: node.name, weight: Number(value) }] };
    };
    confirmThat({
      title: `Weight of ${node.name}`,
      text: `It is ${node.weight}. A node's part of the ring is its weight among the weights of all.`,
      yes: 'Set the weight',
      field: {
        label: 'Weight, 1 to 1000',
        value: String(node.weight),
        type: 'number',
        plan: (value) => this.#api.change({ ...requestFor(value), dryRun: true }),
        describe: (plan) =>
          `${formatPercent(movedShare(plan))} of the ring changes hands, while clients go on; generation ${plan.generation} follows.`,
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
      field: {
        label: 'Address of the new server',
        value: '',
        type: 'text',
        placeholder: '10.0.0.4:6379',
        plan: (value, flush) => this.#api.change({ ...requestFor(value, flush), dryRun: true }),
        describe: (plan, flush) =>
          `All keys of ${node.name}, ${formatPercent(movedShare(plan))} of the ring, move to the new server, while clients go on; generation ${plan.generation} follows.${flush ? ' What the new server holds now is deleted first.' : ''}`,
      },
      option: { label: 'Delete what the new server holds' },
      act: (flush, value) => this.#do(requestFor(value, flush)),
    });
  }

  /** What would happen; null when it is refused, which is shown. */
  async #plan(request: ChangeRequest): Promise<ChangeAccepted | null> {
    setText(this.#error, '');
    try {
      return await this.#api.change({ ...request, dryRun: true });
    } catch (error) {
      setText(this.#error, explain(error));
      return null;
    }
  }

  async #do(request: ChangeRequest): Promise<void> {
    await this.#api.change(request);
    this.#refresh();
  }
}

function movedShare(plan: ChangeAccepted): number {
  return plan.moves.reduce((sum, move) => sum + move.share, 0);
}
