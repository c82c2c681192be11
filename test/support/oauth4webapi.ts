/** oauth4webapi as a site uses it: each step its own call, each answer checked by the next. */
import * as oauth from 'oauth4webapi';
import type { NewClient } from '../../src/client/registration.js';
import { REDIRECT_URI } from './relying-party.js';
import type { StandardHouse } from './standard-site.js';

/** The issuer is http://localhost here. */
export const INSECURE = { [oauth.allowInsecureRequests]: true };

export interface Site {
  readonly as: oauth.AuthorizationServer;
  readonly client: oauth.Client;
  readonly auth: oauth.ClientAuth;
}

/** What a sign-in asked, and what its answer is checked by. */
export interface Begun {
  readonly parameters: Record<string, string>;
  readonly verifier: string;
  readonly state: string;
  readonly nonce: string;
}

export type Signed = oauth.TokenEndpointResponse & { claims: oauth.IDToken };

/** Registers a client and reads the server's metadata, as a site does when it starts. */
export async function discover(
  house: StandardHouse,
  settings: Partial<NewClient> = {},
  { auth = oauth.ClientSecretBasic, metadata = {} }: SiteOptions = {},
): Promise<Site> {
  const { clientId, secret } = await house.register(settings);
  const response = await oauth.discoveryRequest(house.issuer, INSECURE);
  const as = await oauth.processDiscoveryResponse(house.issuer, response);
  return { as, client: { client_id: clientId, ...metadata }, auth: auth(secret) };
}

export interface SiteOptions {
  /** By the secret in the Authorization header, unless given. */
  auth?: (secret: string) => oauth.ClientAuth;
  metadata?: Partial<oauth.Client>;
}

export async function begin({ client }: Site, more: Record<string, string> = {}): Promise<Begun> {
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const nonce = oauth.generateRandomNonce();
  const parameters = {
    client_id: client.client_id,
    redirect_uri: REDIRECT_URI,
    response_type: 'code',
    scope: 'openid profile',
    state,
    nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...more,
  };
  return { parameters, verifier, state, nonce };
}

export function authorizeUrl({ as }: Site, parameters: Record<string, string>): URL {
  const address = new URL(as.authorization_endpoint as string);
  address.search = new URLSearchParams(parameters).toString();
  return address;
}

export interface TokenOptions {
  DPoP?: oauth.DPoPHandle;
  additionalParameters?: Record<string, string>;
  maxAge?: number;
}

/** Trades the code of a checked answer for tokens; checks the ID token's claims, and its signature by the server's keys. */
export async function exchange(
  { as, client, auth }: Site,
  answer: URLSearchParams,
  { verifier, nonce }: Pick<Begun, 'verifier' | 'nonce'>,
  { maxAge, ...options }: TokenOptions = {},
): Promise<Signed> {
  const request = () =>
    oauth.authorizationCodeGrantRequest(as, client, auth, answer, REDIRECT_URI, verifier, { ...INSECURE, ...options });
  return withNonce(request, async (response) => {
    const tokens = await oauth.processAuthorizationCodeResponse(as, client, response, { expectedNonce: nonce, maxAge });
    await oauth.validateApplicationLevelSignature(as, response, INSECURE);
    return { ...tokens, claims: oauth.getValidatedIdTokenClaims(tokens) as oauth.IDToken };
  });
}

/** A whole sign-in through the QR page, to the tokens. */
export async function signIn(
  house: StandardHouse,
  site: Site,
  more: Record<string, string> = {},
  { ways, ...options }: TokenOptions & { ways?: Parameters<StandardHouse['visit']>[1] } = {},
): Promise<Signed> {
  const begun = await begin(site, more);
  const back = await house.visit(authorizeUrl(site, begun.parameters), ways);
  return exchange(site, oauth.validateAuthResponse(site.as, site.client, back, begun.state), begun, options);
}

export async function refresh({ as, client, auth }: Site, token: string, options: TokenOptions = {}): Promise<Signed> {
  const request = () => oauth.refreshTokenGrantRequest(as, client, auth, token, { ...INSECURE, ...options });
  return withNonce(request, async (response) => {
    const tokens = await oauth.processRefreshTokenResponse(as, client, response);
    return { ...tokens, claims: oauth.getValidatedIdTokenClaims(tokens) as oauth.IDToken };
  });
}

export async function userinfo({ as, client }: Site, tokens: Signed, options: Pick<TokenOptions, 'DPoP'> = {}) {
  const request = () => oauth.userInfoRequest(as, client, tokens.access_token, { ...INSECURE, ...options });
  return withNonce(request, (response) => oauth.processUserInfoResponse(as, client, tokens.claims.sub, response));
}

/** Pushes a request; the address that stands for it. */
export async function push(site: Site, parameters: Record<string, string>, options: Pick<TokenOptions, 'DPoP'> = {}) {
  const { as, client, auth } = site;
  const request = () => oauth.pushedAuthorizationRequest(as, client, auth, parameters, { ...INSECURE, ...options });
  const { request_uri } = await withNonce(request, (response) =>
    oauth.processPushedAuthorizationResponse(as, client, response),
  );
  return authorizeUrl(site, { client_id: client.client_id, request_uri });
}

/** Asks once more if the server tells a DPoP nonce, as its documentation says. */
async function withNonce<T>(request: () => Promise<Response>, process: (response: Response) => Promise<T>): Promise<T> {
  const attempt = async () => process(await request());
  return attempt().catch((error) => {
    if (oauth.isDPoPNonceError(error)) return attempt();
    throw error;
  });
}
