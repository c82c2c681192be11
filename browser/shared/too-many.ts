// What is said when the server asks for a pause: for how long, if it told.
import { type Texts, textOf } from './page-data.js';

export function tooMany(texts: Texts, seconds: number | null): string {
  if (seconds === null || seconds < 60) return textOf(texts, 'signIn.tooMany');
  return textOf(texts, 'signIn.tooManyMinutes', { minutes: Math.ceil(seconds / 60) });
}
