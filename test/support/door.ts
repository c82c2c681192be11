/** Both dialects behind one face, so that one table of abuse can be run against either. */
import { createHash, randomBytes } from 'node:crypto';
import type { App } from '../../src/app.js';
import type { NewClient } from '../../src/client/registration.js';
import { type RawAnswer, send } from './http.js';
import type { Phone } from './phone.js';
import { oauthSite, REDIRECT_URI, wechatSite } from './relying-party.js';
import { login } from './story.js';

type Where = { url: string; port?: number };

/** An answer of either dialect: WeChat says what is wrong in `errcode`, OAuth in `error` and the status. */
export interface Outcome {
  readonly ok: boolean;
  readonly status: number;
  readonly error: string | number | undefined;
  readonly body: Record<string, unknown>;
}

export interface Grant {
  readonly code: string;
  /** Undefined when the request carried no challenge. */
  readonly verifier: string | undefined;
  readonly redirectTo: string;
}

export interface DoorSite {
  readonly clientId: string;
  readonly secret: string;
  /** A whole login with this phone. PKCE as OAuth clients must, and as WeChat clients may. */
  login(phone: Phone, options?: { pkce?: boolean; where?: Where }): Promise<Grant>;
  exchange(grant: Pick<Grant, 'code' | 'verifier'>, where?: Where): Promise<Outcome>;
  userinfo(accessToken: string, where?: Where): Promise<Outcome>;
  refresh(refreshToken: string, where?: Where): Promise<Outcome>;
}

export interface Door {
  readonly dialect: 'wechat' | 'oauth';
  /** What this dialect says to the abuses of the table. */
  readonly says: Readonly<
    Record<
      'invalid' | 'malformed' | 'used' | 'accountGone' | 'clientGone' | 'grantGone' | 'tokenDead' | 'refreshDead',
      string | number
    >
  >;
  register(app: App, where: Where, more?: Partial<NewClient>): Promise<DoorSite>;
}

const wechat: Door = {
  dialect: 'wechat',
  says: {
    invalid: 40029,
    malformed: 40029,
    used: 40163,
    accountGone: 50002,
    clientGone: 48004,
    grantGone: 42007,
    tokenDead: 40001,
    refreshDead: 40030,
  },
  async register(app, where, more) {
    const site = await wechatSite(app, where, more);
    return {
      clientId: site.clientId,
      secret: site.secret,
      async login(phone, { pkce = true, where: at = where } = {}) {
        const { verifier, ...proof } = newProof();
        const { code, redirectTo } = await login(at, phone, site.request(pkce ? proof : {}));
        return { code, redirectTo, verifier: pkce ? verifier : undefined };
      },
      exchange: async ({ code, verifier }, at) =>
        outcome(await site.exchange(code, verifier === undefined ? {} : { code_verifier: verifier }, at)),
      userinfo: async (token, at) => outcome(await site.userinfo(token, {}, at)),
      refresh: async (token, at) => outcome(await site.refresh(token, {}, at)),
    };
  },
};

const oauth: Door = {
  dialect: 'oauth',
  says: {
    invalid: 'invalid_grant',
    // The engine's word for a verifier of the wrong shape (RFC 7636 4.1).
    malformed: 'invalid_request',
    used: 'invalid_grant',
    accountGone: 'invalid_grant',
    clientGone: 'invalid_client',
    grantGone: 'invalid_token',
    tokenDead: 'invalid_token',
    refreshDead: 'invalid_grant',
  },
  async register(app, where, more) {
    const site = await oauthSite(app, where, more);
    return {
      clientId: site.clientId,
      secret: site.secret,
      async login(phone, { where: at = where } = {}) {
        const { query, verifier } = site.request();
        const { code, redirectTo } = await login(at, phone, query);
        return { code, redirectTo, verifier };
      },
      exchange: async ({ code, verifier }, at = where) =>
        outcome(await postToken(at, site, { code, ...(verifier === undefined ? {} : { code_verifier: verifier }) })),
      userinfo: async (token, at) => outcome(await site.userinfo(token, at)),
      refresh: async (token, at) => outcome(await site.refresh(token, {}, at)),
    };
  },
};

export const DOORS: readonly Door[] = [wechat, oauth];

/** POST to the engine's token endpoint, authenticated as `as`, with exactly this form and what every exchange has. */
export function postToken(
  at: Where,
  as: { clientId: string; secret: string },
  form: Record<string, string>,
): Promise<RawAnswer> {
  return send(`${at.url}/oauth/token`, {
    method: 'POST',
    port: at.port,
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      authorization: `Basic ${Buffer.from(`${as.clientId}:${as.secret}`).toString('base64')}`,
    },
    body: new URLSearchParams({ grant_type: 'authorization_code', redirect_uri: REDIRECT_URI, ...form }).toString(),
  });
}

/** A PKCE verifier and its S256 challenge (RFC 7636 4.2). */
export function newProof(): { verifier: string; code_challenge: string; code_challenge_method: string } {
  const verifier = randomBytes(32).toString('base64url');
  return {
    verifier,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  };
}

function outcome(answer: RawAnswer): Outcome {
  const body = answer.json();
  const error = (body.errcode ?? body.error) as string | number | undefined;
  return { ok: answer.status === 200 && error === undefined, status: answer.status, error, body };
}
