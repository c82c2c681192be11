/** An API that access tokens are made for: what it is, what may be asked of it, and what its tokens look like. */
export interface ResourceServer {
  /** The absolute URI that clients name as `resource` and tokens as `aud`, exactly as registered (RFC 8707 2). */
  readonly identifier: string;
  /** Counts the changes; a store writes only over the revision it read. */
  readonly revision: number;
  readonly name: string;
  readonly scopes: readonly ResourceScope[];
  /** `jwt`: checked by the API itself, good until it expires (RFC 9068). `opaque`: checked by introspection, each time. */
  readonly tokenFormat: 'jwt' | 'opaque';
  /** What JWTs are signed with; of no meaning for opaque tokens. */
  readonly signingAlg: 'RS256' | 'PS256' | 'ES256' | 'EdDSA';
  readonly tokenSeconds: number;
  /** Ids of the clients that the API introspects its tokens as (T49). */
  readonly introspectedBy: readonly string[];
  readonly createdAt: Date;
  readonly disabled: boolean;
}

export interface ResourceScope {
  readonly name: string;
  /** Shown to the person who is asked to allow it; the name itself where nobody wrote one. */
  readonly description: string;
}

export type TokenFormat = ResourceServer['tokenFormat'];
export type TokenAlg = ResourceServer['signingAlg'];

export const TOKEN_FORMATS: readonly TokenFormat[] = ['jwt', 'opaque'];
/** RS256 first: the one that every resource server must know (RFC 9068 2.1). */
export const TOKEN_ALGS: readonly TokenAlg[] = ['RS256', 'PS256', 'ES256', 'EdDSA'];

/** Seconds. Section "Fixed numbers" of docs/security.md: 15 minutes, an hour at most. */
export const TOKEN_SECONDS = { least: 60, usual: 900, most: 3600 } as const;
