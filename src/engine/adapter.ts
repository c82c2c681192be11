/** The engine's storage calls -> records and clients. Tokens are kept by hash; the raw value never reaches the database. */
import { type Adapter, type AdapterPayload, errors } from 'oidc-provider';
import type { Client } from '../client/client.js';
import { hashSecret } from '../secret.js';
import { toMetadata } from './client-metadata.js';
import type { RecordStore, StoredRecord } from './record-store.js';
import { forgetAll, recall, remember } from './request-scope.js';

export interface AdapterDeps {
  records: RecordStore;
  /** The client, unless unknown or disabled. */
  findClient: (id: string) => Promise<Client | undefined>;
}

/** Ids that name a thing without opening it; every other id is a secret and is stored as its hash. */
const PUBLIC_IDS: ReadonlySet<string> = new Set(['Grant', 'Interaction']);

/** What is issued under a grant. */
const FAMILY_KINDS: ReadonlySet<string> = new Set(['AuthorizationCode', 'AccessToken', 'RefreshToken', 'DeviceCode']);

/** What our own parts of the engine ask for beside the engine's calls. */
export interface EngineAdapter extends Adapter {
  /** Notes a failed proof for this record; returns how many there have been. */
  countFailure(id: string): Promise<number>;
}

/** For what the engine saves without a lifetime; none of what is switched on does. */
const DEFAULT_SECONDS = 86_400;

export function recordKey(kind: string, id: string): string {
  return PUBLIC_IDS.has(kind) ? id : hashSecret(id);
}

export function createAdapter(kind: string, deps: AdapterDeps): EngineAdapter {
  const { records } = deps;
  const keyOf = (id: string) => recordKey(kind, id);
  /** The engine will ask for the token's grant, client and account next: they come along (request-scope.ts). */
  const findWithFamily = async (token: string) => {
    const family = await records.findWithFamily(kind, keyOf(token));
    if (!family) return undefined;
    const { record, grant, client, account } = family;
    // Lost against a request of the same client a moment ago: refused, but no theft, so the family lives (T47).
    if (kind === 'RefreshToken' && record.justConsumed) return undefined;
    if (grant) remember('Grant', String(record.payload.grantId), grant);
    if (client && !client.disabled) remember('Client', client.id, client);
    if (account && !account.disabled) remember('Account', account.id, account);
    return toPayload(record, token);
  };
  return {
    async upsert(id, payload, seconds) {
      const { jti, ...rest } = payload;
      await records.put({
        kind,
        key: keyOf(id),
        payload: PUBLIC_IDS.has(kind) ? withoutCookie({ jti, ...rest }) : rest,
        // A request only remembers a grant that was there before; it does not end with it.
        grantId: kind === 'Interaction' ? undefined : payload.grantId,
        uid: payload.uid,
        userCode: payload.userCode,
        seconds: seconds ?? DEFAULT_SECONDS,
      });
    },
    async find(id) {
      if (kind === 'Client') {
        const client = recall<Client>('Client', id) ?? (await deps.findClient(id));
        return client && (toMetadata(client) as AdapterPayload);
      }
      if (FAMILY_KINDS.has(kind)) return findWithFamily(id);
      const known = kind === 'Grant' ? recall<StoredRecord>('Grant', id) : undefined;
      const record = known ?? (await records.find(kind, keyOf(id)));
      return record && toPayload(record, id);
    },
    async findByUid(uid) {
      const record = await records.findByUid(kind, uid);
      // Looked up by uid the engine never saves or destroys the session, so the hash may stand in for its id.
      return record && toPayload(record, record.key);
    },
    async findByUserCode(userCode) {
      const record = await records.findByUserCode(kind, userCode);
      return record && toPayload(record, record.key);
    },
    async consume(id) {
      if (await records.consume(kind, keyOf(id))) return;
      // Somebody else was faster, or it was used before. The engine ignores what consume returns; only a throw stops it.
      forgetAll();
      if (kind === 'AuthorizationCode' || kind === 'DeviceCode') {
        const grantId = (await records.find(kind, keyOf(id)))?.payload.grantId;
        // Replay ends the grant, the winner's tokens included (RFC 6749 4.1.2).
        if (typeof grantId === 'string') await records.removeByGrant(grantId);
      }
      throw new errors.InvalidGrant(`${kind} already consumed`);
    },
    async destroy(id) {
      forgetAll();
      if (kind !== 'Interaction') return records.remove(kind, keyOf(id));
      // One request is resumed once (T9): the engine reads it first and removes it after.
      if (!(await records.claim(kind, keyOf(id)))) throw new errors.SessionNotFound('interaction session not found');
    },
    async revokeByGrantId(grantId) {
      forgetAll();
      await records.removeByGrant(grantId);
    },
    countFailure: (id) => records.countFailure(kind, keyOf(id)),
  };
}

function toPayload(record: StoredRecord, id: string): AdapterPayload {
  return {
    ...record.payload,
    jti: id,
    // A node whose clock is slow must not honour what the database says is over.
    ...(record.expired ? { exp: 1 } : {}),
    ...(record.consumedAt === undefined ? {} : { consumed: record.consumedAt }),
  };
}

/** An authorization request remembers the session it began in; its cookie value must not be stored with it. */
function withoutCookie(payload: Record<string, unknown>): Record<string, unknown> {
  const session = payload.session as Record<string, unknown> | undefined;
  if (!session || !('cookie' in session)) return payload;
  const { cookie: _, ...rest } = session;
  return { ...payload, session: rest };
}
