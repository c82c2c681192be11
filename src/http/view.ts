/** Renders the pages: templates, translations, and the content security policy that goes with each. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import nunjucks from 'nunjucks';
import { newSecret } from '../secret.js';
import type { Assets } from './assets.js';
import { type Language, translator } from './language.js';

export interface Page {
  readonly html: string;
  readonly contentSecurityPolicy: string;
}

export interface PageOptions {
  lang: Language;
  /** Origins that may frame the page; none unless given. */
  frameAncestors?: readonly string[];
  /** Where a form's answer may lead besides to us: origins or schemes. */
  formTargets?: readonly string[];
  /** Where the page's script may connect to besides us. */
  connectTargets?: readonly string[];
  /** A style sheet that is not ours; pictures and fonts are then fetched from nowhere. */
  styleSource?: string;
  /** Read by the page's script. Gets `texts` added from views/page-texts.json. */
  data?: Record<string, unknown>;
  /** Which list of page-texts.json the script needs. */
  texts?: string;
}

export interface View {
  render(template: string, values: Record<string, unknown>, options: PageOptions): Page;
  /** The texts a script needs, translated. */
  texts(name: string, lang: Language): Record<string, string>;
}

export function createView(root: string, assets: Assets): View {
  const folder = join(root, 'views');
  const environment = new nunjucks.Environment(new nunjucks.FileSystemLoader(folder, { noCache: false }), {
    autoescape: true,
    throwOnUndefined: false,
  });
  const pageTexts = JSON.parse(readFileSync(join(folder, 'page-texts.json'), 'utf8')) as Record<string, string[]>;
  const texts = (name: string, lang: Language) => {
    const t = translator(lang);
    return Object.fromEntries((pageTexts[name] ?? []).map((key) => [key, t(key)]));
  };
  return {
    texts,
    render(template, values, options) {
      const nonce = newSecret(16);
      const data = { ...options.data, ...(options.texts ? { texts: texts(options.texts, options.lang) } : {}) };
      const html = environment.render(template, {
        ...values,
        t: translator(options.lang),
        lang: options.lang,
        nonce,
        asset: assets.url,
        pageDataJson: scriptSafeJson(data),
      });
      return { html, contentSecurityPolicy: policy(nonce, options) };
    },
  };
}

/** JSON that cannot end its script element or be read as anything but data. */
export function scriptSafeJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function policy(nonce: string, options: PageOptions): string {
  const { frameAncestors = [], formTargets = [], connectTargets = [], styleSource } = options;
  return [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src 'nonce-${nonce}'${styleSource ? ` ${styleSource}` : ''}`,
    ...(styleSource ? ['img-src data:', "font-src 'none'"] : ["img-src 'self' data:"]),
    ["connect-src 'self'", ...connectTargets].join(' '),
    ["form-action 'self'", ...formTargets].join(' '),
    "base-uri 'none'",
    `frame-ancestors ${frameAncestors.length > 0 ? frameAncestors.join(' ') : "'none'"}`,
  ].join('; ');
}
