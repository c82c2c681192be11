/** Every call of the administration API in words: what its OpenAPI document is made of. */
import type { Answer, Operation } from '../openapi.js';

/** Names of schemas; openapi.ts knows them. */
export type SchemaName =
  | 'NewClient'
  | 'ClientChange'
  | 'Rotation'
  | 'RedirectUri'
  | 'Nothing'
  | 'Client'
  | 'Clients'
  | 'ClientWithSecret'
  | 'ChangedClient'
  | 'RedirectCheck'
  | 'Error';

export type AdminOperation = Operation<SchemaName, 'reader' | 'writer' | 'anyone'>;

const problem = (description: string): Answer<SchemaName> => ({ description, schema: 'Error' });

const UNKNOWN = problem('There is no such client.');
const ASKING = {
  401: problem('not_signed_in: no token, or one that is over or revoked; no session, or one that is over.'),
  503: { ...problem('The database is away for a moment.'), retryAfter: true as const },
};
const CHANGING = {
  ...ASKING,
  403: problem('forbidden: the token may only read. For a session also step_up_required, passkey_required.'),
  413: problem('More than 64 KiB.'),
  415: problem('Not application/json.'),
};
const WRONG = problem('Everything that is wrong with it, in one sentence each.');

export const OPERATIONS: readonly AdminOperation[] = [
  {
    method: 'get',
    path: '/admin/api/openapi.json',
    id: 'describe',
    summary: 'This document',
    description: 'For everybody: it says nothing that the source does not.',
    by: 'anyone',
    answers: { 200: { description: 'OpenAPI 3.1.', type: 'application/json' } },
  },
  {
    method: 'get',
    path: '/admin/api/clients',
    id: 'listClients',
    summary: 'All clients',
    description: 'The oldest first.',
    by: 'reader',
    answers: { 200: { description: 'All of them, whole.', schema: 'Clients' }, ...ASKING },
  },
  {
    method: 'post',
    path: '/admin/api/clients',
    id: 'createClient',
    summary: 'Register a client',
    description: `What is not given is as with "clients create" on the command line. What is saved is what the server will
accept: a registration that would not work is refused.`,
    by: 'writer',
    body: 'NewClient',
    answers: {
      201: { description: 'Registered; its address is in Location.', schema: 'ClientWithSecret' },
      400: WRONG,
      ...CHANGING,
    },
  },
  {
    method: 'get',
    path: '/admin/api/clients/{id}',
    id: 'showClient',
    summary: 'One client',
    description: 'Its secret is never shown again.',
    by: 'reader',
    answers: { 200: { description: 'The client.', schema: 'Client' }, 404: UNKNOWN, ...ASKING },
  },
  {
    method: 'patch',
    path: '/admin/api/clients/{id}',
    id: 'updateClient',
    summary: 'Change a client',
    description: `Only what is named changes; a list is replaced whole; null takes a setting away (RFC 7396). Whoever begins to
authenticate with a secret gets a new one; whoever begins to do so with a key has no secret any more.`,
    by: 'writer',
    body: 'ClientChange',
    answers: {
      200: { description: 'The client as it is now.', schema: 'ChangedClient' },
      400: WRONG,
      404: UNKNOWN,
      409: problem('The client is another by now than the given revision.'),
      ...CHANGING,
    },
  },
  {
    method: 'delete',
    path: '/admin/api/clients/{id}',
    id: 'deleteClient',
    summary: 'Delete a disabled client',
    description: 'Gone for ever. No other client is ever given its id.',
    by: 'writer',
    answers: {
      204: { description: 'Gone.' },
      404: UNKNOWN,
      409: problem('It is not disabled.'),
      ...CHANGING,
    },
  },
  turning('disable', 'Refuse a client everywhere', 'From the next request on, with every token it holds.'),
  turning('enable', 'Let a disabled client in again', 'Tokens that have not run out meanwhile work again.'),
  {
    method: 'post',
    path: '/admin/api/clients/{id}/rotate-secret',
    id: 'rotateClientSecret',
    summary: 'Give a client a new secret',
    description: 'The one before it is accepted until the grace is over. At most two are accepted at a time.',
    by: 'writer',
    body: 'Rotation',
    answers: {
      200: { description: 'The client, with the new secret.', schema: 'ClientWithSecret' },
      400: WRONG,
      404: UNKNOWN,
      409: problem('The client was changed meanwhile: try again.'),
      ...CHANGING,
    },
  },
  {
    method: 'post',
    path: '/admin/api/clients/{id}/check-redirect-uri',
    id: 'checkRedirectUri',
    summary: 'Try a redirect URI',
    description: 'Whether a request with it would be let in, and why. Nothing changes.',
    by: 'reader',
    body: 'RedirectUri',
    answers: {
      200: { description: 'The answer.', schema: 'RedirectCheck' },
      400: WRONG,
      404: UNKNOWN,
      413: CHANGING[413],
      415: CHANGING[415],
      ...ASKING,
    },
  },
];

function turning(verb: 'disable' | 'enable', summary: string, description: string): AdminOperation {
  return {
    method: 'post',
    path: `/admin/api/clients/{id}/${verb}`,
    id: `${verb}Client`,
    summary,
    description,
    by: 'writer',
    body: 'Nothing',
    answers: { 200: { description: 'The client as it is now.', schema: 'Client' }, 404: UNKNOWN, ...CHANGING },
  };
}
