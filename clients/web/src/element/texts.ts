// The few words the element itself shows, in both languages; here and not in locales/, because the package stands alone.
import { pageLanguage } from './request-url.js';

interface Words {
  readonly frameTitle: string;
  readonly signIn: string;
  readonly qrCode: string;
}

const TEXTS: Record<'zh-CN' | 'en', Words> = {
  en: { frameTitle: 'Sign in by QR code', signIn: 'Sign in with your phone', qrCode: 'QR code to sign in' },
  'zh-CN': { frameTitle: '扫码登录', signIn: '用手机登录', qrCode: '登录二维码' },
};

/** In `lang`, else in the page's language, else in the browser's. */
export function elementText(key: keyof Words, lang: string | null): string {
  const wanted = lang || document.documentElement.lang || navigator.language;
  return TEXTS[pageLanguage(wanted) ?? 'en'][key];
}
