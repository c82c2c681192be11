/** What people are shown of a redirect URI. */

/** Whose address it is; an app's own scheme stands for the app (RFC 8252 7.1). */
export function hostOf(redirectUri: string): string | undefined {
  const url = URL.parse(redirectUri);
  return url ? url.host || url.protocol.slice(0, -1) : undefined;
}
