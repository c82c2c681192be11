// What is said when the server could not be reached, wants a pause, or is in trouble itself: the same, whatever was asked.
import type { Answer } from './http.js';
import { type Texts, textOf } from './page-data.js';
import { tooMany } from './too-many.js';

/** Null when the answer is about what was asked. */
export function troubleOf(texts: Texts, { status, retryAfter }: Answer): string | null {
  if (status === 0) return textOf(texts, 'common.noNetwork');
  if (status === 429) return tooMany(texts, retryAfter);
  return status >= 500 ? textOf(texts, 'common.busy') : null;
}
