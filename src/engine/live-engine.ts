/** The engine with the keys of now: a new one takes the place of the old whenever the keys change. */
import type { Provider } from 'oidc-provider';
import type { KeyRing } from '../key/key-ring.js';
import type { ServerKeys } from '../key/server-keys.js';

export interface LiveEngine {
  /** The one that answers requests from now on; a request that has begun ends on the one it began with. */
  provider(): Provider;
}

/** Modules that only use the models may keep the first engine: every engine reads and writes the same rows. */
export function createLiveEngine(
  make: (keys: ServerKeys) => Provider,
  ring: Pick<KeyRing, 'current' | 'onChange'>,
): LiveEngine {
  const first = build(make, ring.current());
  let provider = first;
  ring.onChange((keys) => {
    const next = build(make, keys);
    provider = next;
    // Whoever keeps the first one reads browsers' cookies with it.
    first.keys = [...keys.cookies];
  });
  return { provider: () => provider };
}

/** The engine hangs the private key that it does not like on its error. */
function build(make: (keys: ServerKeys) => Provider, keys: ServerKeys): Provider {
  try {
    return make(keys);
  } catch (error) {
    const { message } = error as Error;
    throw new Error(`the engine does not take the keys: ${message}`);
  }
}
