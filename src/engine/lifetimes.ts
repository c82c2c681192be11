/** How long what the engine makes lives, in seconds. Section "Fixed numbers" of docs/security.md. */
export const TTL = {
  code: 60,
  accessToken: 900,
  wechatAccessToken: 7200,
  refreshToken: 14 * 86_400,
  wechatRefreshToken: 30 * 86_400,
  idToken: 300,
  request: 900,
  pushedRequest: 60,
  deviceCode: 600,
  grant: 90 * 86_400,
  /** A remembered browser, since it was last used; any other is good for one request. */
  session: 14 * 86_400,
} as const;
