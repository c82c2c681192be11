/** `clients delete`. */
import type { Command } from './command.js';

export const deleteClient: Command = {
  usage: 'clients delete <id> [--json]\n\nOnly a disabled one. It is gone for ever, and its id is never given again.',
  summary: 'delete a disabled site or app for ever',
  options: { id: { type: 'string' } },
  positional: 'id',
  prepare(options) {
    const id = options.required('id');
    return async ({ clients }) => {
      await clients.delete('command line', id);
      return {
        json: { client_id: id, deleted: true },
        text: `"${id}" is gone for ever. Its id is never given again: a site that comes back is registered anew and gets another.`,
      };
    };
  },
};
