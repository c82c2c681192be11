/** The console's pages. Whoever is not signed in gets the sign-in page at the very address, and comes back to it. */
import type { AdministratorSession } from '../../administrator/administrator.js';
import type { AdministratorPasskeys } from '../../administrator/administrator-passkeys.js';
import type { ClientService } from '../../client/client-service.js';
import { type AppRouterContext, sendPage } from '../context.js';
import type { View } from '../view.js';
import { type ConsoleDeps, standingOf } from './console.js';

export interface PagesDeps extends ConsoleDeps {
  view: View;
  clients: ClientService;
  administratorPasskeys: AdministratorPasskeys;
}

/** What a page of the console shows: its template, values, and what its script reads beside the CSRF token. */
interface ConsolePage {
  readonly template: string;
  readonly values: Record<string, unknown>;
  readonly data?: Record<string, unknown>;
}

type Draw = (ctx: AppRouterContext, session: AdministratorSession) => Promise<ConsolePage> | ConsolePage;

/** GET /admin: all clients. */
export function clientsPage(deps: PagesDeps) {
  return consolePage(deps, async () => ({
    template: 'admin/clients.njk',
    values: { clients: await deps.clients.list() },
  }));
}

/** GET /admin/passkeys: the administrator's own. */
export function passkeysPage(deps: PagesDeps) {
  return consolePage(deps, async (_ctx, { administrator }) => ({
    template: 'admin/clients.njk',
    values: { clients: await deps.administratorPasskeys.list(administrator.id) },
  }));
}

function consolePage(deps: PagesDeps, draw: Draw) {
  return async (ctx: AppRouterContext): Promise<void> => {
    const session = ctx.state.administrator;
    const standing = session && standingOf(session, deps);
    const { lang } = ctx.state;
    if (!session || standing === 'show-passkey') {
      const page = deps.view.render('admin/sign-in.njk', {}, { lang, texts: 'console-sign-in' });
      return sendPage(ctx, page, 401);
    }
    if (standing === 'add-passkey' && ctx.path !== '/admin/passkeys') return ctx.redirect('/admin/passkeys');
    const { template, values, data } = await draw(ctx, session);
    const csrf = deps.consoleCsrf.make(session.id, 'console');
    const all = { ...values, administrator: session.administrator, standing };
    sendPage(ctx, deps.view.render(template, all, { lang, texts: 'console', data: { ...data, csrf } }));
  };
}
