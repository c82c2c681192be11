/** The console's pages. Whoever is not signed in gets the sign-in page at the very address, and comes back to it. */
import type { AdministratorSession } from '../../administrator/administrator.js';
import type { AdministratorPasskeys } from '../../administrator/administrator-passkeys.js';
import type { Client } from '../../client/client.js';
import { clientToJson, isExposed } from '../../client/client-json.js';
import type { ClientService } from '../../client/client-service.js';
import { warningsOf } from '../../client/registration.js';
import { AppError } from '../../error.js';
import type { WidgetService } from '../../widget/widget-service.js';
import { type AppRouterContext, sendPage } from '../context.js';
import type { Language } from '../language.js';
import type { View } from '../view.js';
import { fieldsOf, formOf, valuesOf } from './client-form.js';
import { type ConsoleDeps, standingOf } from './console.js';
import { sayTo } from './voice.js';

export interface PagesDeps extends ConsoleDeps {
  view: View;
  clients: ClientService;
  publicUrl: string;
  administratorPasskeys: AdministratorPasskeys;
  widgets: Pick<WidgetService, 'snippet'>;
}

/** What a page of the console shows: its template, values, and what its script reads beside the CSRF token. */
interface ConsolePage {
  readonly template: string;
  readonly values: Record<string, unknown>;
  readonly data?: Record<string, unknown>;
}

type Draw = (ctx: AppRouterContext, session: AdministratorSession) => Promise<ConsolePage> | ConsolePage;

/** From how many clients on a field helps to find one. */
const FILTER_FROM = 9;

/** GET /admin: all clients. */
export function clientsPage(deps: PagesDeps) {
  return consolePage(deps, 'clients', async (ctx) => {
    const clients = (await deps.clients.list()).map((client) => summaryOf(ctx, client));
    return { template: 'admin/clients.njk', values: { clients, filter: clients.length >= FILTER_FROM } };
  });
}

/** GET /admin/clients/new: the form that registers one. */
export function newClientPage(deps: PagesDeps) {
  return consolePage(deps, 'clients', () => {
    const form = formOf();
    return {
      template: 'admin/new-client.njk',
      values: { form, snippet: deps.widgets.snippet },
      data: { values: valuesOf(form) },
    };
  });
}

/** GET /admin/clients/:id: all about one. 404 for an id that nobody has. */
export function clientPage(deps: PagesDeps) {
  return consolePage(deps, 'clients', async (ctx) => {
    const client = await deps.clients.find(String(ctx.params.id));
    if (!client) throw new AppError('not_found', { reason: 'unknown_client' });
    const form = formOf(client);
    const { secrets } = clientToJson(client);
    const columns = Object.fromEntries(fieldsOf(form).map(({ column, json }) => [column, json]));
    const { id, revision } = client;
    return {
      template: 'admin/client.njk',
      values: { client: { ...summaryOf(ctx, client), secrets }, form, snippet: deps.widgets.snippet },
      data: { client: { id, revision }, values: valuesOf(form), columns },
    };
  });
}

/** GET /admin/passkeys: the administrator's own. */
export function passkeysPage(deps: PagesDeps) {
  return consolePage(deps, 'passkeys', async (_ctx, { administrator }) => ({
    template: 'admin/passkeys.njk',
    values: { passkeys: await deps.administratorPasskeys.list(administrator.id) },
  }));
}

function summaryOf(ctx: AppRouterContext, client: Client) {
  const { id, name, dialect, applicationType, redirectUris, callbackDomain, disabled, createdAt } = client;
  const addresses = [...redirectUris, ...(callbackDomain ? [`https://${callbackDomain}/…`] : [])];
  return {
    id,
    name,
    dialect,
    applicationType,
    addresses,
    disabled,
    createdAt,
    exposed: isExposed(client),
    warnings: warningsIn(ctx, client),
  };
}

function warningsIn(ctx: AppRouterContext, client: Client): string[] {
  const warnings = warningsOf(client).map((warning) => sayTo(ctx, warning));
  return warnings.map((warning) => warning.charAt(0).toUpperCase() + warning.slice(1));
}

function consolePage(deps: PagesDeps, place: 'clients' | 'passkeys', draw: Draw) {
  const passkeysPossible = deps.administratorPasskeys.possible;
  return async (ctx: AppRouterContext): Promise<void> => {
    const { lang } = ctx.state;
    const session = ctx.state.administrator;
    const standing = session && standingOf(session, deps);
    const shared = {
      ...tools(ctx.path, lang, ctx.query.lang !== undefined),
      passkeysPossible,
      publicUrl: deps.publicUrl,
    };
    if (!session || !standing || standing === 'show-passkey') {
      const signIn = deps.view.render('admin/sign-in.njk', shared, { lang, texts: 'console-sign-in', data: { lang } });
      return sendPage(ctx, signIn, 401);
    }
    if (standing === 'add-passkey' && ctx.path !== '/admin/passkeys') return ctx.redirect(shared.at('/admin/passkeys'));
    const { template, values: own, data } = await draw(ctx, session);
    const { administrator, hasPasskey } = session;
    const csrf = deps.consoleCsrf.make(session.id, 'console');
    const page = deps.view.render(
      template,
      { ...shared, ...own, place, standing, administrator },
      { lang, texts: 'console', data: { ...data, csrf, lang, hasPasskey, passkeysPossible } },
    );
    sendPage(ctx, page);
  };
}

/** What templates write addresses and dates with. A language that was asked for goes along every link. */
function tools(path: string, lang: Language, keepLang: boolean) {
  const other = lang === 'en' ? 'zh-CN' : 'en';
  const dates = new Intl.DateTimeFormat(lang, { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' });
  return {
    at: (address: string) => (keepLang ? `${address}?lang=${lang}` : address),
    otherLanguage: { lang: other, href: `${path}?lang=${other}` },
    /** Its script says it in the reader's own time. */
    dateOf: (when: Date | string) => `${dates.format(new Date(when))} UTC`,
    isoOf: (when: Date | string) => new Date(when).toISOString(),
  };
}
