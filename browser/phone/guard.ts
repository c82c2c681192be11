// Tells when a person can really have seen the page: visible and focused for 800 ms without a break (threat T17).

const LOOKING_TIME = 800;

/** Calls back with true once the page has been looked at long enough, and with false whenever that ends. */
export function whenLookedAt(onChange: (looked: boolean) => void): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const update = () => {
    clearTimeout(timer);
    onChange(false);
    if (document.visibilityState !== 'visible' || !document.hasFocus()) return;
    timer = setTimeout(() => onChange(true), LOOKING_TIME);
  };
  document.addEventListener('visibilitychange', update);
  window.addEventListener('focus', update);
  window.addEventListener('blur', update);
  window.addEventListener('pageshow', update);
  update();
}

export function whenVisible(then: () => void): void {
  const check = () => {
    if (document.visibilityState !== 'visible') return;
    document.removeEventListener('visibilitychange', check);
    then();
  };
  document.addEventListener('visibilitychange', check);
  check();
}
