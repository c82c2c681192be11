// Starts the page over when its request has ended; a mark in the fragment keeps that from becoming a loop.

const MARK = '#again';

/** False when this page already is the result of such a reload: then a person has to ask. */
export function reloadOnce(): boolean {
  if (window.location.hash === MARK) return false;
  window.history.replaceState(null, '', MARK);
  window.location.reload();
  return true;
}

/** Somebody is really using the page, so a later end of its request may start it over again. */
export function allowReloadAgain(): void {
  if (window.location.hash !== MARK) return;
  window.history.replaceState(null, '', window.location.pathname + window.location.search);
}
