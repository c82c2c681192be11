// The pages of the example site: plain HTML, two languages. What matters for signing in is in `wechat` and `oauth`.

const TEXTS = {
  en: {
    lang: 'en',
    widgetLang: 'en',
    wechatLang: 'en',
    home: 'Welcome',
    homeLead: 'This is a demo site. It knows nothing about you until you sign in with your phone.',
    wechat: 'Demo bookshop',
    wechatLead: 'Sign in the way WeChat’s website login works',
    oauth: 'Demo tea house',
    oauthLead: 'Sign in with OpenID Connect',
    scan: 'Scan the code with your phone’s camera.',
    noPhone:
      'Without a phone, follow the link under the code. The demo account is printed where the server was started.',
    back: 'Back',
    result: 'You are signed in',
    resultLead: 'This is all the site was told about you.',
    nickname: 'Nickname',
    openid: 'Your id at this site',
    unionid: 'Your id at all sites of this owner',
    again: 'Sign in again',
    retry: 'Try again',
    denied: 'You said no',
    deniedLead: 'The sign-in was denied on the phone. The site learned nothing about you.',
    refused: 'That sign-in is over',
    refusedLead: 'It took too long, was used before, or began in another browser.',
    unreachable: 'Sign-in is away for a moment',
    unreachableLead: 'The sign-in server did not answer.',
    missing: 'Nothing here',
    missingLead: 'This page does not exist.',
    needsScript: 'Showing the code needs JavaScript.',
  },
  zh: {
    lang: 'zh-CN',
    widgetLang: 'zh-CN',
    wechatLang: 'cn',
    home: '欢迎',
    homeLead: '这是一个演示网站。在您用手机登录之前，它对您一无所知。',
    wechat: '演示书店',
    wechatLead: '以微信网站登录的方式登录',
    oauth: '演示茶馆',
    oauthLead: '以 OpenID Connect 的方式登录',
    scan: '请用手机相机扫描二维码。',
    noPhone: '没有手机时，请点二维码下方的链接；演示账号印在启动服务器的终端里。',
    back: '返回',
    result: '登录成功',
    resultLead: '本网站得到的关于您的信息只有这些。',
    nickname: '昵称',
    openid: '您在本网站的标识',
    unionid: '您在同一主体各网站的标识',
    again: '再次登录',
    retry: '重试',
    denied: '您已拒绝',
    deniedLead: '您在手机上拒绝了这次登录，本网站没有得到任何信息。',
    refused: '这次登录已失效',
    refusedLead: '可能是等待太久、已经用过，或者是在另一个浏览器中开始的。',
    unreachable: '登录暂时不可用',
    unreachableLead: '登录服务器没有响应。',
    missing: '没有此页',
    missingLead: '您访问的页面不存在。',
    needsScript: '显示二维码需要 JavaScript。',
  },
};

const STYLE = `
:root{color-scheme:light dark;--ink:#1c2230;--soft:#5a6375;--paper:#f6f5f2;--card:#fff;--line:#e3e1da;--link:#2c4a8c}
@media(prefers-color-scheme:dark){:root{--ink:#e8eaf0;--soft:#a3abbd;--paper:#14171e;--card:#1d212b;--line:#313745;--link:#a9c0f5}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;grid-template-columns:minmax(0,440px);place-content:center;padding:24px 16px;background:var(--paper);color:var(--ink);
font:16px/1.6 system-ui,-apple-system,"PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif}
main{padding:28px 24px;background:var(--card);border:1px solid var(--line);border-radius:16px}
h1{margin:0 0 4px;font-size:24px;line-height:1.3}p{margin:0 0 16px;color:var(--soft)}a{color:var(--link)}
.way{display:block;margin:12px 0 0;padding:14px 16px;border:1px solid var(--line);border-radius:12px;text-decoration:none}
.way:hover,.way:focus-visible{border-color:var(--link)}.way strong,.way span{display:block}.way span{color:var(--soft);font-size:14px}
.code{min-height:400px;margin:0 -24px 12px}.code iframe,.code qr-connect{display:block;width:300px;max-width:100%;margin:0 auto;border:0;border-radius:12px}
.small{font-size:14px}img{display:block;width:88px;height:88px;margin:0 0 16px;border-radius:16px}
dl{margin:0 0 20px}dt{color:var(--soft);font-size:14px}dd{margin:0 0 10px;overflow-wrap:anywhere}`;

