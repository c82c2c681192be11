// Notices silence. Time in which this page itself stood still (frozen, throttled) is not held against the other side.

/** A timer this late was slept through: what came meanwhile is still in the queue behind it. */
const LATE = 2_000;

export class Watchdog {
  private readonly onSilence: () => void;
  private due = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(onSilence: () => void) {
    this.onSilence = onSilence;
  }

  /** Barks unless it is called again, or stopped, within this time. */
  expect(milliseconds: number): void {
    this.due = performance.now() + milliseconds;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.look(milliseconds), milliseconds);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  get isWaiting(): boolean {
    return this.timer !== undefined;
  }

  private look(milliseconds: number): void {
    this.timer = undefined;
    if (performance.now() - this.due > LATE) this.expect(Math.min(milliseconds, LATE));
    else this.onSilence();
  }
}
