/** The dialog that shows what would happen, before it does. */
import type { ChangeAccepted } from '../api.js';
import { explain } from './api-client.js';
import { byId, el, setText } from './dom.js';
import { formatPercent } from './format.js';

/** A value that is asked for. What it would do is looked up before it can be agreed to. */
export interface Field {
  readonly label: string;
  /** What stands there at first. */
  readonly value: string;
  /** `number`: a whole one, as a weight. */
  readonly type: 'number' | 'text';
  readonly placeholder?: string;
  /** The largest number that it takes. */
  readonly most?: number;
}

/** How to find out what would happen. */
export interface Look {
  plan(ticked: boolean, value: string): Promise<ChangeAccepted>;
  /** What the plan comes to; takes the place of the question's text. */
  describe(plan: ChangeAccepted, ticked: boolean): string;
}

export interface Question {
  readonly title: string;
  readonly text: string;
  /** What the button says. */
  readonly yes: string;
  /** Looked up at once, or where there is a field when its value is there. Without it there is nothing to show. */
  readonly look?: Look;
  readonly field?: Field;
  /** A box that can be ticked, on which the plan depends. */
  readonly option?: string;
  /** @param ticked whether the option was taken. @param value of the field */
  act(ticked: boolean, value: string): Promise<unknown>;
}

const dialog = byId('confirm', HTMLDialogElement);
const title = byId('confirm-title', HTMLElement);
const text = byId('confirm-text', HTMLElement);
const ask = byId('confirm-ask', HTMLElement);
const label = byId('confirm-label', HTMLElement);
const input = byId('confirm-value', HTMLInputElement);
const warnings = byId('confirm-warnings', HTMLElement);
const moves = byId('confirm-moves', HTMLTableElement);
const option = byId('confirm-option', HTMLElement);
const box = byId('confirm-option-box', HTMLInputElement);
const failure = byId('confirm-error', HTMLElement);
const no = byId('confirm-no', HTMLButtonElement);
const look = byId('confirm-plan', HTMLButtonElement);
const yes = byId('confirm-yes', HTMLButtonElement);
/** Where the answer shows: who has agreed goes on reading there. */
const outcome = byId('change-title', HTMLElement);
let current: Question | null = null;
/** Tells the answer to what was asked last from those to what was asked before. */
let asked = 0;

no.addEventListener('click', () => dialog.close());
dialog.addEventListener('close', () => {
  current = null;
  asked++;
});
yes.addEventListener('click', () => void act());
box.addEventListener('change', () => {
  if (current?.field === undefined) void lookUp();
  else forgetPlan();
});
input.addEventListener('input', () => forgetPlan());
dialog.addEventListener('submit', (event) => {
  // Enter in the field looks, and neither agrees nor closes.
  event.preventDefault();
  void lookUp();
});

/** Asks; the question's `act` follows when the answer is yes, and its failure is shown. */
export function confirmThat(question: Question): void {
  current = question;
  const { field } = question;
  setText(title, question.title);
  setText(yes, question.yes);
  box.checked = false;
  option.hidden = question.option === undefined;
  const [, optionLabel] = option.children;
  if (optionLabel !== undefined) setText(optionLabel, question.option ?? '');
  ask.hidden = field === undefined;
  look.hidden = field === undefined;
  // A field that is hidden must not hold up the form.
  input.disabled = field === undefined;
  setText(label, field?.label ?? '');
  input.type = field?.type ?? 'text';
  input.placeholder = field?.placeholder ?? '';
  input.min = field?.type === 'number' ? '1' : '';
  input.max = field?.type === 'number' ? String(field.most ?? '') : '';
  input.value = field?.value ?? '';
  forgetPlan();
  dialog.showModal();
  if (field === undefined) {
    void lookUp();
    return;
  }
  input.focus();
  input.select();
}

async function act(): Promise<void> {
  const question = current;
  if (question === null) return;
  yes.disabled = true;
  setText(failure, '');
  try {
    await question.act(box.checked, input.value);
    // Whoever has left meanwhile may have been asked something else.
    if (current !== question) return;
    dialog.close();
    outcome.focus();
  } catch (error) {
    if (current !== question) return;
    setText(failure, explain(error));
    yes.disabled = false;
    yes.focus();
  }
}

/** What was looked up is not what would happen any more. */
function forgetPlan(): void {
  asked++;
  setText(failure, '');
  setText(text, current?.text ?? '');
  yes.disabled = current?.look !== undefined;
  showPlan(null);
}

async function lookUp(): Promise<void> {
  const question = current?.look;
  if (question === undefined) return;
  forgetPlan();
  const request = asked;
  const ticked = box.checked;
  // Nodes are examined, which can take a while.
  setText(text, 'Looking at what would move …');
  try {
    const plan = await question.plan(ticked, input.value);
    if (request !== asked) return;
    setText(text, question.describe(plan, ticked));
    showPlan(plan);
    yes.disabled = false;
  } catch (error) {
    if (request !== asked) return;
    setText(text, current?.text ?? '');
    setText(failure, explain(error));
  }
}

function showPlan(plan: ChangeAccepted | null): void {
  warnings.replaceChildren(...(plan?.warnings ?? []).map((warning) => el('li', {}, warning)));
  const rows = [...(plan?.moves ?? [])].sort((a, b) => b.share - a.share);
  moves.hidden = rows.length === 0;
  moves.tBodies[0]?.replaceChildren(
    ...rows.map(({ source, target, share }) =>
      el('tr', {}, el('td', {}, source), el('td', {}, target), el('td', { class: 'number' }, formatPercent(share))),
    ),
  );
}
