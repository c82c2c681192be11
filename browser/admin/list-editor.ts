// A list of texts with one field each: add, remove, and several pasted lines become several fields.
import { announce, text } from './page.js';

const itemsOf = (editor: Element) => [...editor.querySelectorAll<HTMLElement>('.list-item')];
const inputOf = (item: Element) => item.querySelector('input') as HTMLInputElement;

export function valuesOf(editor: Element): string[] {
  return itemsOf(editor)
    .map((item) => inputOf(item).value.trim())
    .filter((value) => value !== '');
}

function add(editor: HTMLElement, after: HTMLElement, value = ''): HTMLElement {
  const item = after.cloneNode(true) as HTMLElement;
  const input = inputOf(item);
  input.value = value;
  input.removeAttribute('value');
  input.removeAttribute('aria-invalid');
  after.after(item);
  number(editor);
  return item;
}

function number(editor: HTMLElement): void {
  itemsOf(editor).forEach((item, index) => {
    inputOf(item).setAttribute('aria-label', `${editor.dataset.name} ${index + 1}`);
  });
}

/** The last field stays, empty. */
function remove(editor: HTMLElement, item: HTMLElement): void {
  const items = itemsOf(editor);
  const next = items[items.indexOf(item) + 1] ?? items[items.indexOf(item) - 1];
  if (next) item.remove();
  else inputOf(item).value = '';
  number(editor);
  inputOf(next ?? item).focus();
}

function addLast(editor: HTMLElement): void {
  const last = itemsOf(editor).pop();
  if (!last) return;
  inputOf(inputOf(last).value === '' ? last : add(editor, last)).focus();
}

function paste(editor: HTMLElement, item: HTMLElement, lines: string[]): void {
  const [first = '', ...others] = lines;
  inputOf(item).value = first;
  const last = others.reduce((after, line) => add(editor, after, line), item);
  inputOf(last).focus();
  announce(text('console.list.added', { count: lines.length }));
}

/** Of all lists in the form, also those that come later. */
export function editLists(form: HTMLElement): void {
  const changed = (editor: Element) => editor.dispatchEvent(new Event('input', { bubbles: true }));
  form.addEventListener('click', ({ target }) => {
    const button = (target as Element).closest('.list-editor button');
    const editor = button?.closest<HTMLElement>('.list-editor');
    if (!button || !editor) return;
    const item = button.closest<HTMLElement>('.list-item');
    if (item) remove(editor, item);
    else addLast(editor);
    changed(editor);
  });
  form.addEventListener('keydown', (event) => {
    const { target } = event;
    const editor = (target as Element).closest<HTMLElement>('.list-editor');
    // Enter asks for the next field; it must not send a form that is half filled in.
    if (event.key !== 'Enter' || event.isComposing || !editor || !(target instanceof HTMLInputElement)) return;
    event.preventDefault();
    addLast(editor);
  });
  form.addEventListener('paste', (event) => {
    const { target } = event;
    const item = (target as Element).closest<HTMLElement>('.list-item');
    const editor = item?.closest<HTMLElement>('.list-editor');
    const lines = (event.clipboardData?.getData('text/plain') ?? '').split(/\s+/).filter(Boolean);
    if (!item || !editor || lines.length < 2) return;
    event.preventDefault();
    const typed = inputOf(item).value.trim();
    paste(editor, item, typed === '' ? lines : [typed, ...lines]);
    changed(editor);
  });
}
