/** What is said of clients and passkeys, in Chinese; by the English templates, which stand where they are said. */

export const SAYINGS_ZH: Readonly<Record<string, string>> = {
  // Words that others are made of.
  '{one} or {other}': '{one} 或 {other}',
  '{one} and {other}': '{one} 和 {other}',
  'true or false': 'true 或 false',
  'a text': '文本',
  'a whole number': '整数',
  'a list of texts': '文本列表',
  'a JWK set': 'JWK 集',
  '{name} must be {kind}': '“{name}”的值必须是：{kind}',
  '{what} must be from 0 to {max}': '{what}必须在 0 到 {max} 之间',
  'at most {most} {what}': '{what}最多 {most} 个',
  '{what} exists in the wechat dialect only': '{what}仅适用于微信格式',
  '{what} exists in the oauth dialect only': '{what}仅适用于 oauth 格式',

  // What settings are called to those who try them in the other dialect, or too many of them.
  'redirect URIs': '回调地址',
  'post-logout redirect URIs': '退出后的回调地址',
  'a back-channel logout URI': '后端退出通知地址',
  'a callback domain (instead of exact redirect URIs)': '回调域名（代替逐个登记的回调地址）',
  'embed origins': '嵌入来源',
  'a choice of scopes (the wechat dialect has one, snsapi_login)': '授权范围的选择（微信格式只有 snsapi_login 这一个）',
  'a JWK set of the client': '客户端的 JWK 集',
  'pushed requests as a requirement': '“必须推送请求”',
  'signed requests as a requirement': '“请求必须签名”',
  'PKCE as a choice': '“PKCE 可选”',
  'DPoP as a requirement': '“必须使用 DPoP”',
  'a certificate as a requirement': '“必须使用证书”',
  'the device flow': '设备流程',
  'the age of a sign-in ({setting:defaultMaxAge})': '登录的最长时间（{setting:defaultMaxAge}）',
  'an algorithm of ID tokens': 'ID 令牌的算法',
  'a secret at refresh as a choice (the oauth dialect always requires authentication)':
    '“刷新时须提供密钥”（oauth 格式始终要求验证客户端身份）',
  'state as a requirement': '“必须提供 state”',
  'openid as a requirement': '“必须提供 openid”',
  'JSON answers as a choice (the oauth dialect always answers in JSON)': '“以 JSON 应答”（oauth 格式始终以 JSON 应答）',
  'a style sheet of the site': '网站自己的样式表',

  // Names, unions and scopes.
  'the name {problem}': '名称{problem}',
  'is longer than {max} characters': '超过了 {max} 个字符',
  'holds control or invisible characters': '含有控制字符或不可见字符',
  'the name is empty': '名称为空',
  "the name may hold letters, digits, spaces and . , ' & ( ) + ! _ - only":
    "名称只能包含文字、数字、空格和 . , ' & ( ) + ! _ -",
  'the name holds invisible characters': '名称含有不可见字符',
  'the name mixes scripts': '名称混用了多种文字',
  'a union name has 1 to 64 letters, digits or . _ -': 'union 的名称由 1 到 64 个字母、数字或 . _ - 组成',
  'the scope "{scope}" does not exist; there are {known}': '没有名为“{scope}”的授权范围；现有：{known}',
  'the scopes must hold openid': '授权范围中必须有 openid',

  // Addresses.
  'redirect URI "{uri}"': '回调地址“{uri}”',
  'post-logout redirect URI "{uri}"': '退出后的回调地址“{uri}”',
  'back-channel logout URI "{uri}"': '后端退出通知地址“{uri}”',
  'embed origin "{origin}"': '嵌入来源“{origin}”',
  'callback domain "{domain}"': '回调域名“{domain}”',
  '{name} must be https': '{name}必须使用 https',
  '{name} must use the port of https, 443': '{name}必须使用 https 的端口 443',
  '{name} must be at most 2000 printable ASCII characters': '{name}最多 2000 个字符，且只能是可打印的 ASCII 字符',
  '{name} is not an absolute URL': '{name}不是完整的网址',
  '{name} holds a wildcard or a character that must be percent-encoded': '{name}含有通配符或须做百分号编码的字符',
  '{name} may have a hash route such as #/login, and no other fragment':
    '{name}可以带 #/login 这样的哈希路由，不能带其他片段',
  '{name} must not have a fragment': '{name}不能带片段（# 及其后的内容）',
  '{name} must not hold a user name': '{name}不能包含用户名',
  '{name} must not hold . or .. segments': '{name}的路径中不能有 . 或 ..',
  '{name} must not hold an encoded slash or dot': '{name}不能包含经过编码的斜杠或点',
  '{name} must not use the query key "{key}": it belongs to the answer':
    '{name}的查询参数不能使用“{key}”：它留给应答使用',
  '{name} must write its host plainly: letters, digits, dots and hyphens':
    '{name}的主机名必须直接写明：只用字母、数字、点和连字符',
  '{name} must be https; plain http of a native app is for 127.0.0.1, [::1] and localhost':
    '{name}必须使用 https；原生应用只有在 127.0.0.1、[::1] 和 localhost 上才能用 http',
  '{name}: plain http on this machine needs a native app ({setting:applicationType} native) or demo mode (DEMO=on); else use https':
    '{name}：只有原生应用（{setting:applicationType} native）或演示模式（DEMO=on）才能在本机使用 http；否则请使用 https',
  '{name} must be plain http: nobody has a certificate for this machine': '{name}必须使用 http：没有人能取得本机的证书',
  '{name} must be https, or of a scheme made of your domain backwards, with one slash: com.example.app:/callback':
    '{name}必须使用 https，或使用由您的域名倒写而成的协议，后面只有一个斜杠：com.example.app:/callback',
  '{name} must use a host name, not an address': '{name}必须使用主机名，不能使用 IP 地址',
  '{name} must not end its host with a dot': '{name}的主机名不能以点结尾',
  '{name} must write its host in lower case, without a default port': '{name}的主机名必须小写，且不写默认端口',
  '{name} must use a full host name': '{name}必须使用完整的主机名',
  '{name} must be exactly scheme://host[:port], such as https://shop.example':
    '{name}必须正好是“协议://主机[:端口]”，例如 https://shop.example',
  '{name} must not hold a wildcard': '{name}不能包含通配符',
  '{name} must be a bare lower-case host name such as shop.example, without scheme, port or path':
    '{name}必须只是小写的主机名，例如 shop.example，不带协议、端口和路径',
  'at least one redirect URI is needed': '至少需要一个回调地址',

  // Keys.
  'key {number} of the JWK set is a {kind} key: {mend}': 'JWK 集中的第 {number} 个密钥是{kind}：{mend}',
  symmetric: '对称密钥',
  private: '私钥',
  'use an RSA, EC or OKP key': '请使用 RSA、EC 或 OKP 密钥',
  'paste the public part only, and make a new key if anybody else may have read this one':
    '请只粘贴公钥部分；如果它可能已被他人看到，请重新生成密钥',
  'the JWK set must hold 1 to {most} keys': 'JWK 集必须包含 1 到 {most} 个密钥',
  'the JWK set must be at most {most} characters long': 'JWK 集最长 {most} 个字符',
  'two keys of the JWK set have the same kid': 'JWK 集中有两个密钥的 kid 相同',
  'key {number} of the JWK set {problem}': 'JWK 集中的第 {number} 个密钥{problem}',
  'must be RSA, EC on P-256, or OKP on Ed25519': '必须是 RSA、P-256 上的 EC 或 Ed25519 上的 OKP',
  'must have a kid of 1 to 200 printable ASCII characters, or none':
    '的 kid 必须是 1 到 200 个可打印的 ASCII 字符，也可以不写',
  'must have the alg {algorithms}': '的 alg 必须是 {algorithms}',
  'must have the alg {algorithms}, or none': '的 alg 必须是 {algorithms}，也可以不写',
  'is not for signatures; leave it out: nothing here is encrypted': '不是用于签名的；请去掉它：这里不加密任何内容',
  'must have {members}, in base64url': '必须有 base64url 编码的 {members}',
  'is no key: its numbers do not fit together': '无效：其中的数值互不相符',
  'must have 2048 to 4096 bits; it has {bits}': '必须是 2048 到 4096 位；它是 {bits} 位',
  'must have a public exponent such as 65537 (AQAB)': '的公开指数必须是 65537（AQAB）这样的数',

  // What does not go together, and what has moved on.
  'a wechat client always has a secret': '微信格式的客户端始终要有密钥',
  'private_key_jwt needs the public keys of the client: name them with {setting:clientKeys}':
    'private_key_jwt 需要客户端的公钥：请在“{setting:clientKeys}”中给出',
  'signed requests need the public keys of the client: name them with {setting:clientKeys}':
    '签名的请求需要客户端的公钥：请在“{setting:clientKeys}”中给出',
  '{setting:pkceOptional} is for web clients with a secret or a key: nothing else would protect the codes of this one':
    '“{setting:pkceOptional}”只用于有客户端密钥或自己的公私钥的网站客户端：否则没有什么能保护这个客户端的授权码',
  'tokens are bound to a key (DPoP) or to a certificate (mTLS), not to both':
    '令牌只能绑定到私钥（DPoP）或证书（mTLS）之一，不能同时绑定',
  'with another union every person gets another unionid at this client; a site that knows people by it loses them. If that is meant, say {setting:newUnionids}':
    '换了 union，每个用户在这个客户端的 unionid 都会改变；以它识别用户的网站将认不出他们。如果确实要这样，请指定“{setting:newUnionids}”',
  'a public client has no secret; change {setting:authMethod} first':
    '公开客户端没有密钥；请先修改“{setting:authMethod}”',
  'the client authenticates with its own key and has no secret; change {setting:clientKeys}, or {setting:authMethod} first':
    '该客户端用自己的公私钥验证身份，没有客户端密钥；请修改“{setting:clientKeys}”，或先修改“{setting:authMethod}”',
  'the client id is taken': '这个客户端 ID 已被占用',
  'there is no client "{id}"; "clients list" shows all of them':
    '没有客户端“{id}”；可在命令行用“clients list”查看全部客户端',
  'the client was changed by somebody else meanwhile; try again': '该客户端在此期间已被他人修改；请重试',
  'only a disabled client can be deleted: disable it first': '只能删除已停用的客户端：请先停用它',

  // Whether a redirect URI would be let in.
  'it is registered, to the last character': '它已登记，逐字一致',
  'a native app may use any port of its loopback address': '原生应用可以使用本机回环地址的任何端口',
  'any address on the callback domain {domain} is accepted': '回调域名 {domain} 上的任何地址都会被接受',
  'it is not an absolute URL': '它不是完整的网址',
  'on the callback domain an address is https, without port, user name and fragment, and without a query key of the answer':
    '回调域名上的地址必须是 https，不带端口、用户名和片段，查询参数中也不能有应答所用的键',
  'no redirect URI is registered': '没有登记任何回调地址',
  'no redirect URI on this host is registered': '该主机上没有已登记的回调地址',
  'it is written in another way than {known}': '它与 {known} 的写法不同',
  '{part} is another one than in {known}': '{part}与 {known} 中的不同',
  'the host': '主机',
  'the scheme': '协议',
  'the port': '端口',
  'the path': '路径',
  'the query': '查询参数',
  'the fragment': '片段',

  // What an administrator should know.
  'the wechat dialect puts the secret and tokens in query strings: keep them out of your proxy logs':
    '微信格式把密钥和令牌放在查询参数中：请不要让它们进入代理服务器的日志',
  'requests without state are accepted, as in WeChat: a site that sends none can be signed in to a stranger':
    '与微信一样，接受不带 state 的请求：不发送 state 的网站，可能让用户登录到陌生人的账号',
  'tokens are refreshed without the secret, as in WeChat: a leaked refresh token is enough for 30 days':
    '与微信一样，刷新令牌时不需要密钥：泄露的刷新令牌在 30 天内都可以使用',
  'a callback domain accepts any address on {domain}: exact redirect URIs are safer':
    '回调域名会接受 {domain} 上的任何地址：登记完整的回调地址更安全',
  'with the device flow, a person may be talked into entering a code that somebody else has on a screen: use it for devices without a browser only':
    '使用设备流程时，用户可能被诱骗输入他人屏幕上的代码：请只用于没有浏览器的设备',
  "the site's own style sheet is loaded for our name and the status words; it reaches neither the QR code nor the site's name nor the number":
    '会为本服务的名称和状态文字加载网站自己的样式表；它影响不到二维码、网站名称和数字',
  'requests without PKCE are accepted: a code that leaks from the browser is protected by the secret of the client alone':
    '接受不带 PKCE 的请求：从浏览器泄露的授权码只靠客户端的密钥保护',
  "without the match code, a person who is shown somebody else's QR code is one tap from letting them in":
    '关闭了两位数字的核对：用户看到的若是他人的二维码，只需一点就会让对方登录',
  '{origin} may not frame the QR page; name it with {setting:embedOrigins} if it should':
    '{origin} 不能嵌入二维码页面；如果应当可以，请在“{setting:embedOrigins}”中列出它',
  '{origin} may frame the QR page though no address of the client is there; name all that should with {setting:embedOrigins}':
    '{origin} 可以嵌入二维码页面，但客户端没有地址在那里；请在“{setting:embedOrigins}”中列出所有应当可以的来源',
  'the secret that was to work until {end} is refused from now on': '原本可用到 {end} 的密钥从现在起不再接受',
  'the old secret was sent in a query string on {exposedAt} and is accepted until {expiresAt}: exposed; rotating once more ends it at once':
    '旧密钥曾于 {exposedAt} 出现在查询参数中，且在 {expiresAt} 之前仍被接受：它已暴露；再更换一次可使它立即失效',
  'the secret was sent in a query string on {exposedAt}, where logs keep it: exposed, give the client a new one':
    '密钥曾于 {exposedAt} 出现在查询参数中，会留在日志里：它已暴露，请更换',

  // Passkeys.
  'the passkey was not accepted: try again': '此通行密钥未被接受，请重试',
  'this passkey is registered already': '此通行密钥已经添加过',
  'there is no passkey yet': '还没有通行密钥',
  'this is the last one: add another before you remove it': '这是最后一个通行密钥：请先添加另一个，再移除它',
  'passkeys need https on a host name, or localhost': '通行密钥需要带域名的 https 地址，或 localhost',
  'an administrator has {most} passkeys at most: remove one that is not used':
    '每位管理员最多有 {most} 个通行密钥：请先移除不再使用的',
};