const ESCAPES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escapeHtml = (text) => String(text ?? '').replace(/[&<>"']/g, (c) => ESCAPES[c]);
/** A value inside a script: JSON that cannot end the script element. */
const script = (value) => JSON.stringify(value).replace(/</g, '\\u003c');

const BODIES = {
  home: (t, { wechat, oauth }) =>
    `<h1>${t.home}</h1><p>${t.homeLead}</p>
${wechat ? `<a class="way" href="/wechat"><strong>${t.wechat}</strong><span>${t.wechatLead}</span></a>` : ''}
${oauth ? `<a class="way" href="/oauth"><strong>${t.oauth}</strong><span>${t.oauthLead}</span></a>` : ''}`,

  // WeChat's own snippet with another host name. redirect_uri goes in already encoded, as WeChat documents it.
  wechat: (t, { qrconnectUrl, appid, redirectUri, state, scriptNonce }) =>
    signIn(
      t,
      t.wechat,
      `<div class="code" id="login"></div>
<script src="${escapeHtml(qrconnectUrl)}/js/wxLogin.js"></script>
<script nonce="${scriptNonce}">
new WxLogin({ id: 'login', appid: ${script(appid)}, scope: 'snsapi_login', state: ${script(state)},
  redirect_uri: encodeURIComponent(${script(redirectUri)}), lang: ${script(t.wechatLang)}, color_scheme: 'auto' });
</script>`,
    ),

  // One script and one element. The verifier behind code-challenge stays on our server.
  oauth: (t, { qrconnectUrl, clientId, redirectUri, state, nonce, challenge }) =>
    signIn(
      t,
      t.oauth,
      `<div class="code"><qr-connect client-id="${escapeHtml(clientId)}" redirect-uri="${escapeHtml(redirectUri)}"
  scope="openid profile unionid" state="${escapeHtml(state)}" nonce="${escapeHtml(nonce)}"
  code-challenge="${escapeHtml(challenge)}" lang="${t.widgetLang}"></qr-connect></div>
<script src="${escapeHtml(qrconnectUrl)}/widget.js" async></script>`,
    ),

  result: (t, { picture, nickname, openid, unionid, retry }) =>
    `<h1>${t.result}</h1><p>${t.resultLead}</p><img id="picture" src="${escapeHtml(picture)}" alt="">
<dl><dt>${t.nickname}</dt><dd id="nickname">${escapeHtml(nickname)}</dd>
<dt>${t.openid}</dt><dd id="openid">${escapeHtml(openid)}</dd><dt>${t.unionid}</dt><dd id="unionid">${escapeHtml(unionid)}</dd></dl>
<a href="${escapeHtml(retry)}">${t.again}</a> · <a href="/">${t.back}</a>`,

  denied: (t, values) => message(t, 'denied', values),
  refused: (t, values) => message(t, 'refused', values),
  unreachable: (t, values) => message(t, 'unreachable', values),
  missing: (t) => message(t, 'missing', {}),
};

const signIn = (t, name, code) =>
  `<h1>${name}</h1><p>${t.scan}</p>${code}<noscript><p>${t.needsScript}</p></noscript>
<p class="small">${t.noPhone}</p><a href="/">${t.back}</a>`;

const message = (t, name, { retry }) =>
  `<h1>${t[name]}</h1><p>${t[`${name}Lead`]}</p>${retry ? `<a href="${escapeHtml(retry)}">${t.retry}</a> · ` : ''}<a href="/">${t.back}</a>`;

/** The pages in the language this browser likes better. */
export function pages(acceptLanguage = '') {
  const tags = acceptLanguage.toLowerCase().split(/[\s,]+/);
  const t = tags.find((tag) => /^(zh|en)\b/.test(tag))?.startsWith('zh') ? TEXTS.zh : TEXTS.en;
  return (name, values) => ({
    lang: t.lang,
    html: `<!doctype html>
<html lang="${t.lang}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${t[name]}</title><link rel="icon" href="data:,"><style>${STYLE}</style></head>
<body><main>${BODIES[name](t, values)}</main></body></html>`,
  });
}
