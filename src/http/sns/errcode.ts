/** The WeChat error table (wire format 5.2): errcode -> errmsg. */
export const ERRCODES = {
  [-1]: 'system error',
  40001: 'invalid credential, access_token is invalid or not latest',
  40002: 'invalid grant_type',
  40003: 'invalid openid',
  40013: 'invalid appid',
  40029: 'invalid code',
  40030: 'invalid refresh_token',
  40035: 'invalid parameter',
  40125: 'invalid appsecret',
  40163: 'code been used',
  41001: 'access_token missing',
  41002: 'appid missing',
  41003: 'refresh_token missing',
  41004: 'appsecret missing',
  41008: 'missing code',
  41009: 'missing openid',
  42001: 'access_token expired',
  42002: 'refresh_token expired',
  42007: 'user changed password, access_token and refresh_token invalid',
  45011: 'api minute-quota reach limit must slower retry next minute',
  48001: 'api unauthorized',
  48004: 'api forbidden for irregularities',
  50002: 'user limited',
} as const;

export type Errcode = keyof typeof ERRCODES;

/** An answer of the dialect that is not a success. */
export class WechatError extends Error {
  constructor(readonly errcode: Errcode) {
    super(ERRCODES[errcode]);
    this.name = 'WechatError';
  }
}
