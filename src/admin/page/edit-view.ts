/** Adding and removing nodes: what would move is shown first. */
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
