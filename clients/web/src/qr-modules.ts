// Reads the `qr_svg` of the server into dark and light modules: one known form, to the letter, and nothing is ever inserted as markup.

export interface QrModules {
  /** Modules on a side, the quiet zone included. */
  readonly side: number;
  /** Runs of dark modules, row by row. */
  readonly runs: ReadonlyArray<{ readonly x: number; readonly y: number; readonly length: number }>;
}

const SVG =
  /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox="0 0 (\d{2,3}) (\d{2,3})" shape-rendering="crispEdges"><path fill="#ffffff" d="M0 0h(\d{2,3})v(\d{2,3})H0z"\/><path stroke="#000000" d="([Mmh\d. ]+)"\/><\/svg>\s*$/;
/** `M4 7.5h1m1 0h3`: where a row's first run begins, then runs and gaps. */
const ROW = /M(\d{1,3}) (\d{1,3})\.5((?:h\d{1,3}(?:m\d{1,3} 0)?)+)/y;
const RUN = /h(\d{1,3})(?:m(\d{1,3}) 0)?/g;

/** Modules that every QR code needs around it, on each side (ISO/IEC 18004). */
const QUIET_ZONE = 4;
/** Version 1 and version 40. */
const LEAST = 21;
const MOST = 177;

/** Throws when it is not what this server draws. */
export function readQrSvg(svg: string): QrModules {
  const [, ...found] = SVG.exec(svg) ?? [];
  const path = found.pop();
  const [side = 0, ...others] = found.map(Number);
  const size = side - 2 * QUIET_ZONE;
  if (path === undefined || others.some((other) => other !== side)) throw unreadable();
  if (size < LEAST || size > MOST || (size - LEAST) % 4 !== 0) throw unreadable();
  const runs: { x: number; y: number; length: number }[] = [];
  ROW.lastIndex = 0;
  while (ROW.lastIndex < path.length) {
    const [, from, row, steps] = ROW.exec(path) ?? [];
    if (steps === undefined) throw unreadable();
    let x = Number(from);
    const y = Number(row);
    for (const [, length, gap] of steps.matchAll(RUN)) {
      const run = { x, y, length: Number(length) };
      if (!isInside(run, side)) throw unreadable();
      runs.push(run);
      x += run.length + Number(gap ?? 0);
    }
  }
  return { side, runs };
}

/** The quiet zone stays quiet. */
function isInside({ x, y, length }: { x: number; y: number; length: number }, side: number): boolean {
  const end = side - QUIET_ZONE;
  return length > 0 && x >= QUIET_ZONE && y >= QUIET_ZONE && x + length <= end && y < end;
}

function unreadable(): Error {
  return new Error('drawQr: this is not the qr_svg that the server answered; hand it over unchanged');
}
