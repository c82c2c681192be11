// What is done to a client as a whole: a new secret, disable and enable, delete. Each in its place, the grave ones in a dialog.
import { optionalPart, part } from '../shared/dom.js';
import { type Answer, textField } from '../shared/http.js';
import { api, isDone, problemOf } from './api.js';
import { announce, at, showProblem, text, whileBusy } from './page.js';
import { showSecret } from './secret.js';

type Refresh = (answer: Answer) => Promise<void>;

function showDialog(id: string): void {
  for (const problem of part(id).querySelectorAll('.problem')) problem.textContent = '';
  part<HTMLDialogElement>(id).showModal();
}

async function enable(button: HTMLButtonElement, address: string, refresh: Refresh): Promise<void> {
  showProblem('state-problem', '');
  const answer = await whileBusy(button, () => api('POST', `${address}/enable`, {}));
  if (!isDone(answer)) return showProblem('state-problem', problemOf(answer));
  await refresh(answer);
  announce(text('console.enable.done'));
  optionalPart('disable')?.focus();
}

async function disable(address: string, refresh: Refresh): Promise<void> {
  const button = part<HTMLButtonElement>('disable-submit');
  if (button.disabled) return;
  const answer = await whileBusy(button, () => api('POST', `${address}/disable`, {}));
  if (!isDone(answer)) {
    part('disable-problem').textContent = problemOf(answer);
    return;
  }
  part<HTMLDialogElement>('disable-dialog').close();
  await refresh(answer);
  announce(text('console.disable.done'));
  optionalPart('enable')?.focus();
}

async function rotate(address: string, refresh: Refresh, revision: number): Promise<void> {
  const seconds = Number(new FormData(part<HTMLFormElement>('rotate-form')).get('grace'));
  // Upon what the page shows: an answer may get lost, and a second new secret would end the one that the site still uses.
  const call = () => api('POST', `${address}/rotate-secret`, { grace_seconds: seconds, revision });
  const button = part<HTMLButtonElement>('rotate-submit');
  if (button.disabled) return;
  const answer = await whileBusy(button, call);
  if (!isDone(answer)) {
    const isConflict = textField(answer, 'error') === 'conflict';
    part('rotate-problem').textContent = isConflict ? text('console.rotate.conflict') : problemOf(answer);
    return;
  }
  part<HTMLDialogElement>('rotate-dialog').close();
  showSecret(answer);
  await refresh(answer);
  part('secret').scrollIntoView({ block: 'center' });
  part('secret-title').focus();
}

async function remove(address: string): Promise<void> {
  const button = part<HTMLButtonElement>('delete-submit');
  if (button.disabled) return;
  const answer = await whileBusy(button, () => api('DELETE', address));
  if (isDone(answer)) location.assign(at('/admin'));
  else part('delete-problem').textContent = problemOf(answer);
}

export function runStates(address: string, refresh: Refresh, revision: () => number): void {
  const typed = part<HTMLInputElement>('delete-name');
  // The buttons are drawn anew with the states; what holds them stays.
  part('states').addEventListener('click', ({ target }) => {
    const button = (target as Element).closest('button');
    if (button?.id === 'enable') void enable(button, address, refresh);
    if (button?.id === 'disable') showDialog('disable-dialog');
    if (button?.id === 'rotate') showDialog('rotate-dialog');
    if (button?.id !== 'delete') return;
    typed.value = '';
    part<HTMLButtonElement>('delete-submit').disabled = true;
    part('delete-which').textContent = document.querySelector('h1')?.textContent ?? '';
    showDialog('delete-dialog');
  });
  typed.addEventListener('input', () => {
    const wanted = part('delete-which').textContent ?? '';
    part<HTMLButtonElement>('delete-submit').disabled = typed.value.normalize('NFKC').trim() !== wanted.trim();
  });
  part('rotate-form').addEventListener('submit', (event) => {
    event.preventDefault();
    void rotate(address, refresh, revision());
  });
  part('disable-form').addEventListener('submit', (event) => {
    event.preventDefault();
    void disable(address, refresh);
  });
  part('delete-form').addEventListener('submit', (event) => {
    event.preventDefault();
    void remove(address);
  });
}
