/** An administrator's passkeys: add, list and remove them, sign in with one, prove oneself again with one (T22, T65). */

import type { AuthenticationResponse, RegistrationResponse } from '../account/passkey-response.js';
import { type PasskeyScope, passkeyScope } from '../account/passkey-scope.js';
import type { AuditLog } from '../audit/audit-log.js';
import { AppError, type ErrorCode } from '../error.js';
import { type Saying, saying } from '../saying.js';
import { hashSecret, newSecret } from '../secret.js';
import { actorOf, givenNameProblem } from './administrator.js';
import { type ChallengePurpose, MAX_PASSKEYS, type Passkey, type PasskeyStore } from './passkey-store.js';

/** Loaded when somebody first needs it (see there). */
const ceremonies = () => import('../account/passkey.js');

export type ListedPasskey = Pick<Passkey, 'id' | 'name' | 'createdAt' | 'lastUsedAt' | 'backedUp'>;

/** An administrator who is signed in; the session's public id, for a challenge is answered where it was asked. */
export interface PasskeyHolder {
  readonly administratorId: string;
  readonly username: string;
  readonly sessionId: string;
}

export interface AdministratorPasskeysDeps {
  store: PasskeyStore;
  publicUrl: string;
  audit: AuditLog['record'];
}

export class AdministratorPasskeys {
  readonly #deps: AdministratorPasskeysDeps;
  readonly #scope: PasskeyScope | undefined;

  constructor(deps: AdministratorPasskeysDeps) {
    this.#deps = deps;
    this.#scope = passkeyScope(deps.publicUrl);
  }

  /** Whether browsers offer passkeys at the public URL. Where not, every ceremony throws `conflict`. */
  get possible(): boolean {
    return this.#scope !== undefined;
  }

