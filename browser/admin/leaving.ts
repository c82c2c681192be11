// Asks whoever is about to leave with something that would be lost: by a link, by the other language too, by going back.

/** `wouldLose` is asked at the last moment. */
export function askBeforeLeaving(wouldLose: () => boolean): void {
  addEventListener('beforeunload', (event) => {
    if (wouldLose()) event.preventDefault();
  });
}
