/** A client as the command line shows it: as JSON, as lines for people, and what should be known about it. */
import type { Client } from '../client/client.js';
import { isLive } from '../client/client-secret.js';

export function toJson(client: Client) {
  return {
    client_id: client.id,
    name: client.name,
    dialect: client.dialect,
    redirect_uris: client.redirectUris,
    embed_origins: client.embedOrigins,
    union: client.unionName ?? null,
    callback_domain: client.callbackDomain ?? null,
    application_type: client.applicationType,
    token_endpoint_auth_method: client.authMethod,
    match_code: client.matchCode,
    scope: client.scope ?? null,
    refresh_requires_secret: client.refreshRequiresSecret,
    state_required: client.stateRequired,
    openid_required: client.openidRequired,
    json_answers: client.jsonAnswers,
    style_sheets: client.styleSheets,
    disabled: client.disabled,
    secrets: live(client).map(({ createdAt, expiresAt, exposedAt }) => ({
      created_at: createdAt,
      expires_at: expiresAt ?? null,
      exposed_at: exposedAt ?? null,
    })),
    created_at: client.createdAt.toISOString(),
  };
}

export function fields(client: Client, secret?: string): Array<[string, string | readonly string[] | undefined]> {
  const wechat = client.dialect === 'wechat';
  const oldEnd = oldSecretEnds(client);
  return [
    [wechat ? 'App id' : 'Client id', client.id],
    [wechat ? 'App secret' : 'Client secret', secret],
    ['Name', client.name],
    ['Dialect', client.dialect],
    ['Redirect URIs', client.redirectUris],
    ['Callback domain', client.callbackDomain],
    ['Framed by', client.embedOrigins],
    ['Union', client.unionName],
    ['Type', client.applicationType],
    ['Token endpoint', wechat ? undefined : client.authMethod],
    ['Match code', client.matchCode],
    ['Scopes', client.scope],
    ['Refresh', client.refreshRequiresSecret ? 'requires the secret' : undefined],
    ['state', client.stateRequired ? 'required' : undefined],
    ['openid', client.openidRequired ? 'required at /sns/auth and /sns/userinfo' : undefined],
    ['Answers', client.jsonAnswers ? 'application/json' : undefined],
    ['Style sheet', client.styleSheets ? "the site's own (href) is loaded" : undefined],
    ['Old secret', oldEnd && `accepted until ${oldEnd}`],
    ['Created', client.createdAt.toISOString()],
    ['Status', status(client)],
  ];
}

export function notes(warnings: readonly string[]): string[] {
  return warnings.map((warning) => `Note: ${warning}.`);
}

export function status(client: Client): string {
  const words = [client.disabled ? 'disabled' : 'active'];
  if (isExposed(client)) words.push('secret exposed: rotate it');
  return words.join(', ');
}

/** Its current secret was seen in a query string (T55); of an old one a note tells, for it ends by itself. */
export function isExposed(client: Client): boolean {
  return live(client).some(({ expiresAt, exposedAt }) => expiresAt === undefined && exposedAt !== undefined);
}

/** When the secret before the current one ends; undefined when there is none. */
export function oldSecretEnds(client: Client): string | undefined {
  return live(client).find(({ expiresAt }) => expiresAt !== undefined)?.expiresAt;
}

function live(client: Client) {
  return client.secrets.filter((secret) => isLive(secret, new Date()));
}
