/**
 * The device authorization grant (RFC 8628) as a person meets it: what a device asked for, found by the code it shows,
 * and the one answer it gets. Asking and polling are the engine's.
 */
import { errors, type Provider } from 'oidc-provider';
import type { Account } from '../account/account.js';
import type { Client } from '../client/client.js';
import { AppError } from '../error.js';
import type { OpenedFrom, Subject } from '../ticket/ticket.js';
import { type AuthorizationRequest, freshnessOf } from './authorization.js';
import { ACR } from './browser-sign-in.js';
import { allowedBy, type ScopesOfResource, saveGrant, tokenScope } from './consent.js';
import { subjectOf } from './id-token-hint.js';
import { withOurErrors } from './outage.js';
import type { RecordStore, StoredRecord } from './record-store.js';

/** What a device asked for; nothing that is sent later changes it (T9). */
export interface DeviceRequest
  extends Pick<AuthorizationRequest, 'clientId' | 'scope' | 'resources' | 'freshness' | 'startedAt' | 'endsAt'> {
  /** Names the request without opening it: the hash of the device code. */
  readonly key: string;
  readonly openedFrom: OpenedFrom;
  /** Whom the device expects, as its client knows them (`id_token_hint`). */
  readonly expects: string | undefined;
}

export interface DeviceAnswers {
  /** By the code on the device, without its dash. Undefined: unknown, over, answered, or of a client that may not. */
  find(userCode: string): Promise<DeviceRequest | undefined>;
  /** The same by its key. */
  read(key: string): Promise<DeviceRequest | undefined>;
  /**
   * The device's next poll gets tokens; or `login_required` when it expects somebody else. `forbidden` when the account
   * may no longer sign in.
   */
  allow(key: string, subject: Subject, sessionId: string): Promise<void>;
  /** The device's next poll gets `access_denied` (RFC 8628 3.5). */
  refuse(key: string): Promise<void>;
}

export interface DeviceAnswersDeps {
  records: RecordStore;
  /** The client, unless unknown or disabled. */
  findClient: (id: string) => Promise<Client | undefined>;
  activeAccount: (id: string) => Promise<Account | undefined>;
  /** Whether this phone session has not been ended. */
  sessionLives: (id: string) => Promise<boolean>;
  scopesOfResource: ScopesOfResource;
  /** As the client sees the account. */
  openid: (clientId: string, accountId: string) => string;
}

const KIND = 'DeviceCode';

/** `allow` and `refuse` throw `gone` when the request is over, was answered, or may no longer be answered. */
export function createDeviceAnswers(provider: Provider, deps: DeviceAnswersDeps): DeviceAnswers {
  const toRequest = async (key: string, record: StoredRecord | undefined): Promise<DeviceRequest | undefined> => {
    if (!record || record.expired || isAnswered(record)) return undefined;
    const { clientId, params, deviceInfo, iat, exp } = record.payload as unknown as DeviceCodePayload;
    const client = await deps.findClient(clientId);
    // The client may have been changed since; a WeChat client never could (T93).
    if (!client?.deviceFlow || client.dialect !== 'oauth') return undefined;
    const startedAt = new Date(iat * 1000);
    return {
      key,
      clientId,
      ...(await allowedBy(params, deps.scopesOfResource)),
      freshness: freshnessOf(params, startedAt),
      openedFrom: deviceInfo,
      expects: subjectOf(params.id_token_hint),
      startedAt,
      endsAt: new Date(exp * 1000),
    };
  };
  const read = async (key: string) => toRequest(key, await deps.records.find(KIND, key));
  const existing = async (key: string) => {
    const request = await read(key);
    if (!request) throw new AppError('gone');
    return request;
  };
  const fail = async (key: string, { error, error_description: errorDescription }: errors.OIDCProviderError) => {
    if (!(await deps.records.decide(KIND, key, { error, errorDescription }))) throw new AppError('gone');
  };
  return withOurErrors<DeviceAnswers>({
    read,
    async find(userCode) {
      const record = await deps.records.findByUserCode(KIND, userCode);
      return record && toRequest(record.key, record);
    },
    async allow(key, subject, sessionId) {
      const [request, account] = await Promise.all([existing(key), deps.activeAccount(subject.accountId)]);
      if (!account) throw new AppError('forbidden');
      if (request.expects !== undefined && request.expects !== deps.openid(request.clientId, account.id)) {
        return fail(key, new errors.LoginRequired('somebody else was expected'));
      }
      const owner = { accountId: account.id, clientId: request.clientId };
      const { jti: grantId } = await saveGrant(provider, owner, request);
      // What the engine's own page would write, but not unless nobody has answered: its save() asks nobody.
      const decision = {
        accountId: account.id,
        grantId,
        ...tokenScope(request),
        authTime: subject.authTime,
        acr: ACR.phone,
        amr: [...subject.amr],
      };
      // Looked at after saving: whoever ends a session ends the grants next, so one of the two sees the other (T20).
      const won = (await deps.sessionLives(sessionId)) && (await deps.records.decide(KIND, key, decision, grantId));
      if (won) return;
      await provider.AccessToken.revokeByGrantId(grantId);
      throw new AppError('gone');
    },
    async refuse(key) {
      await existing(key);
      await fail(key, new errors.AccessDenied('the person declined'));
    },
  });
}

/** What of the engine's device code is read here. */
interface DeviceCodePayload {
  readonly clientId: string;
  readonly params: Record<string, unknown>;
  /** device-origin.ts put it there. */
  readonly deviceInfo: OpenedFrom;
  readonly iat: number;
  readonly exp: number;
}

function isAnswered({ payload, consumedAt }: StoredRecord): boolean {
  return payload.accountId !== undefined || payload.error !== undefined || consumedAt !== undefined;
}
