// The drop-in WxLogin function: same options, same address, same iframe as the script that sites already use.
// Written in ES5 (var, plain functions), because it must run wherever those sites still run.
import type { WxLoginOptions } from './wxLogin.js';

declare var __WIDGET_TEXTS__: Record<'zh-CN' | 'en', Record<string, string>>;

/** The server puts its public origin in place of this word whenever it serves the file. */
var SERVER = '__QRCONNECT_ORIGIN__';

function selfRedirect(value: unknown): string {
  if (value === true) return 'true';
  return value === false ? 'false' : 'default';
}

/** Values go in as they are: sites encode redirect_uri and state themselves, and a missing one becomes "undefined". */
function pageUrl(o: WxLoginOptions): string {
  var url = `${SERVER}/connect/qrconnect?appid=${o.appid}&scope=${o.scope}&redirect_uri=${o.redirect_uri}`;
  url += `&state=${o.state}&login_type=jssdk&self_redirect=${selfRedirect(o.self_redirect)}`;
  url += `&styletype=${o.styletype || ''}&sizetype=${o.sizetype || ''}`;
  url += `&bgcolor=${o.bgcolor || ''}&rst=${o.rst || ''}&ts=${Date.now()}`;
  if (o.style) url += `&style=${o.style}`;
  if (o.href) url += `&href=${o.href}`;
  if (o.lang === 'en') url += '&lang=en';
  if (o.stylelite === 1) url += '&stylelite=1';
  if (o.fast_login === 0) url += '&fast_login=0';
  var scheme = o.color_scheme;
  if (scheme === 'auto' || scheme === 'dark' || scheme === 'light') url += `&color_scheme=${scheme}`;
  return url;
}

function makeFrame(o: WxLoginOptions): HTMLIFrameElement {
  var frame = document.createElement('iframe');
  frame.setAttribute('frameBorder', '0');
  frame.setAttribute('allowTransparency', 'true');
  frame.setAttribute('scrolling', 'no');
  frame.setAttribute('width', '300px');
  frame.setAttribute('height', '400px');
  frame.setAttribute('referrerpolicy', 'strict-origin-when-cross-origin');
  frame.setAttribute('title', __WIDGET_TEXTS__[o.lang === 'en' ? 'en' : 'zh-CN']['widget.frameTitle'] || 'qrconnect');
  frame.src = pageUrl(o);
  return frame;
}

function statusOf(data: unknown): unknown {
  var message: { type?: unknown; status?: unknown } | null;
  if (typeof data !== 'string') return null;
  try {
    message = JSON.parse(data);
    return message && message.type === 'status' ? message.status : null;
  } catch (_notOurs) {
    return null;
  }
}

function listen(o: WxLoginOptions, onReady: (ready: true) => void, frame: HTMLIFrameElement): void {
  function onMessage(event: MessageEvent): void {
    if (event.origin !== SERVER || event.source !== frame.contentWindow) return;
    if (statusOf(event.data) === 'wxReady') onReady(true);
  }
  window.addEventListener('message', onMessage);
  o.onCleanup = () => {
    window.removeEventListener('message', onMessage);
  };
}

/** A plain function: `new WxLogin(options)` and `WxLogin(options)` do the same. */
function WxLogin(options: WxLoginOptions): void {
  var container = document.getElementById(options.id);
  if (!container) throw new Error(`WxLogin: put an element with the id "${options.id}" on the page before this call`);
  var frame = makeFrame(options);
  if (typeof options.onReady === 'function') listen(options, options.onReady, frame);
  container.innerHTML = '';
  container.appendChild(frame);
}

(window as unknown as { WxLogin: typeof WxLogin }).WxLogin = WxLogin;
