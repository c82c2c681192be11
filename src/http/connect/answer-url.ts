/** Where the browser goes with the answer, in each dialect. */
import type { Dialect } from '../../client/client.js';
import type { AuthorizationAnswer } from '../../engine/code-issuer.js';

/**
 * OAuth: code, state and iss are *set* on the redirect URI's query, so that a registered query can never double one of
 * them (RFC 6749 4.1.2, RFC 9207, T38). WeChat: appended to the string, code then state, state even when empty, and
 * after a hash route (wire format 1.4).
 */
export function answerUrl(dialect: Dialect, answer: AuthorizationAnswer, issuer: string): string {
  if (dialect === 'wechat') {
    const glue = answer.redirectUri.includes('?') ? '&' : '?';
    return `${answer.redirectUri}${glue}code=${encode(answer.code)}&state=${encode(answer.state)}`;
  }
  const url = new URL(answer.redirectUri);
  for (const [name, value] of Object.entries({
    code: answer.code,
    error: answer.error,
    state: answer.state,
    iss: issuer,
  })) {
    if (value !== undefined) url.searchParams.set(name, value);
  }
  return url.href;
}

function encode(value: string | undefined): string {
  return encodeURIComponent(value ?? '');
}
