/** Grant and authorization code from a frozen request, without a cookie: what a redeemed ticket ends in. */
import type { Provider } from 'oidc-provider';
import type { Account } from '../account/account.js';
import { AppError } from '../error.js';
import type { Subject } from '../ticket/ticket.js';
import { ACR } from './browser-sign-in.js';
import { allowedBy, type ScopesOfResource, saveGrant, tokenScope } from './consent.js';
import { namesAnother } from './id-token-hint.js';
import { withOurErrors } from './outage.js';

/** The answer to one authorization request (RFC 6749 4.1.2): a code, or an error. */
export interface AuthorizationAnswer {
  readonly clientId: string;
  readonly redirectUri: string;
  readonly state: string | undefined;
  readonly code?: string;
  readonly error?: 'access_denied' | 'login_required';
}

export interface CodeIssuer {
  /**
   * `gone` when the request is over, its redirect URI no longer registered, or the phone session that allowed it ended;
   * `forbidden` when the account may no longer sign in.
   */
  issue(requestUid: string, subject: Subject, sessionId: string): Promise<AuthorizationAnswer>;
  /** The person said no. `gone` when the request is over. */
  refuse(requestUid: string): Promise<AuthorizationAnswer>;
}

export function createCodeIssuer(
  provider: Provider,
  deps: {
    activeAccount: (id: string) => Promise<Account | undefined>;
    /** Ends the request; true for exactly one caller. */
    claimRequest: (uid: string) => Promise<boolean>;
    /** Whether this phone session has not been ended. */
    sessionLives: (id: string) => Promise<boolean>;
    scopesOfResource: ScopesOfResource;
    /** As the client sees the account. */
    openid: (clientId: string, accountId: string) => string;
  },
): CodeIssuer {
  const request = async (uid: string) => {
    const interaction = await provider.Interaction.find(uid);
    if (!interaction) throw new AppError('gone');
    return interaction;
  };
  /** One request, one answer, whatever tickets were shown for it: a code or a denial, for exactly one caller (T9). */
  const claim = async (uid: string) => {
    if (!(await deps.claimRequest(uid))) throw new AppError('gone');
  };
  return withOurErrors<CodeIssuer>({
    async issue(requestUid, subject, sessionId) {
      const [interaction, account] = await Promise.all([request(requestUid), deps.activeAccount(subject.accountId)]);
      if (!account) throw new AppError('forbidden');
      const { params } = interaction;
      const client = await provider.Client.find(String(params.client_id));
      // The client may have been changed since the request was frozen.
      if (!client?.redirectUriAllowed(String(params.redirect_uri))) throw new AppError('gone');
      await claim(requestUid);
      if (namesAnother(params, deps.openid(client.clientId, account.id))) {
        return { ...answerTo(params), error: 'login_required' };
      }
      await spendPushedRequest(provider, interaction as { parJti?: string });
      const allowed = await allowedBy(params, deps.scopesOfResource);
      const { jti: grantId } = await saveGrant(provider, { accountId: account.id, clientId: client.clientId }, allowed);
      const code = new provider.AuthorizationCode({
        accountId: account.id,
        client,
        grantId,
        ...tokenScope(allowed),
        redirectUri: params.redirect_uri,
        nonce: params.nonce,
        codeChallenge: params.code_challenge,
        codeChallengeMethod: params.code_challenge_method,
        dpopJkt: params.dpop_jkt,
        authTime: subject.authTime,
        acr: ACR.phone,
        amr: [...subject.amr],
        claims: {},
      } as ConstructorParameters<typeof provider.AuthorizationCode>[0]);
      const value = await code.save();
      // Looked at after saving: whoever ends a session ends the grants next, so one of the two sees the other (T20).
      if (!(await deps.sessionLives(sessionId))) {
        await provider.AuthorizationCode.revokeByGrantId(grantId);
        throw new AppError('gone');
      }
      return { ...answerTo(params), code: value };
    },
    async refuse(requestUid) {
      const interaction = await request(requestUid);
      await claim(requestUid);
      return { ...answerTo(interaction.params), error: 'access_denied' };
    },
  });
}

/** A pushed request ends in one code, however many pages were opened with it (RFC 9126 7.3); the engine does the same. */
async function spendPushedRequest(provider: Provider, { parJti }: { parJti?: string }): Promise<void> {
  const pushed = parJti && (await provider.PushedAuthorizationRequest.find(parJti, { ignoreExpiration: true }));
  if (!pushed) return;
  await pushed.consume().catch((cause: { error?: unknown }) => {
    throw cause.error === 'invalid_grant' ? new AppError('gone', { cause }) : cause;
  });
}

function answerTo(params: Record<string, unknown>) {
  return {
    clientId: String(params.client_id),
    redirectUri: String(params.redirect_uri),
    state: typeof params.state === 'string' ? params.state : undefined,
  };
}
