/**
 * better-auth with its OAuth provider, as its documentation sets it up, in a process of its own, started by
 * bench/better-auth.ts. It lives in a schema of its own beside our tables, and is told what our server does too:
 * RS256, pairwise subjects, a client with a hashed secret.
 */
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { oauthProvider } from '@better-auth/oauth-provider';
import { betterAuth } from 'better-auth';
import { getMigrations } from 'better-auth/db/migration';
import { toNodeHandler } from 'better-auth/node';
import { jwt } from 'better-auth/plugins';
import pg from 'pg';

const SCHEMA = 'better_auth';
const [port, databaseUrl, redirectUri] = process.argv.slice(2);
const origin = `http://localhost:${port}`;

const client = new pg.Client({ connectionString: databaseUrl });
await client.connect();
await client.query(`DROP SCHEMA IF EXISTS ${SCHEMA} CASCADE`);
await client.query(`CREATE SCHEMA ${SCHEMA}`);
await client.end();

const options = {
  baseURL: origin,
  secret: randomBytes(32).toString('hex'),
  database: new pg.Pool({ connectionString: databaseUrl, options: `-c search_path=${SCHEMA}` }),
  emailAndPassword: { enabled: true },
  // One address sends everything here. Our server counts per account and per wrong secret only, so nothing is lost.
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  logger: { level: 'error' },
  plugins: [
    jwt({ jwks: { keyPairConfig: { alg: 'RS256', modulusLength: 2048 } }, disableSettingJwtHeader: true }),
    oauthProvider({
      loginPage: '/sign-in',
      consentPage: '/consent',
      scopes: ['openid', 'profile', 'offline_access'],
      pairwiseSecret: randomBytes(32).toString('hex'),
    }),
  ],
};
// Before the tables are there: the provider's start reads them.
await (await getMigrations(options)).runMigrations();
const auth = betterAuth(options);

const signedUp = await auth.api.signUpEmail({
  body: { email: 'bench@rp.example', password: randomBytes(12).toString('hex'), name: '张三😀' },
  returnHeaders: true,
});
const cookie = signedUp.headers
  .getSetCookie()
  .map((line) => line.split(';')[0])
  .join('; ');
const { client_id: clientId, client_secret: secret } = await auth.api.adminCreateOAuthClient({
  headers: { cookie },
  body: {
    client_name: 'Bench',
    redirect_uris: [redirectUri],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'client_secret_basic',
    scope: 'openid profile offline_access',
    subject_type: 'pairwise',
    // Its consent page is not what is measured; a trusted client spares it reading the consent as well.
    skip_consent: true,
  },
});

createServer(toNodeHandler(auth)).listen(Number(port), '127.0.0.1', () => process.send?.({ clientId, secret }));
