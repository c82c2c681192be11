// A form of user name and password: sends it as JSON, shows problems beside the fields, never leaves the page by itself.

import { part } from './dom.js';
import type { Answer } from './http.js';

export interface CredentialsForm {
  idleText: string;
  workingText: string;
  /** Whether the first empty field gets the focus at once; yes, unless the form is not what the page is about. */
  takesFocus?: boolean;
  /** A problem to show instead of sending, or null. */
  check(username: string, password: string): string | null;
  send(username: string, password: string): Promise<Answer>;
  /** A problem to show, or null when the page has moved on. */
  onAnswer(answer: Answer): string | null;
}

export function runCredentialsForm(form: CredentialsForm): void {
  const username = part<HTMLInputElement>('username');
  const password = part<HTMLInputElement>('password');
  const submit = part<HTMLButtonElement>('submit');
  const problem = part('problem');

  const complain = (text: string, field: HTMLInputElement) => {
    problem.textContent = text;
    username.setAttribute('aria-invalid', String(field === username));
    password.setAttribute('aria-invalid', String(field === password));
    field.focus();
    field.select();
  };
  const setBusy = (busy: boolean) => {
    submit.disabled = busy;
    submit.textContent = busy ? form.workingText : form.idleText;
  };

  part<HTMLFormElement>('form').addEventListener('submit', async (event) => {
    event.preventDefault();
    if (submit.disabled) return;
    problem.textContent = '';
    const wrong = form.check(username.value, password.value);
    if (wrong) return complain(wrong, username.value.trim() === '' ? username : password);
    setBusy(true);
    const trouble = form.onAnswer(await form.send(username.value, password.value));
    if (trouble === null) return;
    setBusy(false);
    complain(trouble, password);
  });

  if (form.takesFocus !== false && username.value === '') username.focus();
}
