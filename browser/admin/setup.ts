// The form that makes the first administrator, with the one-time token of the printed link.
import { runCredentialsForm } from '../shared/credentials-form.js';
import { part } from '../shared/dom.js';
import { type Answer, call } from '../shared/http.js';
import { type Texts, takePageData, textOf } from '../shared/page-data.js';

const SHORTEST_PASSWORD = 12;

const { token, texts } = takePageData<{ token: string; texts: Texts }>();

function problemOf(answer: Answer): string {
  if (answer.status === 0) return textOf(texts, 'common.noNetwork');
  if (answer.status === 429) return textOf(texts, 'setup.tooMany');
  if (answer.status >= 500) return textOf(texts, 'common.busy');
  if (answer.status === 401 || answer.status === 403 || answer.status === 404 || answer.status === 410) {
    return textOf(texts, 'setup.linkOver');
  }
  return textOf(texts, answer.status === 400 ? 'setup.refused' : 'common.unexpected');
}

function showDone(): void {
  part('setup').hidden = true;
  part('done').hidden = false;
  part('done-title').focus();
}

runCredentialsForm({
  idleText: textOf(texts, 'setup.submit'),
  workingText: textOf(texts, 'setup.working'),
  check: (username, password) => {
    if (!username.trim() || !password) return textOf(texts, 'setup.fillBoth');
    return [...password].length < SHORTEST_PASSWORD ? textOf(texts, 'setup.tooShort') : null;
  },
  send: (username, password) => call('/admin/setup', { body: { token, username, password }, cookies: true }),
  onAnswer: (answer) => {
    if (answer.status < 200 || answer.status > 299) return problemOf(answer);
    showDone();
    return null;
  },
});
