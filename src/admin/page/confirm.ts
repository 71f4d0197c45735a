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

/** A box that can be ticked, on which the plan depends. */
export interface Option {
  readonly label: string;
  readonly ticked: boolean;
}

/** What was said in the dialog. */
export interface Answers {
  /** Whether each option is taken, in their order. */
  readonly ticked: readonly boolean[];
  /** Of the field. */
  readonly value: string;
  /** Keys a second at most; 0: as fast as it goes. */
  readonly throttle: number;
  /** How the new server is reached; what is left empty is as it was. */
  readonly access: Access;
}

export interface Access {
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly peerAddress: string | undefined;
}

/** How to find out what would happen. */
export interface Look {
  plan(answers: Answers): Promise<ChangeAccepted>;
  /** What the plan comes to; takes the place of the question's text. */
  describe(plan: ChangeAccepted, answers: Answers): string;
}

export interface Question {
  readonly title: string;
  readonly text: string;
  /** What the button says. */
  readonly yes: string;
  /** Looked up at once, or where there is a field when its value is there. Without it there is nothing to show, and nothing to throttle. */
  readonly look?: Look;
  readonly field?: Field;
  readonly options?: readonly Option[];
  /** User, password and peer address are asked for, too. */
  readonly asksAccess?: boolean;
  act(answers: Answers): Promise<unknown>;
}

const dialog = byId('confirm', HTMLDialogElement);
const title = byId('confirm-title', HTMLElement);
const text = byId('confirm-text', HTMLElement);
const ask = byId('confirm-ask', HTMLElement);
const label = byId('confirm-label', HTMLElement);
const input = byId('confirm-value', HTMLInputElement);
const warnings = byId('confirm-warnings', HTMLElement);
const moves = byId('confirm-moves', HTMLTableElement);
const options = byId('confirm-options', HTMLElement);
const access = byId('confirm-access', HTMLDetailsElement);
const username = byId('confirm-username', HTMLInputElement);
const password = byId('confirm-password', HTMLInputElement);
const peer = byId('confirm-peer', HTMLInputElement);
const throttled = byId('confirm-throttled', HTMLElement);
const throttle = byId('confirm-throttle', HTMLInputElement);
const failure = byId('confirm-error', HTMLElement);
const no = byId('confirm-no', HTMLButtonElement);
const look = byId('confirm-plan', HTMLButtonElement);
const yes = byId('confirm-yes', HTMLButtonElement);
/** Where the answer shows: who has agreed goes on reading there. */
const outcome = byId('health', HTMLElement);
let boxes: readonly HTMLInputElement[] = [];
let current: Question | null = null;
/** Tells the answer to what was asked last from those to what was asked before. */
let asked = 0;

no.addEventListener('click', () => dialog.close());
dialog.addEventListener('close', () => {
  current = null;
  forgetAccess();
  asked++;
});
yes.addEventListener('click', () => void act());
for (const field of [input, username, password, peer]) field.addEventListener('input', () => forgetPlan());
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
  boxes = (question.options ?? []).map(boxOf);
  options.replaceChildren(...boxes.flatMap(({ parentElement }) => parentElement ?? []));
  access.hidden = question.asksAccess !== true;
  access.open = false;
  forgetAccess();
  throttled.hidden = question.look === undefined;
  throttle.disabled = question.look === undefined;
  throttle.value = '0';
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

function boxOf({ label: words, ticked }: Option): HTMLInputElement {
  const box = el('input', { type: 'checkbox' });
  // All of them give something up for good.
  const may = document.body.dataset.role !== 'operator';
  box.checked = ticked && may;
  box.disabled = !may;
  box.addEventListener('change', () => {
    if (current?.field === undefined) void lookUp();
    else forgetPlan();
  });
  el('label', { class: 'check' }, box, el('span', {}, may ? words : `${words} (takes the role admin)`));
  return box;
}

function answers(): Answers {
  const rate = throttle.valueAsNumber;
  return {
    ticked: boxes.map(({ checked }) => checked),
    value: input.value,
    throttle: Number.isFinite(rate) ? rate : 0,
    access: accessOf({ username, password, peer }),
  };
}

/** A password stays on the page no longer than its question. */
function forgetAccess(): void {
  for (const field of [username, password, peer]) field.value = '';
}

/** What was typed; what is left empty is as it is for the other nodes. */
export function accessOf(fields: Readonly<Record<'username' | 'password' | 'peer', HTMLInputElement>>): Access {
  return {
    username: fields.username.value || undefined,
    password: fields.password.value || undefined,
    peerAddress: fields.peer.value.trim() || undefined,
  };
}

async function act(): Promise<void> {
  const question = current;
  if (question === null) return;
  if (!throttle.reportValidity()) return;
  yes.disabled = true;
  setText(failure, '');
  try {
    await question.act(answers());
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
  const said = answers();
  // Nodes are examined, which can take a while.
  setText(text, 'Looking at what would move …');
  try {
    const plan = await question.plan(said);
    if (request !== asked) return;
    setText(text, question.describe(plan, said));
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
