// The one way in which the console's pages call the API: with the page's token, and with whoever is there asked again when needed.
import { part } from '../shared/dom.js';
import { type Answer, type Call, call, textField } from '../shared/http.js';
import { troubleOf } from '../shared/trouble.js';
import { askWhoIsThere, type Reason } from './identity.js';
import { at, data, text } from './page.js';

const REASONS: Record<string, Reason> = { not_signed_in: 'over', step_up_required: 'fresh' };

/** The same call once more for as long as somebody proves who they are; the answer that stands in the end. */
export async function api(method: Call['method'], path: string, body?: object): Promise<Answer> {
  for (;;) {
    const answer = await send(method, path, body);
    const reason = REASONS[textField(answer, 'error') ?? ''];
    if (!reason || !(await askWhoIsThere(reason, send))) return answer;
  }
}

/** Without asking anybody anything. */
function send(method: Call['method'], path: string, body?: object): Promise<Answer> {
  const headers = { 'X-CSRF-Token': data.csrf };
  return call(`${path}?lang=${data.lang}`, { method, body, headers, cookies: true });
}

export function isDone({ status }: Answer): boolean {
  return status >= 200 && status < 300;
}

/** What to tell the person about an answer that is not what they hoped for. */
export function problemOf(answer: Answer): string {
  const trouble = troubleOf(data.texts, answer);
  if (trouble !== null) return trouble;
  const error = textField(answer, 'error');
  if (error === 'not_signed_in') return text('console.signedOutText');
  if (error === 'step_up_required') return text('console.notProved');
  if (error === 'passkey_required') return text('console.needsPasskey');
  const { problems } = answer.body;
  // Each on a line of its own.
  if (Array.isArray(problems)) return problems.map((one) => sentence(String(one))).join('\n');
  return sentence(textField(answer, 'error_description') ?? text('common.unexpected'));
}

/** The API's words stand alone here. */
export function sentence(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

// On every page of the console, and every page's script imports this file.
part('sign-out').addEventListener('click', async () => {
  const answer = await send('POST', '/admin/sign-out', {});
  // Who was signed out already is where they wanted to be.
  if (isDone(answer) || answer.status === 401) location.assign(at('/admin'));
  else part('page-problem').textContent = problemOf(answer);
});
