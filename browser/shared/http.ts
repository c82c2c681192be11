// How our own pages call our own JSON endpoints: as every client of ours does, with cookies where a route needs them.
import { type Answer, type Request, request } from '../../clients/web/src/request.js';

export type { Answer };

export interface Call extends Pick<Request, 'method' | 'body' | 'bearer' | 'headers' | 'signal'> {
  /** Cookies are left out unless a route needs them. */
  cookies?: boolean;
}

export function call(path: string, { cookies, ...what }: Call): Promise<Answer> {
  return request(path, { ...what, credentials: cookies ? 'same-origin' : 'omit' });
}

export function textField(answer: Answer, name: string): string | null {
  const value = answer.body[name];
  return typeof value === 'string' ? value : null;
}
