/** Whom a site names with `id_token_hint` (OpenID Connect Core 3.1.2.1); the engine checks the token when the request begins. */

export function subjectOf(hint: unknown): string | undefined {
  if (typeof hint !== 'string') return undefined;
  const claims = JSON.parse(Buffer.from(hint.split('.')[1] ?? '', 'base64url').toString()) as { sub?: string };
  return claims.sub;
}

/**
 * Whether the site named somebody else than who signed in; `login_required` then. The engine compares only whom it finds
 * signed in, not who signs in now.
 */
export function namesAnother({ id_token_hint: hint }: Record<string, unknown>, openid: string): boolean {
  const named = subjectOf(hint);
  return named !== undefined && named !== openid;
}
