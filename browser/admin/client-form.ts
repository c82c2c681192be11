// Reads the settings of a client from their fields, whichever there are, and warns beside a risky choice as it is made.
import { part } from '../shared/dom.js';
import { editLists, valuesOf } from './list-editor.js';
import { showProblem, text } from './page.js';

export type Values = Record<string, unknown>;

/** A field that cannot be read; the words name it. */
class Unreadable extends Error {
  readonly field: HTMLElement;

  constructor(message: string, field: HTMLElement) {
    super(message);
    this.field = field;
  }
}

const form = part<HTMLFormElement>('client-form');
const settings = () => [...form.querySelectorAll<HTMLElement>('.setting')];
const nameOf = (setting: HTMLElement) => setting.dataset.setting ?? '';
const fieldOf = <T extends HTMLElement = HTMLInputElement>(setting: HTMLElement) =>
  setting.querySelector(`#set-${CSS.escape(nameOf(setting))}`) as unknown as T;

/** What people call a setting on this page. */
export function labelOf(json: string): string {
  const setting = form.querySelector(`[data-setting="${CSS.escape(json)}"]`);
  return setting?.querySelector('label, legend')?.textContent?.trim() ?? json;
}

function read(setting: HTMLElement): unknown {
  const { kind } = setting.dataset;
  if (kind === 'flag') return fieldOf(setting).checked;
  if (kind === 'list') return valuesOf(setting);
  const typed = fieldOf(setting).value.trim();
  if (typed === '') return nameOf(setting) === 'name' ? '' : null;
  const label = labelOf(nameOf(setting));
  if (kind === 'number') {
    if (!/^\d{1,15}$/.test(typed)) throw new Unreadable(text('console.badNumber', { label }), fieldOf(setting));
    return Number(typed);
  }
  return kind === 'keys' ? readKeys(typed, label, fieldOf(setting)) : typed;
}

function readKeys(typed: string, label: string, field: HTMLElement): unknown {
  try {
    const set: unknown = JSON.parse(typed);
    if (typeof set === 'object' && set !== null) return set;
  } catch {
    // Said below.
  }
  throw new Unreadable(text('console.badKeys', { label }), field);
}

/** Whether something was typed that differs from `before`, readable or not. */
export function isChanged(before: Values): boolean {
  try {
    return Object.keys(changesFrom(before)).length > 0;
  } catch (error) {
    if (error instanceof Unreadable) return true;
    throw error;
  }
}

/** What differs from `before`, of what is there for this dialect. */
export function changesFrom(before: Values): Values {
  const shown = settings().filter((setting) => !setting.hidden);
  const now = shown.map((setting) => [nameOf(setting), read(setting)] as const);
  return Object.fromEntries(now.filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name])));
}

function stateOf(setting: HTMLElement): string {
  const { kind } = setting.dataset;
  if (kind === 'flag') return fieldOf(setting).checked ? 'on' : 'off';
  if (kind === 'choice') return fieldOf(setting).value;
  return kind === 'list' || fieldOf(setting).value.trim() === '' ? '' : 'set';
}

export function warnOfRisks(): void {
  for (const setting of settings()) {
    const risk = setting.querySelector<HTMLElement>('.risk');
    if (risk) risk.hidden = stateOf(setting) !== setting.dataset.risky;
  }
}

/** Hides everywhere on the page what belongs to the other dialect. */
export function showDialect(dialect: string): void {
  for (const one of document.querySelectorAll<HTMLElement>('[data-only]')) one.hidden = one.dataset.only !== dialect;
  for (const group of form.querySelectorAll<HTMLElement>('.setting-group')) {
    group.hidden = group.querySelector('.setting:not([hidden])') === null;
  }
}

/** Says what was refused, and marks the fields whose words it quotes, wherever they are folded away. */
export function showRefused(words: string): void {
  for (const field of form.querySelectorAll<HTMLInputElement>('.setting input[type="text"]')) {
    const typed = field.value.trim().slice(0, 200);
    const isQuoted = typed !== '' && [`"${typed}"`, `“${typed}”`].some((quoted) => words.includes(quoted));
    if (isQuoted) field.setAttribute('aria-invalid', 'true');
    else field.removeAttribute('aria-invalid');
    if (isQuoted) unfold(field);
  }
  showProblem('form-problem', words);
}

function unfold(field: HTMLElement): void {
  const fold = field.closest('details');
  if (fold) fold.open = true;
}

export function runFields(onInput: () => void = () => {}): void {
  editLists(form);
  form.addEventListener('input', ({ target }) => {
    (target as Element).removeAttribute('aria-invalid');
    warnOfRisks();
    onInput();
  });
  warnOfRisks();
}

/** One sending at a time; where a field cannot be read, that is said and the field shown. */
export function onSubmit(send: (save: HTMLButtonElement) => Promise<void>): void {
  const save = part<HTMLButtonElement>('save');
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (save.disabled) return;
    showProblem('form-problem', '');
    send(save).catch((error: unknown) => {
      if (!(error instanceof Unreadable)) throw error;
      part('form-problem').textContent = error.message;
      unfold(error.field);
      error.field.focus();
    });
  });
}
