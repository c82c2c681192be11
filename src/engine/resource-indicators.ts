/** Access tokens for APIs (RFC 8707, RFC 9068): which resource a token is for, what it may hold, who may introspect it. */
import { type Configuration, errors, type KoaContextWithOIDC } from 'oidc-provider';
import { SCOPES_OF } from '../client/dialect.js';
import type { ResourceServer } from '../resource/resource-server.js';
import { TTL } from './lifetimes.js';

/** The registered resource server, unless unknown or disabled. */
export type FindResource = (identifier: string) => Promise<ResourceServer | undefined>;

type Features = NonNullable<Configuration['features']>;
type Indicators = NonNullable<Features['resourceIndicators']>;
/** The one of its four shapes that has a policy. */
type AllowedPolicy = NonNullable<Extract<Features['introspection'], { allowedPolicy?: unknown }>['allowedPolicy']>;

const OURS: ReadonlySet<string> = new Set(SCOPES_OF.oauth);

export function resourceIndicatorsFeature(deps: { findResource: FindResource }): Indicators {
  return {
    enabled: true,
    // None of its own accord. One token is for one resource: where several were granted and none is named, the engine
    // answers invalid_target (RFC 8707 2.2).
    defaultResource: async (_ctx, _client, oneOf) => (oneOf?.length === 1 ? oneOf[0] : oneOf),
    useGrantedResource: async (ctx, source) => usesGranted(ctx, source.resource),
    async getResourceServerInfo(ctx, identifier, client) {
      const server = await deps.findResource(identifier);
      if (!server) throw new errors.InvalidTarget('no such resource');
      const names = server.scopes.map(({ name }) => name);
      const registered = client.resource_scopes;
      const allowed = names.filter((name) => Array.isArray(registered) && registered.includes(name));
      refuseScopes(ctx, names, allowed);
      return {
        scope: allowed.join(' '),
        audience: server.identifier,
        accessTokenTTL: server.tokenSeconds,
        accessTokenFormat: server.tokenFormat,
        ...(server.tokenFormat === 'jwt' ? { jwt: { sign: { alg: server.signingAlg } } } : {}),
      };
    },
  };
}

/** The engine's ttl.AccessToken: what the resource server says, else ours. */
export function accessTokenSeconds(_ctx: unknown, token: { resourceServer?: { accessTokenTTL?: number } }): number {
  return token.resourceServer?.accessTokenTTL ?? TTL.accessToken;
}

/**
 * The holder of a token may ask about it if it can prove who it is; so may the clients that the API of the token asks
 * as. Anybody else hears that it is not active, as of a token that never was (T49). Refresh tokens are for no API.
 */
export function introspectionAllowed(
  findResource: FindResource,
  activeAccount: (id: string) => Promise<unknown>,
): AllowedPolicy {
  return async (ctx, client, token) => {
    if (client.clientAuthMethod === 'none') return false;
    // The engine looks at the grant alone: neither a client nor a person that was cut off has a token (T52).
    if (!token.clientId || !(await ctx.oidc.provider.Client.find(token.clientId))) return false;
    if ('accountId' in token && !(await activeAccount(token.accountId))) return false;
    if (token.clientId === client.clientId) return true;
    if (!('aud' in token) || typeof token.aud !== 'string') return false;
    const server = await findResource(token.aud);
    return server?.introspectedBy.includes(client.clientId) === true;
  };
}

/**
 * Whether a token request that names no resource gets a token for the one that was granted. The engine by itself gives
 * clients with `openid` a token for userinfo then. But who named one API at the authorization endpoint wants a token for
 * it, and most client libraries let a site add parameters there and not at the token endpoint; the person's claims
 * are in the ID token then. A token for userinfo is had by a refresh that asks for `openid` and other scopes of ours alone.
 */
function usesGranted(ctx: KoaContextWithOIDC, granted: string | readonly string[] | undefined): boolean {
  const asked = scopesOf(ctx);
  const forUserinfo = asked.includes('openid') && asked.every((scope) => OURS.has(scope));
  return [granted ?? []].flat().length === 1 && !forUserinfo;
}

/**
 * The engine checks scopes of ours against the client's registration, not those of resources (T54). A request that names
 * a resource and none of its scopes would end in a token that nobody was asked about.
 */
function refuseScopes(ctx: KoaContextWithOIDC, names: readonly string[], allowed: readonly string[]): void {
  if (allowed.length === 0) throw new errors.InvalidTarget('the client is registered for no scope of this resource');
  const asked = scopesOf(ctx).filter((scope) => names.includes(scope));
  const refused = asked.find((scope) => !allowed.includes(scope));
  if (refused !== undefined) throw new errors.InvalidScope('requested scope is not allowed', refused);
  if (asked.length === 0 && ctx.oidc.route !== 'token')
    throw new errors.InvalidScope('ask for at least one scope of each resource', allowed.join(' '));
}

function scopesOf(ctx: KoaContextWithOIDC): string[] {
  const scope = ctx.oidc.params?.scope;
  return typeof scope === 'string' ? scope.split(' ') : [];
}
