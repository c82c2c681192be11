/**
 * Reads a client's certificate from the header that a trusted proxy sets: as RFC 9440 has it (`:base64 DER:`), or as PEM,
 * percent-encoded (nginx: $ssl_client_escaped_cert).
 */
import { X509Certificate } from 'node:crypto';

/** Undefined when there is none, or none that can be read: no token is bound to it then. */
export function readCertificate(header: string): X509Certificate | undefined {
  const der = /^:([\w+/=]+):$/.exec(header)?.[1];
  try {
    if (der !== undefined) return new X509Certificate(Buffer.from(der, 'base64'));
    const pem = decodeURIComponent(header);
    return /^-----BEGIN CERTIFICATE-----/.test(pem) ? new X509Certificate(pem) : undefined;
  } catch {
    return undefined;
  }
}
