/** The dialog that shows what would happen, before it does. */
import type { ChangeAccepted } from '../api.js';
import { explain } from './api-client.js';
import { byId, el, setText } from './dom.js';
import { formatPercent } from './format.js';

export interface Question {
  readonly title: string;
  readonly text: string;
  /** What the button says. */
  readonly yes: string;
  /** What the ring would become; null: there is nothing to show. */
  readonly plan?: ChangeAccepted;
  /** A box that can be ticked, and what would happen then. */
  readonly option?: { readonly label: string; readonly plan: () => Promise<ChangeAccepted> };
  /** @param ticked whether the option was taken */
  act(ticked: boolean): Promise<unknown>;
}

const dialog = byId('confirm', HTMLDialogElement);
const title = byId('confirm-title', HTMLElement);
const text = byId('confirm-text', HTMLElement);
const warnings = byId('confirm-warnings', HTMLElement);
const moves = byId('confirm-moves', HTMLTableElement);
const option = byId('confirm-option', HTMLElement);
const box = byId('confirm-option-box', HTMLInputElement);
const failure = byId('confirm-error', HTMLElement);
const no = byId('confirm-no', HTMLButtonElement);
const yes = byId('confirm-yes', HTMLButtonElement);
let current: Question | null = null;

no.addEventListener('click', () => dialog.close());
dialog.addEventListener('close', () => {
  current = null;
});
yes.addEventListener('click', () => void act());
box.addEventListener('change', () => void replan());

/** Asks; the question's `act` follows when the answer is yes, and its failure is shown. */
export function confirmThat(question: Question): void {
  current = question;
  setText(title, question.title);
  setText(text, question.text);
  setText(yes, question.yes);
  setText(failure, '');
  box.checked = false;
  option.hidden = question.option === undefined;
  const [, label] = option.children;
  if (label !== undefined) setText(label, question.option?.label ?? '');
  showPlan(question.plan ?? null);
  yes.disabled = false;
  dialog.showModal();
}

async function act(): Promise<void> {
  const question = current;
  if (question === null) return;
  yes.disabled = true;
  try {
    await question.act(box.checked);
    dialog.close();
  } catch (error) {
    setText(failure, explain(error));
  }
  yes.disabled = false;
}

async function replan(): Promise<void> {
  const question = current;
  if (question === null) return;
  try {
    showPlan(box.checked ? ((await question.option?.plan()) ?? null) : (question.plan ?? null));
  } catch (error) {
    setText(failure, explain(error));
  }
}

function showPlan(plan: ChangeAccepted | null): void {
  warnings.replaceChildren(...(plan?.warnings ?? []).map((warning) => el('li', {}, warning)));
  moves.hidden = plan === null;
  const rows = [...(plan?.moves ?? [])].sort((a, b) => b.share - a.share);
  moves.tBodies[0]?.replaceChildren(
    ...rows.map(({ source, target, share }) =>
      el('tr', {}, el('td', {}, source), el('td', {}, target), el('td', { class: 'number' }, formatPercent(share))),
    ),
  );
}
