// The few words the widget itself shows; the build takes them from the locale files.

import { pageLanguage } from './request-url.js';

declare const __WIDGET_TEXTS__: Record<'zh-CN' | 'en', Record<string, string>>;

const texts = __WIDGET_TEXTS__;

export function widgetText(key: string, lang: string | null): string {
  const wanted = lang || document.documentElement.lang || navigator.language;
  return texts[pageLanguage(wanted) ?? 'en'][key] ?? key;
}
