// The addresses the element opens, built from its attributes.
import { serverOrigin } from './server.js';

export interface Flow {
  /** Origin of the server. */
  server: string | null;
  clientId: string | null;
  redirectUri: string | null;
  scope: string | null;
  state: string | null;
  nonce: string | null;
  codeChallenge: string | null;
  requestUri: string | null;
  lang: string | null;
  theme: string | null;
}

export function readFlow(element: HTMLElement): Flow {
  return {
    server: serverOrigin(element.getAttribute('server')),
    clientId: element.getAttribute('client-id'),
    redirectUri: element.getAttribute('redirect-uri'),
    scope: element.getAttribute('scope'),
    state: element.getAttribute('state'),
    nonce: element.nonce || element.getAttribute('nonce'),
    codeChallenge: element.getAttribute('code-challenge'),
    requestUri: element.getAttribute('request-uri'),
    lang: element.getAttribute('lang'),
    theme: element.getAttribute('theme'),
  };
}

export function missingAttribute(flow: Flow): string | null {
  if (!flow.server) return 'server';
  if (!flow.clientId) return 'client-id';
  if (flow.requestUri) return null;
  if (!flow.redirectUri) return 'redirect-uri';
  return flow.codeChallenge ? null : 'code-challenge';
}

/** What every way in sends: a pushed request carries the rest of the parameters itself. */
function protocolParameters(flow: Flow): URLSearchParams {
  const query = new URLSearchParams({ client_id: flow.clientId ?? '' });
  const add = (name: string, value: string | null) => {
    if (value) query.set(name, value);
  };
  if (flow.requestUri) {
    query.set('request_uri', flow.requestUri);
    return query;
  }
  query.set('response_type', 'code');
  add('redirect_uri', flow.redirectUri);
  query.set('scope', flow.scope || 'openid');
  add('state', flow.state);
  add('nonce', flow.nonce);
  add('code_challenge', flow.codeChallenge);
  query.set('code_challenge_method', 'S256');
  return query;
}

/** `lang` is an ordinary HTML attribute and may name any language; the page is told only what it speaks. */
export function pageLanguage(lang: string | null): 'zh-CN' | 'en' | null {
  if (lang && /^(zh|cn)\b/i.test(lang.replace('_', '-'))) return 'zh-CN';
  return lang && /^en\b/i.test(lang.replace('_', '-')) ? 'en' : null;
}

export function isTheme(theme: string | null): theme is 'auto' | 'light' | 'dark' {
  return theme === 'auto' || theme === 'light' || theme === 'dark';
}

/** The QR page: in a frame of ours, or in a window of its own that we open. */
export function qrPageUrl(flow: Flow, place: 'frame' | 'popup'): string {
  const query = protocolParameters(flow);
  const lang = pageLanguage(flow.lang);
  if (lang) query.set('lang', lang);
  if (isTheme(flow.theme)) query.set('theme', flow.theme);
  query.set('login_type', place === 'frame' ? 'qr-connect' : 'popup');
  return `${flow.server}/connect/qrconnect?${query}`;
}

export function authorizationUrl(flow: Flow): string {
  const query = protocolParameters(flow);
  const lang = pageLanguage(flow.lang);
  if (lang) query.set('ui_locales', lang);
  return `${flow.server}/oauth/authorize?${query}`;
}
