/** The token that binds a phone's decision to its session *and* one ticket (T16). */
import { keyedHash, sameSecret } from '../../secret.js';

export interface CsrfTokens {
  make(sessionId: string, ticketId: string): string;
  matches(token: string, sessionId: string, ticketId: string): boolean;
}

export function createCsrfTokens(key: string): CsrfTokens {
  const make = (sessionId: string, ticketId: string) => keyedHash(key, 'phone', sessionId, ticketId);
  return { make, matches: (token, sessionId, ticketId) => sameSecret(token, make(sessionId, ticketId)) };
}
