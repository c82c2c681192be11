/** Grants: what a person allowed one client, made when they allow it and found again when they need not be asked (T54). */
import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
import { SCOPES_OF } from '../client/client.js';
import type { RecordStore } from './record-store.js';

const OURS: ReadonlySet<string> = new Set([...SCOPES_OF.oauth, ...SCOPES_OF.wechat]);

/** What of the asked scopes is ours. The rest is left out (RFC 6749 3.3): on the phone, in the code, in the token. */
export function knownScope(asked: unknown): string {
  return words(asked)
    .filter((scope) => OURS.has(scope))
    .join(' ');
}

/** Scopes by resource server: which of the asked ones each of the named resources has (RFC 8707 2). */
export type ScopesOfResource = (identifier: string) => Promise<ReadonlySet<string> | undefined>;

export interface Allowed {
  /** Of our own. */
  readonly scope: string;
  readonly resources: ReadonlyArray<{ readonly identifier: string; readonly scopes: readonly string[] }>;
}

/** What allowing this request allows. A resource that was taken away since is left out. */
export async function allowedBy(params: Record<string, unknown>, scopesOf: ScopesOfResource): Promise<Allowed> {
  const asked = words(params.scope);
  const named = [params.resource].flat().filter((one) => typeof one === 'string');
  const resources = await Promise.all(
    [...new Set(named)].map(async (identifier) => {
      const has = await scopesOf(identifier);
      return has && { identifier, scopes: asked.filter((scope) => has.has(scope)) };
    }),
  );
  return { scope: knownScope(params.scope), resources: resources.filter((one) => one !== undefined) };
}

/** The grant of one request, saved; returns its id. Each request has its own, so that a replayed code ends no other. */
export async function saveGrant(
  provider: Provider,
  owner: { accountId: string; clientId: string },
  { scope, resources }: Allowed,
): Promise<string> {
  const grant = new provider.Grant(owner);
  if (scope) grant.addOIDCScope(scope);
  for (const { identifier, scopes } of resources) {
    if (scopes.length > 0) grant.addResourceScope(identifier, scopes.join(' '));
  }
  return grant.save();
}

/**
 * The engine's loadExistingGrant: the grant this request was just given; or a new one like those that are alive, when
 * all of what is asked was allowed before. Undefined: the person is asked.
 */
export function rememberedConsent(records: RecordStore) {
  return async (ctx: KoaContextWithOIDC) => {
    const { result, client, account, provider, params } = ctx.oidc;
    const given = result?.consent?.grantId;
    if (given) return provider.Grant.find(given);
    if (!client || !account || !params || ctx.oidc.promptPending('consent')) return undefined;
    const owner = { accountId: account.accountId, clientId: client.clientId };
    const before = await records.grantsOf(owner.accountId, owner.clientId);
    const scopes = new Set(before.flatMap(({ openid }) => words((openid as { scope?: string } | undefined)?.scope)));
    if (scopes.size === 0 || ![...ctx.oidc.requestParamOIDCScopes].every((scope) => scopes.has(scope)))
      return undefined;
    const resources = Object.entries(ctx.oidc.resourceServers ?? {}).map(([identifier, server]) => {
      const allowed = new Set(
        before.flatMap((grant) => words((grant.resources as Record<string, string> | undefined)?.[identifier])),
      );
      const asked = [...ctx.oidc.requestParamScopes].filter((scope) => server.scopes.has(scope));
      return { identifier, scopes: asked, known: asked.every((scope) => allowed.has(scope)) };
    });
    if (!resources.every(({ known }) => known)) return undefined;
    const scope = [...ctx.oidc.requestParamOIDCScopes].join(' ');
    return provider.Grant.find(await saveGrant(provider, owner, { scope, resources }));
  };
}

function words(list: unknown): string[] {
  return typeof list === 'string' ? list.split(' ').filter(Boolean) : [];
}
