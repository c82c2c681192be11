// A PKCE pair (RFC 7636): the challenge goes into the request, the verifier stays with who will exchange the code.

export interface PkcePair {
  readonly verifier: string;
  readonly challenge: string;
}

/** Needs a secure context: https, or localhost. */
export async function newPkcePair(): Promise<PkcePair> {
  const verifier = base64url(crypto.getRandomValues(new Uint8Array(32)));
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier));
  return { verifier, challenge: base64url(new Uint8Array(digest)) };
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replace(/\+/g, '-')
    .replace(/\//g, '_')
    .replace(/=+$/, '');
}
