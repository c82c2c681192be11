/** `clients check-redirect-uri`. */
import type { Command } from './command.js';
import { tell } from './voice.js';

export const checkRedirectUri: Command = {
  usage:
    'clients check-redirect-uri <id> --redirect-uri U [--json]\n\n' +
    'Put it into quotes: a shell would cut it at an "&". The exit status is 0 either way; the JSON has "allowed".',
  summary: 'say whether a redirect URI of a site or an app would be accepted, and why',
  options: { id: { type: 'string' }, 'redirect-uri': { type: 'string' } },
  positional: 'id',
  prepare(options) {
    const id = options.required('id');
    const uri = options.required('redirect-uri');
    return async ({ clients }) => {
      const check = await clients.checkRedirectUri(id, uri);
      const [allowed, reason] = [check.allowed, tell(check.reason)];
      return { json: { allowed, reason }, text: `${allowed ? 'Accepted' : 'Refused'}: ${reason}.` };
    };
  },
};
