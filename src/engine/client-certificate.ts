/** The certificate a client showed to the proxy in front of us: access tokens can be bound to it (RFC 8705 3). */
import type { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Configuration } from 'oidc-provider';

const certificates = new WeakMap<IncomingMessage, X509Certificate>();

export function noteCertificate(req: IncomingMessage, certificate: X509Certificate | undefined): void {
  if (certificate) certificates.set(req, certificate);
}

/**
 * Always on, so that a client whose tokens are to be bound gets none where no proxy shows us certificates. No client
 * signs in by its certificate.
 */
export const CERTIFICATES: NonNullable<NonNullable<Configuration['features']>['mTLS']> = {
  enabled: true,
  certificateBoundAccessTokens: true,
  getCertificate: (ctx) => certificates.get(ctx.req),
};
