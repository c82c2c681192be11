// The HTML around the React and the Vue example: data for the page, texts in two languages, a policy.
import { randomBytes } from 'node:crypto';

const TEXTS = {
  en: {
    lang: 'en',
    title: 'Demo garden',
    lead: 'Scan the code with your phone’s camera.',
    modes: { frame: 'Here', popup: 'In a window', redirect: 'Own page' },
    said: { scanned: 'Type the number on your phone.', confirmed: 'Signing you in …' },
    over: {
      denied: 'It was not allowed on the phone.',
      expired: 'That code is over.',
      error: 'Something is in the way: {{error}}',
    },
    welcome: 'You are signed in',
    signOut: 'Sign out here',
    ends: { denied: 'You said no.', refused: 'That sign-in is over.', away: 'Sign-in is away for a moment.' },
    again: 'Begin again',
  },
  zh: {
    lang: 'zh-CN',
    title: '演示花园',
    lead: '请用手机相机扫描二维码。',
    modes: { frame: '在此扫码', popup: '新窗口', redirect: '单独页面' },
    said: { scanned: '请在手机上输入屏幕上的数字。', confirmed: '正在登录……' },
    over: { denied: '手机上没有允许这次登录。', expired: '二维码已失效。', error: '出了点问题：{{error}}' },
    welcome: '登录成功',
    signOut: '退出本站',
    ends: { denied: '您已拒绝。', refused: '这次登录已失效。', away: '登录服务暂时没有响应。' },
    again: '重新开始',
  },
};

const STYLE = `
:root{color-scheme:light dark;--ink:#1d2a24;--soft:#56655d;--paper:#f1f4ee;--card:#fff;--line:#dbe2d8;--green:#1f6b47;--on-green:#fff}
@media(prefers-color-scheme:dark){:root{--ink:#e6ede8;--soft:#9fb0a6;--paper:#121815;--card:#1a221e;--line:#2e3a34;--green:#8fd6b1;--on-green:#10241a}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;grid-template-columns:minmax(0,440px);place-content:center;padding:24px 16px;background:var(--paper);color:var(--ink);
font:16px/1.6 system-ui,-apple-system,"PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif}
main{padding:28px 24px;background:var(--card);border:1px solid var(--line);border-radius:16px}
h1{margin:0 0 4px;font-size:24px;line-height:1.3}p{margin:0 0 16px;color:var(--soft)}a{color:var(--green)}
.modes{display:flex;gap:8px;margin:0 0 16px}
.modes button{flex:1}
button{padding:8px 6px;border:1px solid var(--line);border-radius:10px;background:none;color:inherit;font:inherit;font-size:14px;cursor:pointer}
.modes button[aria-pressed=true]{border-color:var(--green);color:var(--green)}
:focus-visible{outline:2px solid var(--green);outline-offset:2px}
qr-connect{display:block;margin:0 -24px;text-align:center}
qr-connect::part(frame){margin:0 auto;border-radius:12px}
qr-connect::part(button){display:inline-block;padding:12px 20px;border-radius:10px;background:var(--green);color:var(--on-green);text-decoration:none}
.said{min-height:1.6em;margin:12px 0 0}
form button{padding:8px 16px}
img{display:block;width:88px;height:88px;margin:0 0 16px;border-radius:16px}`;

/** JSON that cannot end the script element it stands in. */
const inScript = (value) => JSON.stringify(value).replace(/</g, '\\u003c');

/** The page; with `end`, only how a sign-in ended without anybody: `denied`, `refused` or `away`. */
export function document(acceptLanguage = '', data, qrconnectUrl, end) {
  const tags = acceptLanguage.toLowerCase().split(/[\s,]+/);
  const texts = tags.find((tag) => /^(zh|en)\b/.test(tag))?.startsWith('zh') ? TEXTS.zh : TEXTS.en;
  const nonce = randomBytes(16).toString('base64url');
  return {
    headers: {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Language': texts.lang,
      Vary: 'Accept-Language',
      'Content-Security-Policy':
        `default-src 'none'; script-src 'self'; style-src 'nonce-${nonce}'; frame-src ${qrconnectUrl}; ` +
        `img-src data: ${qrconnectUrl}; base-uri 'none'; form-action 'self'; frame-ancestors 'none'`,
      // `same-origin` would part us from the window of mode="popup".
      'Cross-Origin-Opener-Policy': 'same-origin-allow-popups',
      'Referrer-Policy': 'strict-origin-when-cross-origin',
      'X-Content-Type-Options': 'nosniff',
      'Cache-Control': 'no-store',
    },
    html: `<!doctype html>
<html lang="${texts.lang}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${texts.title}</title><link rel="icon" href="data:,"><style nonce="${nonce}">${STYLE}</style></head>
<body>${end ? ending(texts, end) : app(texts, data)}</body></html>`,
  };
}

const app = (texts, data) => `<main id="app"></main>
<script type="application/json" id="data">${inScript({ ...data, texts })}</script>
<script type="module" src="/app.js"></script>`;

const ending = (texts, end) =>
  `<main><h1>${texts.title}</h1><p id="refused">${texts.ends[end]}</p><p><a href="/">${texts.again}</a></p></main>`;
