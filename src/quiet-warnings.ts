/** Keeps one known warning from a new user's first screen. Imported before everything else, for its effect. */

/** The engine says this at import on Node 20, which its test suite and ours pass on; see engines in package.json. */
const KNOWN = 'oidc-provider WARNING: Unsupported runtime. Use Node.js v22.x LTS, or a later LTS release.';

const warn = console.warn;
console.warn = (...args: unknown[]): void => {
  // On a terminal the text comes wrapped in colour codes.
  if (args.length === 1 && typeof args[0] === 'string' && args[0].includes(KNOWN)) return;
  warn.apply(console, args);
};
