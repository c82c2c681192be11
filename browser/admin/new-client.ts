// Registers a client; then its id, its secret and what belongs into the site stand where the form stood.
import { part } from '../shared/dom.js';
import { type Answer, textField } from '../shared/http.js';
import { api, isDone, problemOf } from './api.js';
import { changesFrom, isChanged, onSubmit, runFields, showDialect, showRefused } from './client-form.js';
import { askBeforeLeaving } from './leaving.js';
import { at, data, text, whileBusy } from './page.js';
import { showSecret, showWarnings } from './secret.js';

const form = part<HTMLFormElement>('client-form');
const chosen = (name: string) => String(new FormData(form).get(name));

function showRegistered(answer: Answer): void {
  const id = textField(answer, 'client_id') ?? '';
  part('new').hidden = true;
  part('registered').hidden = false;
  part('new-id').textContent = id;
  showSecret(answer);
  showWarnings(answer);
  part<HTMLAnchorElement>('to-client').href = at(`/admin/clients/${encodeURIComponent(id)}`);
  const title = part('registered-title');
  title.textContent = text('console.new.doneTitle', { name: textField(answer, 'name') ?? id });
  scrollTo(0, 0);
  title.focus();
}

async function register(save: HTMLButtonElement): Promise<void> {
  const { name = '', ...settings } = changesFrom(data.values ?? {});
  const body = { name, ...settings, dialect: chosen('dialect'), application_type: chosen('application_type') };
  const answer = await whileBusy(save, () => api('POST', '/admin/api/clients', body), text('console.new.working'));
  if (isDone(answer)) return showRegistered(answer);
  // Nobody knows what became of it; a second one would be another client.
  const isUnsure = answer.status === 0 || answer.status >= 500;
  showRefused(isUnsure ? text('console.new.unsure') : problemOf(answer));
}

onSubmit(register);
askBeforeLeaving(() => !part('new').hidden && isChanged(data.values ?? {}));
form.addEventListener('change', () => showDialect(chosen('dialect')));

showDialect(chosen('dialect'));
runFields();
