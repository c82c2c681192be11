// Moves the right window to the site, without a new history entry, and notices when the browser would not let it.
import { isFramed } from './parent.js';

/** Long on purpose: a slow site is still working on the first visit, and a second one would bring it a used code. */
const STILL_HERE = 15_000;

export function leaveFor(url: string, navigate: 'top' | 'self' | 'parent' | 'opener', onBlocked: () => void): void {
  setTimeout(onBlocked, STILL_HERE);
  try {
    if (isFramed && navigate === 'self') replaceSelfOrTop(url);
    else if (isFramed) topWindow().location.replace(url);
    else window.location.replace(url);
  } catch {
    onBlocked();
  }
}

/** The page that opened our window closes it; when that page has gone, this window goes to the site itself. */
const CLOSED_BY_THEN = 3_000;

export function leaveUnlessClosed(continueUrl: string): void {
  setTimeout(() => window.location.replace(continueUrl), CLOSED_BY_THEN);
}

function replaceSelfOrTop(url: string): void {
  try {
    window.location.replace(url);
  } catch {
    topWindow().location.replace(url);
  }
}

function topWindow(): Window {
  return window.top ?? window;
}
