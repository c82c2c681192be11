// The two ceremonies of a passkey: it is made, or it proves who is there. What went wrong comes back as the key of a text.
import { browserSupportsWebAuthn, startAuthentication, startRegistration } from '@simplewebauthn/browser';
import type { Answer } from '../shared/http.js';

type Send = (path: string, body: object) => Promise<Answer>;
type Ended = { answer: Answer } | { problem: string };

export const browserKnowsPasskeys = browserSupportsWebAuthn;

/** `path` takes the answer of the passkey; `path`/begin gives what it is asked. */
export async function showPasskey(path: string, send: Send): Promise<Ended> {
  return ceremony(path, send, {}, (optionsJSON) => startAuthentication({ optionsJSON: optionsJSON as never }));
}

export async function makePasskey(path: string, name: string, send: Send): Promise<Ended> {
  return ceremony(path, send, { name }, (optionsJSON) => startRegistration({ optionsJSON: optionsJSON as never }));
}

async function ceremony(
  path: string,
  send: Send,
  more: object,
  ask: (options: unknown) => Promise<object>,
): Promise<Ended> {
  const begun = await send(`${path}/begin`, {});
  if (begun.status !== 200) return { answer: begun };
  try {
    const response = await ask(begun.body.options);
    return { answer: await send(path, { ...more, response }) };
  } catch (error) {
    const name = error instanceof Error ? error.name : '';
    if (name === 'NotAllowedError' || name === 'AbortError') return { problem: 'passkey.cancelled' };
    return { problem: name === 'InvalidStateError' ? 'passkey.exists' : 'passkey.failed' };
  }
}
