/** The words of the ticket API in Chinese, for its page; by the English ones, which stand with each call (operations.ts) and field. */

export const CHINESE: Readonly<Record<string, string>> = {
  'Ask for a QR code': '取得二维码',
  'The fields of an authorization request as JSON. A client with a secret or a key proves who it is as at /oauth/token, from its own server and without an Origin header. A public client asks from a page of one of its embed origins, with PKCE. Clients of the WeChat dialect have no part in this API.':
    '以 JSON 发送授权请求的各个字段。持有密钥的客户端像在 /oauth/token 一样证明身份，从自己的服务器调用，不带 Origin 头。公开客户端从其登记来源的页面调用，并使用 PKCE。微信格式的客户端不能使用这套接口。',
  'The ticket, and the two secrets that stand nowhere else.': '票据，以及别处都不会出现的两个秘密。',
  'Malformed, or refused in the words of OAuth: invalid_request, invalid_scope, login_required, …':
    '格式有误，或按 OAuth 的说法被拒绝：invalid_request、invalid_scope、login_required 等。',
  'invalid_client, with WWW-Authenticate where it came by that header.':
    'invalid_client；凭据若来自 Authorization 头，则附带 WWW-Authenticate。',
  'Not from there: the message says from where.': '不能从那里调用；错误信息会说明应从哪里调用。',
  'More than 64 KiB.': '超过 64 KiB。',
  'Not application/json.': '不是 application/json。',
  'Too many live tickets, or too many wrong client secrets.': '有效的票据过多，或客户端密钥错误次数过多。',
  'The database is away for a moment.': '数据库暂时无法访问。',
  'Ask how it is: poll, or long-poll': '查询状态：轮询或长轮询',
  'Without wait it answers at once. With wait and seen it answers when the status is not the seen one any more, else after the time (25 seconds at most, less a random part). One waiter a ticket: a newer one ends the older.':
    '不带 wait 时立即应答。带 wait 和 seen 时，状态不再是 seen 就应答，否则到时间应答（最多 25 秒，再减去一段随机时间）。每张票据只有一个等待者：新的会结束旧的。',
  'Seconds to be held.': '等待的秒数。',
  'The status you know.': '您已知道的状态。',
  'Now.': '当前状态。',
  'No such ticket, or a wrong wait secret, or none: one answer for all three.':
    '没有这张票据，或等待密钥不对，或没有给出：三种情况应答相同。',
  'Expired or cancelled.': '已过期或已取消。',
  'Too many wrong wait secrets from this address, or, with wait, too many waiting connections.':
    '此地址的等待密钥错误次数过多；带 wait 时，也可能是等待的连接过多。',
  'This node holds as many waiting connections as it may, or the database is away: poll instead.':
    '此节点等待的连接已满，或数据库无法访问：请改用轮询。',
  'Be told, by server-sent events': '接收通知：服务器推送事件（SSE）',
  'One event a change, the first at once: "event: status" with a Status as its data. A comment (":") every 15 seconds. After redeemed, denied, cancelled or expired the stream ends. "event: superseded" with {}: a newer waiter has the ticket\'s one place; poll from then on. A stream that ends without either: connect again. Read it with fetch: EventSource cannot send the header.':
    '每次变化一个事件，第一个立即发出：“event: status”，数据是 Status。每 15 秒一条注释（“:”）。状态为 redeemed、denied、cancelled 或 expired 之后，流即结束。“event: superseded” 和 {}：更新的等待者占用了票据唯一的位置，此后请轮询。流若没有这两者就结束，请重新连接。请用 fetch 读取：EventSource 不能发送所需的头。',
  'The stream.': '事件流。',
  'Expired or cancelled before the stream began.': '在流开始之前已过期或已取消。',
  'This address holds too many waiting connections already: poll instead.': '此地址等待的连接已过多：请改用轮询。',
  'Be told, by WebSocket': '接收通知：WebSocket',
  "No subprotocol, no compression. The upgrade needs an Origin: ours, or a registered embed origin. The first message, within five seconds, is a SocketFirstMessage; then the server sends a Status at once and at each change, and closes with 1000 after a final one. The text ping, at most once a second, is answered with the text pong. Other closes: 4400 malformed or pinged too often, 4403 this origin is not of the ticket's client, 4404 no such ticket or a wrong wait secret, 4408 no first message in time, 4409 a newer waiter has the ticket's one place, 4410 expired or cancelled before, 4429 over a limit, 1001 the server stops, 1013 try again later.":
    '没有子协议，不压缩。升级请求必须带 Origin：本服务器的，或已登记的来源。五秒之内发送第一条消息 SocketFirstMessage；服务器随即发送 Status，此后每次变化再发，到最终状态后以 1000 关闭。文本 ping（最多每秒一次）以文本 pong 应答。其他关闭代码：4400 格式有误或 ping 过于频繁，4403 此来源不属于票据的客户端，4404 没有这张票据或等待密钥不对，4408 没有及时发送第一条消息，4409 更新的等待者占用了票据唯一的位置，4410 此前已过期或已取消，4429 超过限制，1001 服务器正在停止，1013 请稍后再试。',
  'Now send the first message.': '请发送第一条消息。',
  'Another origin, none, or "null".': '其他来源，没有来源，或来源为 “null”。',
  'Not an upgrade to a WebSocket.': '不是 WebSocket 升级请求。',
  'Take the answer, once': '领取结果，仅一次',
  'After confirmed: the code, for the token endpoint. After a denial by the person: error access_denied. Send the browser to redirect_to, or let the server exchange the code without.':
    'confirmed 之后：供令牌端点使用的授权码。用户拒绝之后：错误 access_denied。请让浏览器前往 redirect_to，或由服务器直接换取令牌。',
  'The answer.': '结果。',
  'The account may no longer sign in.': '此账号已不能登录。',
  'Not confirmed yet; or denied because the match code was wrong, which gives no answer.':
    '尚未确认；或因数字输入错误而被拒绝，这种情况没有结果可领。',
  'Redeemed before, expired, cancelled, or the client was changed meanwhile.':
    '此前已领取、已过期、已取消，或客户端在此期间有改动。',
  'Too many wrong wait secrets from this address.': '此地址的等待密钥错误次数过多。',
  'Take an address that redeems it': '取得用来领取结果的地址',
  'Instead of redeem, for a page that must not see the code: navigate the top window there.':
    '代替领取，用于不能看到授权码的页面：请让顶层窗口前往该地址。',
  'The address.': '地址。',
  'Neither confirmed nor denied by the person.': '用户既未确认，也未拒绝。',
  'Redeemed, expired or cancelled.': '已领取、已过期或已取消。',
  'Ask for a fresh QR code for the same request': '为同一请求取得新的二维码',
  'The old ticket ends. Once a ticket, while the request lives (15 minutes), and not after confirmed.':
    '旧票据随即结束。每张票据一次，须在请求有效期内（15 分钟），确认之后不行。',
  'The next ticket.': '下一张票据。',
  'Confirmed, or renewed before.': '已确认，或此前已换新。',
  'The request is over, because it was answered or because of its age: ask anew.':
    '请求已经得到答复，或已超过有效期：请重新发起。',
  'Too many live tickets, or too many wrong wait secrets.': '有效的票据过多，或等待密钥错误次数过多。',
  'Give it up': '放弃',
  'The phone that scanned it is told that it is over.': '扫描过它的手机会得知它已结束。',
  'Cancelled.': '已取消。',
  'Redeemed or denied before.': '此前已领取或已被拒绝。',
  'Expired or cancelled before.': '此前已过期或已取消。',
  'This document': '本文档',
  'OpenAPI 3.1.': 'OpenAPI 3.1，英文。',
  'The document.': '文档。',
  'This document as a page': '本文档的网页版',
  'For people.': '供人阅读。',
  'The page.': '网页。',
  'Exactly as registered. Nobody has to be sent there; the code is bound to it.':
    '须与登记的完全一致。不一定要让浏览器前往，但授权码与它绑定。',
  'Default: openid.': '默认为 openid。',
  'Comes back with the code. Bind it to the browser that sees the QR code.':
    '随授权码返回。请把它与显示二维码的浏览器绑定。',
  'Comes back in the ID token.': '在 ID 令牌中返回。',
  'PKCE (RFC 7636).': 'PKCE（RFC 7636）。',
  'login: the person proves anew who they are. none is refused: nobody is there to ask.':
    'login：用户须重新证明身份。none 会被拒绝，因为没有可以询问的浏览器会话。',
  'Seconds the sign-in on the phone may be old.': '手机上的登录最多可以是多少秒之前的。',
  'Anybody else who scans ends in login_required.': '其他人扫描则以 login_required 结束。',
  'APIs the access token is for (RFC 8707).': '访问令牌用于哪些接口（RFC 8707）。',
  'Binds the code to a DPoP key (RFC 9449 10).': '把授权码与 DPoP 密钥绑定（RFC 9449 第 10 节）。',
  'A signed request object (RFC 9101), instead of all of the above.': '签名的请求对象（RFC 9101），代替以上各项。',
  'Of a request pushed to /oauth/par, instead of all of the above.': '已推送到 /oauth/par 的请求，代替以上各项。',
  'Of a client registered with client_secret_post.': '用于以 client_secret_post 登记的客户端。',
  'Of a client registered with private_key_jwt; its aud is the issuer.':
    '用于以 private_key_jwt 登记的客户端；其 aud 为签发者。',
  'Public: it may stand in URLs and logs.': '公开：可以出现在网址和日志中。',
  'Its holder may watch, redeem and cancel the ticket. In a header or body only, never in a URL.':
    '持有者可以查看、领取和取消票据。只能放在头或请求体中，绝不能放在网址里。',
  'What the QR code says, and all it may say.': '二维码的全部内容。',
  'Drawn with its quiet zone; <svg>…</svg>, to stand inline.': '连同留白绘制好的 <svg>…</svg>，可直接嵌入页面。',
  'The same as a data: URL.': '同一图形，data: 网址形式。',
  'Until it must be scanned.': '必须在此之前扫描。',
  'Seconds between two polls.': '两次轮询之间的秒数。',
  'The last four never change again.': '后四种不会再变。',
  'While scanned: two digits to show large beside the QR code. The person types them on the phone.':
    '状态为 scanned 时：请在二维码旁用大字显示这两位数字，由用户在手机上输入。',
  'The redirect URI with the answer in its query, for the browser that shows the QR code.':
    '重定向地址，查询参数中带有结果，供显示二维码的浏览器前往。',
  'For the token endpoint: 60 seconds, once.': '用于令牌端点：60 秒内有效，仅一次。',
  'As it was sent.': '原样返回。',
  'This server: compare it with the one you asked (RFC 9207).': '本服务器：请与您请求的服务器核对（RFC 9207）。',
  'Redeems by a top-level navigation, once, within 30 seconds.': '由顶层导航领取，仅一次，30 秒内有效。',
  'For a developer to read.': '供开发者阅读。',
};
