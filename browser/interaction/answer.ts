// How a person's decision about the request of this page reaches the server, and what its refusals mean in words.
import { type Answer, call, textField } from '../shared/http.js';
import { type Texts, textOf } from '../shared/page-data.js';
import { tooMany } from '../shared/too-many.js';

export type Step = 'sign-in' | 'continue' | 'consent' | 'cancel';

export function answerRequest(uid: string, step: Step, body: object = {}): Promise<Answer> {
  return call(`/interaction/${encodeURIComponent(uid)}/${step}`, { body, cookies: true });
}

/** Where the browser goes on; null when the server refused. */
export function redirectOf(answer: Answer): string | null {
  return answer.status === 200 ? textField(answer, 'redirect_to') : null;
}

export function problemOf(texts: Texts, answer: Answer): string {
  switch (answer.status) {
    case 0:
      return textOf(texts, 'common.noNetwork');
    case 409:
      return textOf(texts, 'interaction.moved');
    case 410:
      return textOf(texts, 'interaction.over');
    case 429:
      return tooMany(texts, answer.retryAfter);
    default:
      return textOf(texts, answer.status >= 500 ? 'common.busy' : 'common.unexpected');
  }
}
