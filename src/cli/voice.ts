/** How the command line says things: in English, and a setting of a client is an option. */
import { ALL_SETTINGS } from '../client/client-settings.js';
import { type Saying, say, type Voice } from '../saying.js';

/** What else can be said of a client. */
const OTHERS: Readonly<Record<string, string>> = { applicationType: 'type', newUnionids: 'new-unionids' };

const VOICE: Voice = {
  nameOfSetting: (name) => `--${ALL_SETTINGS.find(({ field }) => field === name)?.option ?? OTHERS[name] ?? name}`,
};

export function tell(one: Saying): string {
  return say(one, VOICE);
}
