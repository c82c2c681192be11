/** Grants: what a person allowed one client, made when they allow it and found again when they need not be asked (T54). */
import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
import { SCOPES_OF } from '../client/client.js';
import type { RecordStore } from './record-store.js';

const OURS: ReadonlySet<string> = new Set([...SCOPES_OF.oauth, ...SCOPES_OF.wechat]);

/** What of the asked scopes is ours. The rest is left out (RFC 6749 3.3): on the phone, in the code, in the token. */
function knownScope(asked: unknown): string {
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

/** What a token of it holds: scopes in one list, and the resource or resources it may be for. */
export function tokenScope({ scope, resources }: Allowed): { scope: string | undefined; resource?: string | string[] } {
  const scopes = new Set([scope, ...resources.flatMap((one) => one.scopes)].filter(Boolean));
  const [first, ...others] = resources.map(({ identifier }) => identifier);
  return {
    scope: [...scopes].join(' ') || undefined,
    ...(first === undefined ? {} : { resource: others.length > 0 ? [first, ...others] : first }),
  };
}

interface Owner {
  readonly accountId: string;
  readonly clientId: string;
}

/** Saves what was allowed: as a grant of its own, or added to the one that this browser has at the client already. */
export async function saveGrant(provider: Provider, owner: Owner, { scope, resources }: Allowed, current?: string) {
  const grant = (current && (await ownGrant(provider, owner, current))) || new provider.Grant({ ...owner });
  if (scope) grant.addOIDCScope(scope);
  for (const { identifier, scopes } of resources) {
    if (scopes.length > 0) grant.addResourceScope(identifier, scopes.join(' '));
  }
  await grant.save();
  return grant;
}

async function ownGrant(provider: Provider, owner: Owner, id: string) {
  const grant = await provider.Grant.find(id);
  return grant?.accountId === owner.accountId && grant.clientId === owner.clientId ? grant : undefined;
}

/**
 * The engine's loadExistingGrant: the grant this request was just given; the one this browser has at the client, for what
 * it was given there lives as long as that one is the browser's; or a new one like those that are alive. Undefined when
 * not all of what is asked was allowed before: the person is asked.
 */
export function rememberedConsent(records: RecordStore) {
  return async (ctx: KoaContextWithOIDC) => {
    const { result, client, account, provider, session } = ctx.oidc;
    const given = result?.consent?.grantId;
    if (given) return provider.Grant.find(given);
    // A WeChat client has a door of its own, where the phone is asked each time (T93).
    if (client?.dialect !== 'oauth' || !account || ASKING.some((prompt) => ctx.oidc.promptPending(prompt)))
      return undefined;
    const owner = { accountId: account.accountId, clientId: client.clientId };
    const asked = askedBy(ctx);
    const current = session?.grantIdFor(client.clientId);
    const grant = current && (await ownGrant(provider, owner, current));
    if (grant && covers([grant as unknown as GrantPayload], asked)) return grant;
    const before = (await records.grantsOf(owner.accountId, owner.clientId)) as GrantPayload[];
    return covers(before, asked) ? saveGrant(provider, owner, asked, current) : undefined;
  };
}

/** Prompts that end in a page of ours: a grant saved for them would lie about. */
const ASKING = ['login', 'select_account', 'consent'];

interface GrantPayload {
  openid?: { scope?: string };
  resources?: Record<string, string>;
}

/** What this request asks for, as the engine understood it. */
function askedBy({ oidc }: KoaContextWithOIDC): Allowed {
  const resources = Object.entries(oidc.resourceServers ?? {}).map(([identifier, { scopes }]) => ({
    identifier,
    scopes: [...oidc.requestParamScopes].filter((scope) => scopes.has(scope)),
  }));
  return { scope: [...oidc.requestParamOIDCScopes].join(' '), resources };
}

function covers(grants: readonly GrantPayload[], { scope, resources }: Allowed): boolean {
  const own = new Set(grants.flatMap(({ openid }) => words(openid?.scope)));
  return (
    own.size > 0 &&
    words(scope).every((one) => own.has(one)) &&
    resources.every(({ identifier, scopes }) => {
      const known = new Set(grants.flatMap((grant) => words(grant.resources?.[identifier])));
      return scopes.every((one) => known.has(one));
    })
  );
}

function words(list: unknown): string[] {
  return typeof list === 'string' ? list.split(' ').filter(Boolean) : [];
}
