/** /admin/api/clients: the verbs of `npm run admin -- clients` for programs and for the console's own pages. */
import type { Client } from '../../client/client.js';
import { clientToJson } from '../../client/client-json.js';
import type { ClientService, Registered } from '../../client/client-service.js';
import { warningsOf } from '../../client/registration.js';
import type { Saying } from '../../saying.js';
import type { AppRouterContext } from '../context.js';
import { NOTHING, readJson } from '../middleware/read-body.js';
import { type CallerDeps, requireReader, requireWriter } from './api-caller.js';
import { CLIENT_CHANGE, NEW_CLIENT, REDIRECT_URI, ROTATION, toChange, toNewClient } from './client-body.js';
import { sayTo } from './voice.js';

export interface ClientsDeps extends CallerDeps {
  clients: ClientService;
}

/** GET /admin/api/clients: {clients}, the oldest first. */
export function listClients(deps: ClientsDeps) {
  return async (ctx: AppRouterContext): Promise<void> => {
    await requireReader(ctx, deps);
    ctx.body = { clients: (await deps.clients.list()).map((client) => shown(ctx, client)) };
  };
}

/** POST /admin/api/clients: 201 with the secret, this once. 400 with everything that is wrong. */
export function createClient(deps: ClientsDeps) {
  return async (ctx: AppRouterContext): Promise<void> => {
    const actor = await requireWriter(ctx, deps);
    const input = toNewClient(await readJson(ctx.req, NEW_CLIENT));
    const registered = await deps.clients.register(actor, input);
    ctx.status = 201;
    ctx.set('Location', `/admin/api/clients/${registered.client.id}`);
    ctx.body = withSecret(ctx, registered);
  };
}

/** GET /admin/api/clients/:id */
export function showClient(deps: ClientsDeps) {
  return async (ctx: AppRouterContext): Promise<void> => {
    await requireReader(ctx, deps);
    ctx.body = shown(ctx, await deps.clients.get(idOf(ctx)));
  };
}

/** PATCH /admin/api/clients/:id: only what is named changes; null takes a setting away (RFC 7396). */
export function updateClient(deps: ClientsDeps) {
  return async (ctx: AppRouterContext): Promise<void> => {
    const actor = await requireWriter(ctx, deps);
    const { change, revision } = toChange(await readJson(ctx.req, CLIENT_CHANGE));
    const { changed, ...registered } = await deps.clients.update(actor, idOf(ctx), change, revision);
    ctx.body = { ...withSecret(ctx, registered), changed };
  };
}

/** POST /admin/api/clients/:id/disable and …/enable */
export function turnClient(deps: ClientsDeps, verb: 'disable' | 'enable') {
  return async (ctx: AppRouterContext): Promise<void> => {
    const actor = await requireWriter(ctx, deps);
    await readJson(ctx.req, NOTHING);
    ctx.body = shown(ctx, await deps.clients[verb](actor, idOf(ctx)));
  };
}

/** DELETE /admin/api/clients/:id: 204; 409 unless it is disabled. */
export function deleteClient(deps: ClientsDeps) {
  return async (ctx: AppRouterContext): Promise<void> => {
    const actor = await requireWriter(ctx, deps);
    await deps.clients.delete(actor, idOf(ctx));
    ctx.status = 204;
  };
}

/** POST /admin/api/clients/:id/rotate-secret: the new secret, this once. */
export function rotateClientSecret(deps: ClientsDeps) {
  return async (ctx: AppRouterContext): Promise<void> => {
    const actor = await requireWriter(ctx, deps);
    const { grace_seconds, revision } = await readJson(ctx.req, ROTATION);
    ctx.body = withSecret(ctx, await deps.clients.rotateSecret(actor, idOf(ctx), grace_seconds, revision));
  };
}

/** POST /admin/api/clients/:id/check-redirect-uri: {allowed, reason}. A read: it changes nothing. */
export function checkRedirectUri(deps: ClientsDeps) {
  return async (ctx: AppRouterContext): Promise<void> => {
    await requireReader(ctx, deps);
    const { redirect_uri } = await readJson(ctx.req, REDIRECT_URI);
    const { allowed, reason } = await deps.clients.checkRedirectUri(idOf(ctx), redirect_uri);
    ctx.body = { allowed, reason: sayTo(ctx, reason) };
  };
}

function idOf(ctx: AppRouterContext): string {
  return String(ctx.params.id);
}

function shown(ctx: AppRouterContext, client: Client) {
  return { ...clientToJson(client), warnings: said(ctx, warningsOf(client)) };
}

function withSecret(ctx: AppRouterContext, { client, secret, warnings }: Registered) {
  return { ...clientToJson(client, secret), warnings: said(ctx, warnings) };
}

function said(ctx: AppRouterContext, warnings: readonly Saying[]): string[] {
  return warnings.map((warning) => sayTo(ctx, warning));
}
