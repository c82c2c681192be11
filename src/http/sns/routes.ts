/** The WeChat API: access_token, refresh_token, auth, userinfo (wire format 4.2 to 4.5). */
import type { Client } from '../../client/client.js';
import { secretMatches } from '../../client/client-secret.js';
import type { ClientService } from '../../client/client-service.js';
import type { Exchange, TokenOwner, Tokens } from '../../engine/exchange.js';
import { pictureUrl } from '../../engine/subjects.js';
import { AppError } from '../../error.js';
import type { Logger } from '../../log.js';
import type { Limit } from '../../rate-limit.js';
import { noteExposed, secretsIn } from '../middleware/query-secrets.js';
import { guessesFrom } from '../middleware/secret-guesses.js';
import { countryName } from './country-name.js';
import { required, type WechatCall, wechatCall } from './dialect.js';
import { WechatError } from './errcode.js';

export interface SnsDeps {
  publicUrl: string;
  clients: ClientService;
  exchange: Exchange;
  /** Counts wrong secrets by client and address (T56). */
  secretGuesses: Limit;
  log: Logger;
}

/** /sns/oauth2/access_token. Checks in the wire format's order: appid, secret, grant_type, code. */
export function accessToken(deps: SnsDeps) {
  return wechatCall(deps.log, async (call) => {
    const client = await wechatClient(deps, call);
    await checkSecret(deps, client, call);
    if (call.parameters.get('grant_type') !== 'authorization_code') throw new WechatError(40002);
    const code = required(call, 'code', 41008);
    const tokens = await deps.exchange.exchangeCode(client, code, call.parameters.get('code_verifier'));
    return { ...tokenAnswer(tokens), unionid: tokens.unionid };
  });
}

/** /sns/oauth2/refresh_token. Needs no secret unless the client's registration says so (T95). */
export function refreshToken(deps: SnsDeps) {
  return wechatCall(deps.log, async (call) => {
    const client = await wechatClient(deps, call);
    if (client.refreshRequiresSecret) await checkSecret(deps, client, call);
    if (call.parameters.get('grant_type') !== 'refresh_token') throw new WechatError(40002);
    return tokenAnswer(await deps.exchange.refresh(client, required(call, 'refresh_token', 41003)));
  });
}

/** /sns/auth: is this token good for this openid? */
export function auth(deps: SnsDeps) {
  return wechatCall(deps.log, async (call) => {
    await owner(deps, call);
    return { errcode: 0, errmsg: 'ok' };
  });
}

/** /sns/userinfo. `lang` chooses the language of the country's name; what it does not know is no error. */
export function userinfo(deps: SnsDeps) {
  return wechatCall(deps.log, async (call) => {
    const { account, openid, unionid } = await owner(deps, call);
    return {
      openid,
      nickname: account.nickname,
      sex: account.sex,
      language: account.locale?.replace('-', '_') ?? '',
      city: account.city,
      province: account.province,
      country: countryName(account.country, call.parameters.get('lang')),
      headimgurl: pictureUrl(deps.publicUrl, account),
      privilege: [],
      unionid,
    };
  });
}

async function wechatClient(deps: SnsDeps, call: WechatCall): Promise<Client> {
  const client = await deps.clients.find(required(call, 'appid', 41002));
  // A client of the other dialect does not exist here (T93); its secret has no business in a query string (T55).
  if (client?.dialect !== 'wechat') {
    if (client) await noteExposed(deps, call.requestId, client.id, secretsIn(call.query));
    throw new WechatError(40013);
  }
  call.client = client;
  if (client.disabled) throw new WechatError(48004);
  return client;
}

/** Past the limit even the right secret is not looked at, so that guessing tells nothing (T56). */
async function checkSecret(deps: SnsDeps, client: Client, call: WechatCall): Promise<void> {
  const secret = required(call, 'secret', 41004);
  const guesses = guessesFrom(deps.secretGuesses, call.address);
  await guesses.check(client.id).catch((error: unknown) => {
    throw error instanceof AppError && error.code === 'too_many_requests' ? new WechatError(45011) : error;
  });
  if (secretMatches(client.secrets, secret)) return;
  await guesses.count(client.id);
  throw new WechatError(40125);
}

async function owner(deps: SnsDeps, call: WechatCall): Promise<TokenOwner> {
  const found = await deps.exchange.whose(required(call, 'access_token', 41001), (client) => {
    call.client = client;
  });
  if (!found.scope.split(' ').includes('snsapi_login')) throw new WechatError(48001);
  checkOpenid(found, call.parameters.get('openid'));
  return found;
}

/**
 * Missing or garbled: the token decides, as Casdoor needs it, unless the registration asks for an openid. A well-formed
 * one must be the token's own in either case.
 */
function checkOpenid({ client, openid }: TokenOwner, asked: string | undefined): void {
  if (asked === openid) return;
  if (asked && /^o[\w-]{27}$/.test(asked)) throw new WechatError(40003);
  if (client.openidRequired) throw new WechatError(asked ? 40003 : 41009);
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
