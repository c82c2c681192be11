/** Files without secrets: built assets, the widget scripts, pictures, the home page, health. */
import { drawPicture } from '../account/default-picture.js';
import { PICTURE_SIZES } from '../account/picture-address.js';
import type { PictureStore } from '../account/picture-store.js';
import type { Database } from '../database/database.js';
import { AppError } from '../error.js';
import type { WidgetService } from '../widget/widget-service.js';
import type { Asset, Assets, WidgetFile } from './assets.js';
import { type AppRouterContext, sendPage } from './context.js';
import type { View } from './view.js';

/** GET /assets/:file: the name holds the content's hash, so it never changes. */
export function asset(assets: Assets) {
  return (ctx: AppRouterContext): void => {
    const found = assets.find(String(ctx.params.file));
    if (!found) throw new AppError('not_found');
    send(ctx, found, IMMUTABLE);
  };
}

const IMMUTABLE = 'public, max-age=31536000, immutable';

/** GET /widget.js, /js/wxLogin.js and its types: the newest, whatever it is; a site that pins takes the addresses below. */
export function widget(assets: Assets, name: WidgetFile) {
  return (ctx: AppRouterContext): void => {
    openToSites(ctx);
    send(ctx, assets.widget(name), 'public, max-age=300');
  };
}

/** GET /widget/:build/:file: the same bytes for ever, or nothing (T35). */
export function pinnedWidget(widgets: WidgetService) {
  return async (ctx: AppRouterContext): Promise<void> => {
    const body = await widgets.file(String(ctx.params.build), String(ctx.params.file));
    openToSites(ctx);
    send(ctx, { body, type: 'text/javascript; charset=utf-8' }, IMMUTABLE);
  };
}

/** GET /widget.json: address and hash of this build's files, and the same signed with this server's key. */
export function widgetManifest(widgets: WidgetService) {
  return async (ctx: AppRouterContext): Promise<void> => {
    ctx.body = { ...widgets.manifest, signature: await widgets.signature() };
  };
}

/** The scripts that other sites load, and nothing else, may be loaded and read from anywhere. */
function openToSites(ctx: AppRouterContext): void {
  ctx.set('Cross-Origin-Resource-Policy', 'cross-origin');
  ctx.set('Access-Control-Allow-Origin', '*');
}

/** GET /picture/:name/:size: drawn here, or uploaded; the last segment is WeChat's size. */
export function picture(uploaded: PictureStore) {
  return async (ctx: AppRouterContext): Promise<void> => {
    const name = String(ctx.params.name);
    const size = PICTURE_SIZES.get(String(ctx.params.size));
    if (size === undefined) throw new AppError('not_found');
    const drawn = drawPicture(name, size);
    const body = drawn ?? (await uploaded.find(name, size));
    if (!body) throw new AppError('not_found');
    ctx.set('Cross-Origin-Resource-Policy', 'cross-origin');
    if (drawn) return send(ctx, { body, type: 'image/png' }, 'public, max-age=86400');
    // The address dies with the picture; caches learn of it within the hour. What it names never changes.
    send(ctx, { body, type: 'image/jpeg' }, 'public, max-age=3600');
    ctx.etag = `${name}/${size}`;
    if (ctx.fresh) ctx.status = 304;
  };
}

export function home(deps: { view: View; widgets: WidgetService; publicUrl: string; demoUrl: string | undefined }) {
  return (ctx: AppRouterContext): void => {
    const { publicUrl, demoUrl, widgets } = deps;
    const values = { publicUrl, demoUrl, snippet: widgets.snippet };
    sendPage(ctx, deps.view.render('home.njk', values, { lang: ctx.state.lang }));
  };
}

/** GET /health/live: the process answers. */
export function live() {
  return (ctx: AppRouterContext): void => {
    ctx.body = { status: 'ok' };
  };
}

/** GET /health/ready: the database answers and its schema is this build's. 503 otherwise. */
export function ready(database: Database) {
  return async (ctx: AppRouterContext): Promise<void> => {
    if (!(await database.isMigrated())) throw new AppError('unavailable', { message: 'the database is not migrated' });
    ctx.body = { status: 'ok' };
  };
}

function send(ctx: AppRouterContext, { body, type }: Asset, cacheControl: string): void {
  ctx.set('Cache-Control', cacheControl);
  ctx.type = type;
  ctx.body = body;
}
