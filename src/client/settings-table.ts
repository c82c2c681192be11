/** The one table of a client's settings: what each is called, what it may be, and what is wrong with it otherwise. */
import { saying } from '../saying.js';
import {
  backchannelUriProblem,
  callbackDomainProblem,
  clientNameProblem,
  embedOriginProblem,
  postLogoutUriProblem,
  redirectUriProblem,
  scopeProblem,
  unionNameProblem,
} from './client-rules.js';
import { choice, flag, keys, list, neededText, number, text } from './setting.js';

/** Seconds in the longest `default_max_age`: no sign-in lives longer than that anyway. */
const YEAR = 31_536_000;

/** In the order in which people read them. A new one needs its entry here, and a line in toMetadata if the engine knows it. */
export const SETTINGS = {
  name: neededText({
    arg: 'N',
    label: 'Name',
    tidy: (name) => name.normalize('NFKC'),
    problem: (name) => clientNameProblem(name.normalize('NFKC')),
  }),
  redirectUris: list({
    option: 'redirect-uri',
    arg: 'U',
    label: 'Redirect URIs',
    what: saying('redirect URIs'),
    each: redirectUriProblem,
  }),
  /** WeChat dialect only: any redirect URI on this host is accepted. */
  callbackDomain: text({
    arg: 'D',
    label: 'Callback domain',
    only: 'wechat',
    what: saying('a callback domain (instead of exact redirect URIs)'),
    problem: callbackDomainProblem,
  }),
  /** Origins that may frame the waiting page. None named: those of the redirect URIs. */
  embedOrigins: list({
    option: 'embed-origin',
    arg: 'O',
    label: 'Framed by',
    what: saying('embed origins'),
    each: embedOriginProblem,
  }),
  /** Clients of one union see the same union id; a client without one has its own. */
  unionName: text({ option: 'union', arg: 'N', json: 'union', label: 'Union', problem: unionNameProblem }),
  /** One method a client (T56). */
  authMethod: choice(['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'], {
    json: 'token_endpoint_auth_method',
    label: 'Token endpoint',
    fallback: 'client_secret_basic',
    shown: (method, dialect) => (dialect === 'wechat' ? undefined : method),
  }),
  matchCode: choice(['type', 'off'], { label: 'Match code', fallback: 'type' }),
  /** The scopes it may ask for, separated by spaces; undefined: all of its dialect, none of a resource server (T54). */
  scope: text({
    arg: '"openid profile"',
    label: 'Scopes',
    only: 'oauth',
    what: saying('a choice of scopes (the wechat dialect has one, snsapi_login)'),
    problem: scopeProblem,
  }),

  /** Public JWK set, pasted, never fetched (T60): for private_key_jwt and signed requests. */
  clientKeys: keys({
    option: 'jwks',
    arg: 'FILE|JSON',
    json: 'jwks',
    label: 'Keys',
    only: 'oauth',
    what: saying('a JWK set of the client'),
  }),
  /** Only pushed authorization requests (RFC 9126). */
  requirePar: flag({
    option: 'par-required',
    json: 'require_pushed_authorization_requests',
    label: 'Requests',
    shown: 'must be pushed (PAR)',
    only: 'oauth',
    what: saying('pushed requests as a requirement'),
  }),
  /** Only signed requests (RFC 9101). */
  requireSignedRequest: flag({
    option: 'signed-request-required',
    json: 'require_signed_request_object',
    label: 'Requests',
    shown: 'must be signed with a key of the client (JAR)',
    only: 'oauth',
    what: saying('signed requests as a requirement'),
  }),
  /** For an old client that knows no PKCE: its requests need a nonce, or a state of 16 characters, instead (T42). */
  pkceOptional: flag({ label: 'PKCE', shown: 'optional', only: 'oauth', what: saying('PKCE as a choice') }),
  /** Tokens only for a key that the client proves to hold (RFC 9449). */
  dpopRequired: flag({
    json: 'dpop_bound_access_tokens',
    label: 'Tokens',
    shown: 'are bound to a key of the client (DPoP)',
    only: 'oauth',
    what: saying('DPoP as a requirement'),
  }),
  /** Tokens only for the certificate that the client shows (RFC 8705). */
  certificateBound: flag({
    json: 'tls_client_certificate_bound_access_tokens',
    label: 'Tokens',
    shown: 'are bound to the certificate of the client (mTLS)',
    only: 'oauth',
    what: saying('a certificate as a requirement'),
  }),
  /** It may use the device authorization grant (RFC 8628). */
  deviceFlow: flag({ label: 'Device flow', shown: 'allowed', only: 'oauth', what: saying('the device flow') }),
  /** Seconds since the person signed in, at most, unless a request says otherwise. */
  defaultMaxAge: number({
    option: 'max-age',
    arg: 'SECONDS',
    label: 'Sign-in age',
    only: 'oauth',
    what: saying('the age of a sign-in ({setting:defaultMaxAge})'),
    max: YEAR,
    shown: (seconds) => (seconds === undefined ? undefined : `at most ${seconds} seconds`),
  }),
  /** What ID tokens, signed answers and logout tokens are signed with. */
  idTokenAlg: choice(['RS256', 'ES256', 'PS256', 'EdDSA'], {
    json: 'id_token_signed_response_alg',
    label: 'ID tokens',
    fallback: 'RS256',
    only: 'oauth',
    what: saying('an algorithm of ID tokens'),
    shown: (alg, dialect) => (dialect === 'wechat' ? undefined : `signed with ${alg}`),
  }),
  /** Where a person may be sent after a logout that the site began. */
  postLogoutRedirectUris: list({
    option: 'post-logout-redirect-uri',
    arg: 'U',
    label: 'After logout',
    only: 'oauth',
    what: saying('post-logout redirect URIs'),
    each: postLogoutUriProblem,
  }),
  /** Hears that a person signed out (OpenID Connect Back-Channel Logout). */
  backchannelLogoutUri: text({
    arg: 'U',
    label: 'Logout notice',
    only: 'oauth',
    what: saying('a back-channel logout URI'),
    problem: backchannelUriProblem,
  }),

  refreshRequiresSecret: flag({
    label: 'Refresh',
    shown: 'requires the secret',
    only: 'wechat',
    what: saying('a secret at refresh as a choice (the oauth dialect always requires authentication)'),
  }),
  /** A request without `state` is refused (T93). */
  stateRequired: flag({ label: 'state', shown: 'required', only: 'wechat', what: saying('state as a requirement') }),
  /** A missing or garbled `openid` at /sns/auth and /sns/userinfo is an error instead of being read from the token. */
  openidRequired: flag({
    label: 'openid',
    shown: 'required at /sns/auth and /sns/userinfo',
    only: 'wechat',
    what: saying('openid as a requirement'),
  }),
  /** Answers of /sns are `application/json; charset=utf-8` instead of `text/plain`. */
  jsonAnswers: flag({
    label: 'Answers',
    shown: 'application/json',
    only: 'wechat',
    what: saying('JSON answers as a choice (the oauth dialect always answers in JSON)'),
  }),
  /** The site's own style sheet (`href`) is loaded in its frame (T94). */
  styleSheets: flag({
    label: 'Style sheet',
    shown: "the site's own (href) is loaded",
    only: 'wechat',
    what: saying('a style sheet of the site'),
  }),
};
