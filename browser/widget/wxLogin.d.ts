// Types of the global that wxLogin.js defines, for sites written in TypeScript. The server hands this file out at
// /js/wxLogin.d.ts: keep a copy among the files your tsconfig includes, and `new WxLogin({ … })` is checked.

export interface WxLoginOptions {
  /** Id of the container; its content is replaced. */
  id: string;
  appid: string;
  /** `snsapi_login` */
  scope: string;
  /** Already percent-encoded by the caller. */
  redirect_uri: string;
  /** Already percent-encoded by the caller. Left out, the site gets the text `undefined` back. */
  state?: string;
  /** `true`: the frame navigates; `false`: the top window; anything else: the page decides. */
  self_redirect?: boolean | 'default';
  style?: 'black' | 'white' | '';
  href?: string;
  /** The compact layout, only for the number 1. */
  stylelite?: 0 | 1;
  fast_login?: 0 | 1;
  lang?: 'cn' | 'en';
  styletype?: string;
  sizetype?: string;
  bgcolor?: string;
  rst?: string;
  color_scheme?: 'auto' | 'dark' | 'light';
  /** Called with `true` once the QR code is shown. */
  onReady?: (ready: true) => void;
  /** Put here by the script when `onReady` is given; removes its listener. */
  onCleanup?: () => void;
}

declare global {
  interface Window {
    WxLogin: {
      new (options: WxLoginOptions): object;
      (options: WxLoginOptions): void;
    };
  }
  const WxLogin: Window['WxLogin'];
}
