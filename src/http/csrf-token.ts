/** The token that binds a request of our own page to its session *and* to what it is about (T16, T62). */
import { keyedHash, sameSecret } from '../secret.js';

export interface CsrfTokens {
  make(sessionId: string, about: string): string;
  matches(token: string, sessionId: string, about: string): boolean;
}

/** `door` keeps the tokens of one kind of page from passing at another. */
export function createCsrfTokens(key: string, door: 'phone' | 'console'): CsrfTokens {
  const make = (sessionId: string, about: string) => keyedHash(key, door, sessionId, about);
  return { make, matches: (token, sessionId, about) => sameSecret(token, make(sessionId, about)) };
}
