// The page of one client: changes its settings, tries redirect URIs, and leads to its secret and its states.
import { optionalPart, part } from '../shared/dom.js';
import { type Answer, textField } from '../shared/http.js';
import { api, isDone, problemOf, sentence } from './api.js';
import {
  changesFrom,
  isChanged,
  labelOf,
  onSubmit,
  runFields,
  showRefused,
  type Values,
  warnOfRisks,
} from './client-form.js';
import { runStates } from './client-states.js';
import { askBeforeLeaving } from './leaving.js';
import { data, text, whileBusy } from './page.js';
import { redraw } from './redraw.js';
import { showSecret, showWarnings } from './secret.js';

const address = `/admin/api/clients/${encodeURIComponent(data.client?.id ?? '')}`;
let before: Values = data.values ?? {};
let revision = data.client?.revision ?? 0;

/** What the client is by now; what was typed and not saved stays. */
async function refresh(answer: Answer): Promise<void> {
  // One further is our own doing. More: somebody else was here, and the fields do not show it; saving must notice.
  if (answer.body.revision === revision + 1) revision += 1;
  showWarnings(answer);
  await redraw();
}

function labelsOf(changed: unknown): string[] {
  const names = Array.isArray(changed) ? changed.map(String) : [];
  return names.map((name) => labelOf(data.columns?.[name] ?? name));
}

/** Another union gives everybody another unionid, which somebody must mean. */
function askForUnionids(): void {
  const line = part('new-unionids-line');
  const union = part<HTMLInputElement>('set-union').value.trim();
  line.hidden = union === (before.union ?? '');
  if (line.hidden) part<HTMLInputElement>('new-unionids').checked = false;
}

/** Nobody has typed since these were sent. */
function standsAs(sent: Values): boolean {
  try {
    return JSON.stringify(changesFrom(before)) === JSON.stringify(sent);
  } catch {
    return false;
  }
}

async function saveSettings(save: HTMLButtonElement): Promise<void> {
  say('');
  const changes = changesFrom(before);
  if (Object.keys(changes).length === 0) return say(text('console.nothingChanged'));
  const sure = part<HTMLInputElement>('new-unionids').checked ? { new_unionids: true } : {};
  const send = () => api('PATCH', address, { ...changes, ...sure, revision });
  const answer = await whileBusy(save, send, text('console.saving'));
  if (!isDone(answer)) return refuse(answer);
  const labels = labelsOf(answer.body.changed);
  const folded = !part<HTMLDetailsElement>('more').open;
  revision = Number(answer.body.revision);
  showWarnings(answer);
  // It may be another answer by now.
  part('verdict').replaceChildren();
  const hasSecret = showSecret(answer);
  let isOver = false;
  const page = await redraw(() => {
    isOver = standsAs(changes);
    return isOver ? ['settings'] : [];
  });
  // Without fresh fields, what was saved is what they began with; what was typed meanwhile stays, to be saved.
  before = (isOver && page?.values) || { ...before, ...changes };
  revision = page?.client?.revision ?? revision;
  part<HTMLDetailsElement>('more').open = !folded;
  warnOfRisks();
  const what = labels.join(text('console.comma'));
  if (what === '') say(text('console.nothingChanged'));
  else say(text(hasSecret ? 'console.savedSecret' : 'console.saved', { what }));
}

function say(words: string): void {
  part('form-done').textContent = words;
}

function refuse(answer: Answer): void {
  const isConflict = textField(answer, 'error') === 'conflict';
  part('load-anew').hidden = !isConflict;
  showRefused(isConflict ? text('console.conflict') : problemOf(answer));
}

async function tryAddress(): Promise<void> {
  const [field, verdict, button] = [part<HTMLInputElement>('try-uri'), part('verdict'), part<HTMLButtonElement>('try')];
  const uri = field.value.trim();
  if (uri === '') {
    verdict.replaceChildren(text('console.try.fill'));
    return field.focus();
  }
  const ask = () => api('POST', `${address}/check-redirect-uri`, { redirect_uri: uri });
  const answer = await whileBusy(button, ask);
  const said = answer.body.allowed === true ? 'allowed' : 'refused';
  verdict.dataset.verdict = isDone(answer) ? said : 'none';
  const word = document.createElement('b');
  word.textContent = text(`console.try.${said}`);
  if (isDone(answer)) verdict.replaceChildren(word, ' ', sentence(textField(answer, 'reason') ?? ''));
  else verdict.replaceChildren(problemOf(answer));
}

onSubmit(saveSettings);
let givesUp = false;
part('load-anew').addEventListener('click', () => {
  givesUp = true;
  location.reload();
});
askBeforeLeaving(() => !givesUp && isChanged(before));
part('try-form').addEventListener('submit', (event) => {
  event.preventDefault();
  void tryAddress();
});

runFields(() => {
  say('');
  askForUnionids();
});
runStates(address, refresh, () => revision);
if (location.hash === '#warnings') optionalPart('warnings')?.scrollIntoView();
