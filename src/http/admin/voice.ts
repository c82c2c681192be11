/** How the console and its API say things: in the reader's language, and with the names of settings that they know. */
import type { Middleware } from 'koa';
import { ALL_SETTINGS } from '../../client/client-settings.js';
import { AppError } from '../../error.js';
import { type Saying, say, type Voice } from '../../saying.js';
import type { AppContext, RequestState } from '../context.js';
import { type Language, translator } from '../language.js';
import { SAYINGS_ZH } from './sayings-zh.js';

export function voiceFor(lang: Language, nameOfSetting: (field: string) => string = inJson): Voice {
  return { translate: lang === 'zh-CN' ? (text) => SAYINGS_ZH[text] : undefined, nameOfSetting };
}

/** For people at the console settings are called as on its pages; for programs, which name a token, as in JSON. */
export function sayTo(ctx: AppContext, what: Saying): string {
  const { lang, administrator } = ctx.state;
  const t = translator(lang);
  const onPages = (field: string) => t(ON_PAGES[field] ?? `client.${inJson(field)}.label`);
  return say(what, voiceFor(lang, administrator && ctx.get('Authorization') === '' ? onPages : undefined));
}

/** What is no setting and is named like one, by the key of its text. */
const ON_PAGES: Readonly<Record<string, string>> = {
  applicationType: 'console.type',
  newUnionids: 'console.newUnionids.label',
};

const JSON_NAMES = new Map<string, string>([
  ...ALL_SETTINGS.map(({ field, json }) => [field, json] as const),
  ['applicationType', 'application_type'],
  ['newUnionids', 'new_unionids'],
]);

function inJson(field: string): string {
  return JSON_NAMES.get(field) ?? field;
}

/** Refusals that say what is wrong say it in the reader's language. */
export const spoken: Middleware<RequestState> = async (ctx, next) => {
  try {
    await next();
  } catch (error) {
    if (!(error instanceof AppError) || !error.sayings) throw error;
    const problems = error.sayings.map((one) => sayTo(ctx, one));
    const message = problems.join(ctx.state.lang === 'zh-CN' ? '；' : '; ');
    throw new AppError(error.code, { message, problems, reason: error.reason, cause: error.cause });
  }
};
