/** The two wire formats a client may speak, and the scopes of each. */
export type Dialect = 'oauth' | 'wechat';

/** Every scope of ours that a client of each dialect may be registered for; resource servers have their own. */
export const SCOPES_OF: Readonly<Record<Dialect, readonly string[]>> = {
  oauth: ['openid', 'profile', 'offline_access', 'unionid'],
  wechat: ['snsapi_login'],
};
