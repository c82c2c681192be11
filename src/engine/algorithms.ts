/** The signature algorithms, by use (T48). RS256 is there for old clients; nothing symmetric, nothing encrypted. */
import { SIGNING_SERIES } from '../key/key-life.js';

/** What we sign with: ID tokens, signed authorization responses, logout tokens, JWT access tokens. */
export const SIGNING_ALGORITHMS = SIGNING_SERIES;
/** What clients may sign assertions and request objects with. Ed25519 is the newer name of EdDSA with that key (RFC 9864). */
export const CLIENT_ALGORITHMS = [...SIGNING_SERIES, 'Ed25519'] as const;
/** DPoP proofs: no old client knows them, so no old algorithm. */
export const DPOP_ALGORITHMS = ['ES256', 'PS256', 'EdDSA', 'Ed25519'] as const;
