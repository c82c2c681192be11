// The administrator's passkeys: one more, or one less.
import { part } from '../shared/dom.js';
import { api, isDone, problemOf } from './api.js';
import { announce, at, data, showProblem, text, whileBusy } from './page.js';
import { browserKnowsPasskeys, makePasskey } from './passkey.js';
import { redraw } from './redraw.js';

const name = part<HTMLInputElement>('passkey-name');
const isFirst = () => document.querySelector('[data-passkey]') === null;
let leaving: string | undefined;

async function refresh(): Promise<void> {
  const page = await redraw();
  data.hasPasskey = page?.hasPasskey ?? data.hasPasskey;
}

async function add(): Promise<void> {
  if (name.value.trim() === '') {
    part('add-problem').textContent = text('passkeys.name.fill');
    return name.focus();
  }
  const wasFirst = isFirst();
  const send = (path: string, body: object) => api('POST', path, body);
  const ended = await makePasskey('/admin/passkeys', name.value.trim(), send);
  if ('problem' in ended) return showProblem('add-problem', text(ended.problem));
  if (!isDone(ended.answer)) return showProblem('add-problem', problemOf(ended.answer));
  // The first one opens the console, and may have ended the session that a password began: the page tells how it stands.
  if (wasFirst) return location.assign(at('/admin'));
  await refresh();
  announce(text('passkeys.done'));
}

async function remove(): Promise<void> {
  const button = part<HTMLButtonElement>('remove-submit');
  if (leaving === undefined || button.disabled) return;
  const address = `/admin/passkeys/${encodeURIComponent(leaving)}`;
  const answer = await whileBusy(button, () => api('DELETE', address));
  if (!isDone(answer)) {
    part('remove-problem').textContent = problemOf(answer);
    return;
  }
  part<HTMLDialogElement>('remove-dialog').close();
  await refresh();
  announce(text('passkeys.removed'));
  part('passkeys-title').focus();
}

if (!browserKnowsPasskeys()) {
  part('impossible').hidden = false;
  part('add').hidden = true;
}
part('add-form').addEventListener('submit', (event) => {
  event.preventDefault();
  const submit = part<HTMLButtonElement>('add-submit');
  if (submit.disabled) return;
  showProblem('add-problem', '');
  void whileBusy(submit, add, text('passkeys.adding'));
});
part('passkeys').addEventListener('click', ({ target }) => {
  const button = (target as Element).closest<HTMLElement>('[data-passkey]');
  if (!button) return;
  leaving = button.dataset.passkey;
  part('remove-which').textContent = button.closest('li')?.querySelector('b')?.textContent ?? '';
  part('remove-problem').textContent = '';
  part<HTMLDialogElement>('remove-dialog').showModal();
});
part('remove-form').addEventListener('submit', (event) => {
  event.preventDefault();
  void remove();
});
