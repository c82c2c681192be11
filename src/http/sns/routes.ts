/** The WeChat API: access_token, refresh_token, auth, userinfo (wire format 4.2 to 4.5). */
import type { Client } from '../../client/client.js';
import { type ClientService, secretMatches } from '../../client/client-service.js';
import type { Exchange, TokenOwner, Tokens } from '../../engine/exchange.js';
import { pictureUrl } from '../../engine/subjects.js';
import type { Logger } from '../../log.js';
import { required, type WechatParameters, wechatCall } from './dialect.js';
import { WechatError } from './errcode.js';

export interface SnsDeps {
  publicUrl: string;
  clients: ClientService;
  exchange: Exchange;
  log: Logger;
}

/** /sns/oauth2/access_token. Checks in the wire format's order: appid, secret, grant_type, code. */
export function accessToken(deps: SnsDeps) {
  return wechatCall(deps.log, async (p) => {
    const client = await wechatClient(deps, p);
    const secret = required(p, 'secret', 41004);
    if (!secretMatches(client, secret)) throw new WechatError(40125);
    if (p.get('grant_type') !== 'authorization_code') throw new WechatError(40002);
    const tokens = await deps.exchange.exchangeCode(client, required(p, 'code', 41008), p.get('code_verifier'));
    return { ...tokenAnswer(tokens), unionid: tokens.unionid };
  });
}

/** /sns/oauth2/refresh_token. Needs no secret unless the client's registration says so (T95). */
export function refreshToken(deps: SnsDeps) {
  return wechatCall(deps.log, async (p) => {
    const client = await wechatClient(deps, p);
    if (client.refreshRequiresSecret && !secretMatches(client, required(p, 'secret', 41004)))
      throw new WechatError(40125);
    if (p.get('grant_type') !== 'refresh_token') throw new WechatError(40002);
    return tokenAnswer(await deps.exchange.refresh(client, required(p, 'refresh_token', 41003)));
  });
}

/** /sns/auth: is this token good for this openid? */
export function auth(deps: SnsDeps) {
  return wechatCall(deps.log, async (p) => {
    await owner(deps, p);
    return { errcode: 0, errmsg: 'ok' };
  });
}

/** /sns/userinfo. */
export function userinfo(deps: SnsDeps) {
  return wechatCall(deps.log, async (p) => {
    const { account, openid, unionid } = await owner(deps, p);
    return {
      openid,
      nickname: account.nickname,
      sex: account.sex,
      language: account.locale?.replace('-', '_') ?? '',
      city: account.city,
      province: account.province,
      country: account.country,
      headimgurl: pictureUrl(deps.publicUrl, account),
      privilege: [],
      unionid,
    };
  });
}

async function wechatClient(deps: SnsDeps, p: WechatParameters): Promise<Client> {
  const client = await deps.clients.active(required(p, 'appid', 41002));
  // A client of the other dialect does not exist here (T93).
  if (client?.dialect !== 'wechat') throw new WechatError(40013);
  return client;
}

async function owner(deps: SnsDeps, p: WechatParameters): Promise<TokenOwner> {
  const found = await deps.exchange.whose(required(p, 'access_token', 41001));
  if (!found.scope.split(' ').includes('snsapi_login')) throw new WechatError(48001);
  const asked = p.get('openid');
  // Missing or garbled: the token decides, as Casdoor needs it. A well-formed one must be the token's own.
  if (asked !== undefined && /^o[\w-]{27}$/.test(asked) && asked !== found.openid) throw new WechatError(40003);
  return found;
}

function tokenAnswer(tokens: Tokens) {
  return {
    access_token: tokens.accessToken,
    expires_in: tokens.expiresIn,
    refresh_token: tokens.refreshToken,
    openid: tokens.openid,
    scope: tokens.scope,
  };
}
