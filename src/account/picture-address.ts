/** Where every picture is served, drawn or uploaded: its path and the sizes it comes in. */
import type { Account } from './account.js';

/** WeChat's picture sizes by last path segment; 0 is the largest, 640. */
export const PICTURE_SIZES: ReadonlyMap<string, number> = new Map([
  ['0', 640],
  ['46', 46],
  ['64', 64],
  ['96', 96],
  ['132', 132],
]);

/** Below PUBLIC_URL, at the size everyone is told of; whoever wants another replaces the last segment. */
export function picturePath(account: Account): string {
  return `/picture/${account.picture}/132`;
}
