/** What this server says of itself, signed with the key that signs now: anybody checks it with the published keys. */
import { importJWK, SignJWT } from 'jose';
import type { ServerKeys } from './server-keys.js';

const ALG = 'ES256';

/** `typ` keeps it from being taken for a token: it has neither subject nor audience. */
export async function signStatement(
  { signing }: Pick<ServerKeys, 'signing'>,
  typ: string,
  statement: Record<string, unknown>,
): Promise<string> {
  const key = signing.find(({ alg }) => alg === ALG);
  if (!key) throw new Error(`there is no ${ALG} key`);
  return new SignJWT(statement)
    .setProtectedHeader({ alg: ALG, kid: key.kid, typ })
    .setIssuedAt()
    .sign(await importJWK(key, ALG));
}
