// What every page of the console begins with: its data, its texts, and the few controls that all pages have.
import { part } from '../shared/dom.js';
import { type Texts, takePageData, textOf } from '../shared/page-data.js';

export interface PageData {
  csrf: string;
  lang: string;
  /** Then a password proves nothing (T65). */
  hasPasskey: boolean;
  passkeysPossible: boolean;
  texts: Texts;
  client?: { id: string; revision: number };
  /** What each setting is before anybody types. */
  values?: Record<string, unknown>;
  /** The settings by the names that the API gives those that changed. */
  columns?: Record<string, string>;
}

export const data = takePageData<PageData>();

export function text(key: string, values?: Record<string, string | number>): string {
  return textOf(data.texts, key, values);
}

/** A page's own language goes along where it was asked for. */
export function at(address: string): string {
  return new URLSearchParams(location.search).has('lang') ? `${address}?lang=${data.lang}` : address;
}

/** Said to those who do not see the page. */
export function announce(words: string): void {
  part('announce').textContent = words;
}

export function showProblem(id: string, words: string): void {
  const problem = part(id);
  problem.textContent = words;
  if (words !== '') problem.focus();
}

/** Times in the reader's own zone; the server wrote them in UTC. */
export function localTimes(): void {
  const format = new Intl.DateTimeFormat(data.lang, { dateStyle: 'medium', timeStyle: 'short' });
  for (const time of document.querySelectorAll('time')) time.textContent = format.format(new Date(time.dateTime));
}

/** It cannot be pressed twice; `words`: what it says meanwhile. */
export async function whileBusy<T>(button: HTMLButtonElement, work: () => Promise<T>, words?: string): Promise<T> {
  const idle = button.textContent;
  button.disabled = true;
  if (words !== undefined) button.textContent = words;
  try {
    return await work();
  } finally {
    button.disabled = false;
    button.textContent = idle;
    // A button that is switched off lets go of the focus.
    if (document.activeElement === document.body) button.focus();
  }
}

async function copy(button: HTMLElement, source: HTMLElement): Promise<void> {
  const words = await navigator.clipboard?.writeText(source.textContent ?? '').then(
    () => text('console.copied'),
    () => null,
  );
  // Without https there is no clipboard: what is marked can be copied by hand.
  if (!words) getSelection()?.selectAllChildren(source);
  const result = words ?? text('console.copyByHand');
  announce(result);
  // It says so already: what it said before is kept.
  if (button.dataset.said !== undefined) return;
  button.dataset.said = button.textContent ?? '';
  button.textContent = result;
  setTimeout(() => {
    button.textContent = button.dataset.said ?? '';
    delete button.dataset.said;
  }, 2000);
}

document.addEventListener('click', ({ target }) => {
  if (!(target instanceof Element)) return;
  const button = target.closest<HTMLElement>('[data-copies]');
  if (button) void copy(button, part(button.dataset.copies ?? ''));
  target.closest('[data-closes]')?.closest('dialog')?.close();
});

localTimes();
