/**
 * A client's request given to the engine from inside this process, as if the client had pushed it (RFC 9126): who it is,
 * the replay of its proof and every field are the engine's to check, the same as at its own endpoint.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import inject from 'light-my-request';
import { newSecret } from '../secret.js';
import type { SecretGuesses } from './client-authentication.js';

type EngineHandler = (req: IncomingMessage, res: ServerResponse, guesses: SecretGuesses) => Promise<void>;

/** How the caller proves who it is, besides what stands in the form. */
export interface Caller {
  readonly authorization: string | undefined;
  readonly guesses: SecretGuesses;
  /** Sees the engine's own request before the engine does. */
  readonly note: (req: IncomingMessage) => void;
}

/** The engine's answer to a client that it refuses, to be handed on. */
export class ClientRefused extends Error {
  constructor(
    readonly status: number,
    readonly headers: Readonly<Record<string, string>>,
    readonly body: { readonly error: string; readonly error_description?: string },
  ) {
    super(body.error);
    this.name = 'ClientRefused';
  }
}

export interface PushedRequests {
  /** The `request_uri` under which the engine keeps the request now. Throws ClientRefused. */
  push(form: URLSearchParams, caller: Caller): Promise<string>;
  /** Throws ClientRefused unless this is the client that the form names. */
  authenticate(form: URLSearchParams, caller: Caller): Promise<void>;
}

/** What of a refusal's headers is for the client (RFC 6749 5.2, RFC 9110 10.2.3). */
const HANDED_ON = ['www-authenticate', 'retry-after'] as const;

export function createPushedRequests(handle: EngineHandler): PushedRequests {
  const post = async (url: string, form: URLSearchParams, { authorization, guesses, note }: Caller) => {
    const answer = await inject(
      (req, res) => {
        note(req as unknown as IncomingMessage);
        void handle(req as unknown as IncomingMessage, res as unknown as ServerResponse, guesses);
      },
      {
        method: 'POST',
        url,
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          ...(authorization === undefined ? {} : { authorization }),
        },
        payload: form.toString(),
      },
    );
    if (answer.statusCode < 300) return answer.body;
    const headers = HANDED_ON.flatMap((name) => {
      const value = answer.headers[name];
      return value === undefined ? [] : [[name, String(value)]];
    });
    const { error, error_description } = JSON.parse(answer.body) as ClientRefused['body'];
    throw new ClientRefused(answer.statusCode, Object.fromEntries(headers), { error, error_description });
  };
  return {
    async push(form, caller) {
      const { request_uri: uri } = JSON.parse(await post('/oauth/par', form, caller)) as { request_uri: string };
      return uri;
    },
    async authenticate(form, caller) {
      // The engine authenticates nobody for its own sake. Revoking a token that nobody has is no more than that: it is
      // answered 200, whatever was sent, to a client that is who it says (RFC 7009 2.2).
      form.set('token', newSecret());
      await post('/oauth/revoke', form, caller);
    },
  };
}
