/** openid-client as a site uses it: one configuration a client, one set of checks a sign-in. */
import * as client from 'openid-client';
import type { NewClient } from '../../src/client/registration.js';
import { REDIRECT_URI } from './relying-party.js';
import type { StandardHouse } from './standard-site.js';

export interface Authenticated {
  /** By the secret in the Authorization header, unless given. */
  auth?: (secret: string) => client.ClientAuth;
  metadata?: Partial<client.ClientMetadata>;
}

/** Registers a client and reads the server's metadata, as a site does when it starts. ID tokens are checked by the server's keys too. */
export async function discover(
  house: StandardHouse,
  settings: Partial<NewClient> = {},
  { auth = client.ClientSecretBasic, metadata = {} }: Authenticated = {},
): Promise<client.Configuration> {
  const { clientId, secret } = await house.register(settings);
  return client.discovery(house.issuer, clientId, metadata, auth(secret), {
    // The issuer is http://localhost here.
    execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks],
  });
}

/** The parameters of a sign-in, and what its answer is checked by. */
export async function newRequest(more: Record<string, string> = {}) {
  const checks = {
    pkceCodeVerifier: client.randomPKCECodeVerifier(),
    expectedState: client.randomState(),
    expectedNonce: client.randomNonce(),
  };
  const parameters = {
    redirect_uri: REDIRECT_URI,
    scope: 'openid profile',
    state: checks.expectedState,
    nonce: checks.expectedNonce,
    code_challenge: await client.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
    code_challenge_method: 'S256',
    ...more,
  };
  return { parameters, checks };
}

/** A whole sign-in through the QR page, to the tokens. */
export async function signIn(
  house: StandardHouse,
  config: client.Configuration,
  more: Record<string, string> = {},
  options: {
    ways?: Parameters<StandardHouse['visit']>[1];
    DPoP?: client.DPoPHandle;
    token?: Record<string, string>;
  } = {},
) {
  const { parameters, checks } = await newRequest(more);
  const back = await house.visit(client.buildAuthorizationUrl(config, parameters), options.ways);
  return client.authorizationCodeGrant(config, back, checks, options.token, { DPoP: options.DPoP });
}

/** Remembers the answers to what this configuration asks from now on: path and status. */
export function watch(config: client.Configuration): string[] {
  const seen: string[] = [];
  config[client.customFetch] = async (url, options) => {
    const answer = await fetch(url, options as RequestInit);
    seen.push(`${new URL(url).pathname} ${answer.status}`);
    return answer;
  };
  return seen;
}
