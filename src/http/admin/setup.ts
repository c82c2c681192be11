/** /admin/setup: makes the first administrator from the one-time link printed at start (T61). */
import { z } from 'zod';
import type { AdministratorService } from '../../administrator/administrator-service.js';
import { type AppRouterContext, sendPage } from '../context.js';
import { readJson } from '../middleware/read-body.js';
import type { View } from '../view.js';

const SETUP = z.strictObject({
  token: z.string().min(1).max(100),
  username: z.string().min(1).max(64),
  password: z.string().min(1).max(256),
});

export interface SetupDeps {
  view: View;
  administrators: AdministratorService;
}

/** GET ?token=…: the form. 403 without a valid token, 410 for one that was used or is too old. */
export function setupPage(deps: SetupDeps) {
  return async (ctx: AppRouterContext): Promise<void> => {
    const { token } = ctx.query;
    await deps.administrators.checkSetupToken(typeof token === 'string' ? token : undefined);
    sendPage(ctx, deps.view.render('admin/setup.njk', {}, { lang: ctx.state.lang, texts: 'setup', data: { token } }));
  };
}

/** POST {token, username, password}: 201. */
export function setUp(deps: SetupDeps) {
  return async (ctx: AppRouterContext): Promise<void> => {
    const { token, username, password } = await readJson(ctx.req, SETUP);
    await deps.administrators.setUp(token, username, password);
    ctx.status = 201;
    ctx.body = {};
  };
}
