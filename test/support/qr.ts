/** Reads a QR code as a camera would: the picture's modules become pixels, and the pixels are decoded. */
import { decodeQR } from 'qr/decode.js';

const PIXELS_PER_MODULE = 4;

/** What the first QR code drawn as SVG in this text says. */
export function readQr(html: string): string {
  const svg = /viewBox="0 0 (\d+) \1" shape-rendering="crispEdges">.*?<path stroke="[^"]+" d="([^"]+)"/s.exec(html);
  if (!svg) throw new Error('there is no QR code in the page');
  const width = Number(svg[1]) * PIXELS_PER_MODULE;
  const data = new Uint8Array(width * width * 4).fill(255);
  let [x, y] = [0, 0];
  // One row of modules is a stroke through its middle: M x y.5, then h over dark and m over light ones.
  for (const [, command, dx, dy] of (svg[2] as string).matchAll(/([Mmh])(-?[\d.]+)(?:[ ,]?(-?[\d.]+))?/g)) {
    if (command === 'h') {
      for (let i = 0; i < Number(dx); i += 1) darken(data, width, x + i, Math.floor(y));
      x += Number(dx);
    } else {
      [x, y] = command === 'M' ? [Number(dx), Number(dy)] : [x + Number(dx), y + Number(dy ?? 0)];
    }
  }
  return decodeQR({ width, height: width, data });
}

function darken(data: Uint8Array, width: number, column: number, row: number): void {
  for (let y = row * PIXELS_PER_MODULE; y < (row + 1) * PIXELS_PER_MODULE; y += 1) {
    data.fill(0, (y * width + column * PIXELS_PER_MODULE) * 4, (y * width + (column + 1) * PIXELS_PER_MODULE) * 4);
    for (let x = column * PIXELS_PER_MODULE; x < (column + 1) * PIXELS_PER_MODULE; x += 1)
      data[(y * width + x) * 4 + 3] = 255;
  }
}
