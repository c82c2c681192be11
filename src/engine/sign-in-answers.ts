/**
 * How our pages answer the engine's login page (`/interaction/:uid`): somebody signed in, allowed, or refused. The
 * engine then goes on by itself, in the browser that holds the request's cookie, and makes the code.
 */
import { errors, type Provider } from 'oidc-provider';
import type { Account } from '../account/account.js';
import { AppError } from '../error.js';
import type { SignInResult } from './browser-sign-in.js';
import { allowedBy, type ScopesOfResource, saveGrant } from './consent.js';
import { namesAnother } from './id-token-hint.js';
import { withOurErrors } from './outage.js';
import type { RecordStore } from './record-store.js';

export interface SignInAnswers {
  /** Somebody signed in; `allowed` too when they have been shown what the site gets. Returns where to go on. */
  signedIn(uid: string, signIn: SignInResult, options: { allowed: boolean }): Promise<string>;
  /** The person who is signed in there allows what the page showed. */
  allowed(uid: string, phoneSessionId: string): Promise<string>;
  /** The site hears `access_denied` (RFC 6749 4.1.2.1). */
  refused(uid: string): Promise<string>;
}

export interface SignInAnswersDeps {
  records: RecordStore;
  activeAccount: (id: string) => Promise<Account | undefined>;
  /** Whether this phone session has not been ended. */
  sessionLives: (id: string) => Promise<boolean>;
  scopesOfResource: ScopesOfResource;
  /** As the client sees the account. */
  openid: (clientId: string, accountId: string) => string;
}

/** Each throws `gone` when the request is over, was answered, or may no longer be answered. */
export function createSignInAnswers(provider: Provider, deps: SignInAnswersDeps): SignInAnswers {
  const find = async (uid: string) => {
    const interaction = await provider.Interaction.find(uid);
    if (!interaction || interaction.result) throw new AppError('gone');
    const client = await provider.Client.find(String(interaction.params.client_id));
    // The client may have been changed since the request was frozen; the engine does not look again.
    const sameClient = client?.redirectUriAllowed(String(interaction.params.redirect_uri));
    // A WeChat client has a door of its own (T93).
    if (!sameClient || client?.dialect !== 'oauth') throw new AppError('gone');
    return interaction;
  };
  type Found = Awaited<ReturnType<typeof find>>;
  /** One request, one answer, for exactly one caller (T9). What was answered at an earlier page of it stays. */
  const answer = async ({ uid, returnTo, lastSubmission }: Found, result: Record<string, unknown>) => {
    const whole = 'error' in result ? result : { ...lastSubmission, ...result };
    if (await deps.records.answer('Interaction', uid, whole)) return returnTo;
    // Something else was the answer: what it would have allowed is not allowed (T54).
    const { grantId } = (result.consent ?? {}) as { grantId?: string };
    if (grantId) await provider.AuthorizationCode.revokeByGrantId(grantId);
    throw new AppError('gone');
  };
  const grant = async (interaction: Found, accountId: string, phoneSessionId: string) => {
    const owner = { accountId, clientId: String(interaction.params.client_id) };
    const allowed = await allowedBy(interaction.params, deps.scopesOfResource);
    const { jti: grantId } = await saveGrant(provider, owner, allowed);
    // Looked at after saving: whoever ends a session ends the grants next, so one of the two sees the other (T20).
    if (!(await deps.sessionLives(phoneSessionId))) {
      await provider.AuthorizationCode.revokeByGrantId(grantId);
      throw new AppError('gone');
    }
    return { consent: { grantId } };
  };
  return withOurErrors<SignInAnswers>({
    async signedIn(uid, signIn, { allowed }) {
      const [interaction, account] = await Promise.all([find(uid), deps.activeAccount(signIn.accountId)]);
      if (!account) throw new AppError('forbidden');
      if (namesAnother(interaction.params, deps.openid(String(interaction.params.client_id), account.id))) {
        const { error, error_description } = new errors.LoginRequired(
          'another account signed in than the site asked for',
        );
        return answer(interaction, { error, error_description });
      }
      const consent = allowed ? await grant(interaction, account.id, signIn.phoneSessionId) : {};
      return answer(interaction, { login: signIn, select_account: {}, ...consent });
    },
    async allowed(uid, phoneSessionId) {
      const interaction = await find(uid);
      const accountId = interaction.session?.accountId;
      const account = accountId && (await deps.activeAccount(accountId));
      if (!account) throw new AppError('gone');
      return answer(interaction, await grant(interaction, account.id, phoneSessionId));
    },
    async refused(uid) {
      const { error, error_description } = new errors.AccessDenied('the person declined');
      return answer(await find(uid), { error, error_description });
    },
  });
}
