/** The pages of a sign-out that a site asks for (OpenID Connect RP-Initiated Logout 1.0): the question, and the end of it. */
import type { LogoutPages } from '../../engine/configuration.js';
import { sendPage } from '../context.js';
import { chooseLanguage, firstSpoken, type Language } from '../language.js';
import type { View } from '../view.js';

type EngineContext = Parameters<LogoutPages['logoutSource']>[0];

interface Site {
  readonly name: string | undefined;
  readonly host: string | undefined;
}

export function createLogoutPages({ view }: { view: View }): LogoutPages {
  return {
    logoutSource(ctx, form) {
      const site = siteOf(ctx);
      const back = ctx.oidc.params?.post_logout_redirect_uri;
      const target = typeof back === 'string' ? formTarget(back) : undefined;
      const page = view.render(
        'oauth/logout.njk',
        { site, form },
        { lang: languageOf(ctx), formTargets: target === undefined ? [] : [target] },
      );
      sendPage(ctx, page);
    },
    postLogoutSuccessSource(ctx) {
      // The engine names a client here when the person signed out of that site alone.
      sendPage(ctx, view.render('oauth/logged-out.njk', { site: siteOf(ctx) }, { lang: languageOf(ctx) }));
    },
  };
}

/** Who asks: the client that the request, or its ID token, named. Its host is where the browser goes next. */
function siteOf({ oidc }: EngineContext): Site | undefined {
  const { client, params } = oidc;
  if (!client) return undefined;
  const uris = [params?.post_logout_redirect_uri, ...(client.redirectUris ?? [])];
  const web = uris.map((uri) => (typeof uri === 'string' ? URL.parse(uri) : null)).find((url) => url && isWeb(url));
  return { name: client.clientName, host: web?.host };
}

function languageOf(ctx: EngineContext): Language {
  return chooseLanguage(firstSpoken(ctx.oidc.params?.ui_locales), ctx.get('Accept-Language'));
}

/**
 * What the page's policy must name so that the form's answer may lead there: browsers hold the redirect after a POST to
 * `form-action` too. An IPv6 address and an app's own scheme have no origin that a policy could name.
 */
function formTarget(uri: string): string | undefined {
  const url = URL.parse(uri);
  if (!url) return undefined;
  if (!isWeb(url) || url.hostname.startsWith('[')) return url.protocol;
  return /^[a-z0-9.-]+$/.test(url.hostname) ? url.origin : undefined;
}

function isWeb({ protocol }: URL): boolean {
  return protocol === 'https:' || protocol === 'http:';
}
