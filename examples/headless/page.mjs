// The one page of the reading room, in two languages; public/sign-in.js brings it to life.
const TEXTS = {
  en: {
    lang: 'en',
    name: 'The Reading Room',
    lead: 'A quiet place for your books.',
    begin: 'Sign in by phone',
    scan: 'Scan with your phone’s camera',
    scanDetail: 'Sign in there if asked, then look who is asking.',
    scanned: 'Type this number on your phone',
    scannedNoCode: 'Now answer on your phone',
    confirmed: 'One moment …',
    denied: 'It was denied on the phone. Nothing was told to us.',
    expired: 'This code has run out.',
    lost: 'No connection. We keep trying.',
    failed: 'That did not work.',
    again: 'A fresh code',
    hello: 'Good to see you',
    known: 'We know you by this alone:',
    leave: 'Sign out',
    refused: 'That sign-in is over: it took too long, was used before, or began in another browser.',
    unreachable: 'The sign-in server does not answer. Try again in a moment.',
    needsScript: 'Signing in needs JavaScript.',
    qrLabel: 'QR code to sign in to the reading room',
  },
  zh: {
    lang: 'zh-CN',
    name: '静读室',
    lead: '安放书卷的一方天地。',
    begin: '用手机登录',
    scan: '请用手机相机扫描',
    scanDetail: '如有提示请先在手机上登录，再确认是谁在请求。',
    scanned: '请在手机上输入这个数字',
    scannedNoCode: '请在手机上确认',
    confirmed: '请稍候……',
    denied: '手机上已拒绝，我们没有得到任何信息。',
    expired: '此二维码已过期。',
    lost: '网络已断开，正在重试。',
    failed: '操作没有成功。',
    again: '换一个新码',
    hello: '欢迎回来',
    known: '我们只凭它认得您：',
    leave: '退出登录',
    refused: '这次登录已失效：等待太久、已经用过，或是在另一个浏览器中开始的。',
    unreachable: '登录服务器没有响应，请稍后再试。',
    needsScript: '登录需要 JavaScript。',
    qrLabel: '登录静读室的二维码',
  },
};

const ESCAPES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
/** Nicknames are somebody's own text. */
const escapeHtml = (text) => String(text ?? '').replace(/[&<>"']/g, (c) => ESCAPES[c]);

export function page(language, { user, words, server }) {
  const t = TEXTS[language];
  // For the script: its words, and where it waits. As an attribute it is data, whatever it says.
  const data = escapeHtml(JSON.stringify({ server, texts: t }));
  return `<!doctype html>
<html lang="${t.lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${t.name}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/site.css">
</head>
<body>
<header><h1>${t.name}</h1><p>${t.lead}</p></header>
<main>${user ? welcome(t, user) : signIn(t, data, words)}</main>
</body>
</html>`;
}

function welcome(t, user) {
  return `
<h2>${t.hello}, ${escapeHtml(user.nickname)}</h2>
<p>${t.known} <code id="sub">${escapeHtml(user.sub)}</code></p>
<form method="post" action="/sign-out"><button>${t.leave}</button></form>`;
}

function signIn(t, data, words) {
  return `
<section id="sign-in" tabindex="-1" data-page="${data}">
<div role="status" aria-atomic="true">
<p id="words">${words ? t[words] : ''}</p>
<p id="number" hidden></p>
</div>
<div id="code" hidden></div>
<p id="detail"></p>
<button id="begin">${t.begin}</button>
<noscript><p>${t.needsScript}</p></noscript>
</section>
<script type="module" src="/sign-in.js"></script>`;
}
