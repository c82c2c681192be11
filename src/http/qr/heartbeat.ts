/** A sign of life for every held connection, each 15 seconds, from one timer; and the end of those that do not take it. */

/** One held connection's: sends something small, or drops it if it does not take what was sent before. */
export type Beat = () => void;

export interface Heartbeat {
  /** Returns how to leave. */
  join(beat: Beat): () => void;
  readonly size: number;
}

/** Ten thousand at once would stop everything else for a moment: each second it is the turn of one part. */
const PARTS = 15;
const TURN_MS = 1000;

export function createHeartbeat(): Heartbeat {
  const parts = Array.from({ length: PARTS }, () => new Set<Beat>());
  let joined = 0;
  let members = 0;
  let turn = 0;
  let clock: NodeJS.Timeout | undefined;
  return {
    get size() {
      return members;
    },
    join(beat) {
      const part = parts[joined++ % PARTS] as Set<Beat>;
      part.add(beat);
      members += 1;
      clock ??= setInterval(() => {
        turn = (turn + 1) % PARTS;
        for (const each of parts[turn] as Set<Beat>) each();
      }, TURN_MS).unref();
      return () => {
        if (!part.delete(beat)) return;
        members -= 1;
        if (members > 0) return;
        clearInterval(clock);
        clock = undefined;
      };
    },
  };
}