  async list(administratorId: string): Promise<ListedPasskey[]> {
    return (await this.#deps.store.listOf(administratorId)).map(toListed);
  }

  /** Throws `conflict` when the administrator has as many as there may be. */
  async beginRegistration({ administratorId, username, sessionId }: PasskeyHolder) {
    const scope = this.#place();
    const known = await this.#deps.store.listOf(administratorId);
    if (known.length >= MAX_PASSKEYS) throw full();
    const challenge = await this.#ask('registration', sessionId);
    return (await ceremonies()).registrationOptions(scope, {
      user: { id: administratorId, name: username },
      challenge,
      known,
    });
  }

  /** Throws `invalid_request` for a name or an answer that does not hold, `conflict` for one too many or a known one. */
  async finishRegistration(
    given: PasskeyHolder & { name: string; response: RegistrationResponse },
  ): Promise<ListedPasskey> {
    const { administratorId, sessionId, name, response } = given;
    const scope = this.#place();
    const problem = givenNameProblem(name);
    if (problem) throw refusal('invalid_request', problem);
    const challenge = await this.#consume(response, 'registration', sessionId);
    const proven = challenge && (await (await ceremonies()).verifyRegistration(scope, response, challenge));
    if (!proven) throw refusal('invalid_request', saying('the passkey was not accepted: try again'));
    const added = await this.#deps.store.add({ ...proven, administratorId, sessionId, name });
    if (added === 'full') throw full();
    if (added === 'known') throw refusal('conflict', saying('this passkey is registered already'));
    if (added === 'gone') throw new AppError('not_signed_in');
    const detail = { passkey: added.id, name };
    await this.#deps.audit(actorOf(given), 'administrator.passkey-add', administratorId, detail);
    return toListed(added);
  }

  /** Names no credential: nobody learns who has one (T21). */
  async beginSignIn() {
    return (await ceremonies()).authenticationOptions(this.#place(), { challenge: await this.#ask('sign-in') });
  }

  /** Who signed in. Throws `invalid_credentials`, the same whatever was wrong. */
  async finishSignIn(response: AuthenticationResponse): Promise<{ administratorId: string; passkeyId: string }> {
    const passkey = await this.#prove(response, 'sign-in');
    return { administratorId: passkey.administratorId, passkeyId: passkey.id };
  }

  /** Throws `conflict` when the administrator has no passkey. */
  async beginProof({ administratorId, sessionId }: PasskeyHolder) {
    const scope = this.#place();
    const allowed = await this.#deps.store.listOf(administratorId);
    if (allowed.length === 0) throw refusal('conflict', saying('there is no passkey yet'));
    return (await ceremonies()).authenticationOptions(scope, {
      challenge: await this.#ask('proof', sessionId),
      allowed,
    });
  }

  /** The id of the passkey that proved it. Throws `invalid_credentials`, the same whatever was wrong. */
  async finishProof(given: PasskeyHolder & { response: AuthenticationResponse }): Promise<string> {
    return (await this.#prove(given.response, 'proof', given)).id;
  }

  /**
   * Ends their other sessions too. Throws `not_found` when that administrator has no such passkey, `conflict` for the last
   * one if that is to stay.
   */
  async remove(holder: PasskeyHolder, passkeyId: string, { keepLast }: { keepLast: boolean }): Promise<void> {
    const { administratorId, sessionId } = holder;
    const done = await this.#deps.store.remove(administratorId, passkeyId, { keepLast, sessionId });
    if (done === 'unknown') throw new AppError('not_found');
    if (done === 'last') throw refusal('conflict', saying('this is the last one: add another before you remove it'));
    await this.#deps.audit(actorOf(holder), 'administrator.passkey-remove', administratorId, { passkey: passkeyId });
  }

  async #prove(response: AuthenticationResponse, purpose: ChallengePurpose, holder?: PasskeyHolder): Promise<Passkey> {
    const { store, audit } = this.#deps;
    const scope = this.#place();
    const challenge = await this.#consume(response, purpose, holder?.sessionId);
    const passkey = challenge && (await store.find(response.id));
    if (!passkey || (holder && passkey.administratorId !== holder.administratorId)) throw refused();
    if (!isHandleOf(passkey, response, holder === undefined)) throw refused();
    const proven = await (await ceremonies()).verifyAuthentication(scope, response, challenge, passkey);
    if (!proven) throw refused();
    if (await store.use(passkey.id, proven)) return passkey;
    // The signature held and the count did not grow: somebody has a copy of the key (WebAuthn 6.1.1), or it was removed.
    if (await store.find(passkey.id)) {
      const { administratorId, id } = passkey;
      await audit('console', 'administrator.passkey-copied', administratorId, { passkey: id });
    }
    throw refused();
  }

  #place(): PasskeyScope {
    if (this.#scope) return this.#scope;
    throw refusal('conflict', saying('passkeys need https on a host name, or localhost'));
  }

  async #ask(purpose: ChallengePurpose, holder?: string): Promise<string> {
    const challenge = newSecret();
    await this.#deps.store.saveChallenge(hashSecret(challenge), purpose, holder);
    return challenge;
  }

  /** Before anything is verified, so that one answer has one try. */
  async #consume(
    answer: { response: { clientDataJSON: string } },
    purpose: ChallengePurpose,
    holder?: string,
  ): Promise<string | undefined> {
    const challenge = (await ceremonies()).challengeOf(answer);
    if (!challenge) return undefined;
    return (await this.#deps.store.consume(hashSecret(challenge), purpose, holder)) ? challenge : undefined;
  }
}

/** The user handle is the administrator's id; who signs in must name it (WebAuthn 7.2 step 6). */
function isHandleOf(passkey: Passkey, { response }: AuthenticationResponse, required: boolean): boolean {
  if (response.userHandle === undefined) return !required;
  return response.userHandle === Buffer.from(passkey.administratorId).toString('base64url');
}

function toListed({ id, name, createdAt, lastUsedAt, backedUp }: Passkey): ListedPasskey {
  return { id, name, createdAt, lastUsedAt, backedUp };
}

const refused = () => new AppError('invalid_credentials', { message: 'The passkey was not accepted.' });
const full = () =>
  refusal(
    'conflict',
    saying('an administrator has {most} passkeys at most: remove one that is not used', { most: MAX_PASSKEYS }),
  );

function refusal(code: ErrorCode, why: Saying): AppError {
  return new AppError(code, { sayings: [why] });
}
