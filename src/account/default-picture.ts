/** The picture an account starts with: a quiet symmetrical pattern, drawn as PNG from a short public seed. */
import { createHash } from 'node:crypto';
import { PNG } from 'pngjs';

/** The picture's name, part of a public URL. 256 seeds, so that the address tells nothing about who it belongs to. */
export function pictureFor(random: string): string {
  return `pattern-${createHash('sha256').update(random).digest().readUInt8(0)}`;
}

const COLOURS = ['3b6ea5', '4a7c59', '8a5a44', '6b5b95', 'a0522d', '2f7f86', '7a6a2c', '94507a'] as const;
const CELLS = 5;

/** Drawn once each: 256 patterns in five sizes, some 3 MB when all have been asked for. */
const drawn = new Map<string, Buffer>();

/** PNG bytes of a named picture, or undefined for a name that was never given out. */
export function drawPicture(name: string, size: number): Buffer | undefined {
  const seed = /^pattern-(0|[1-9]\d{0,2})$/.exec(name)?.[1];
  if (seed === undefined || Number(seed) > 255) return undefined;
  const key = `${seed} ${size}`;
  const picture = drawn.get(key) ?? draw(seed, size);
  drawn.set(key, picture);
  return picture;
}

function draw(seed: string, size: number): Buffer {
  const bits = createHash('sha256').update(`picture ${seed}`).digest();
  const ink = Buffer.from(COLOURS[bits.readUInt8(31) % COLOURS.length] as string, 'hex');
  const png = new PNG({ width: size, height: size });
  const margin = Math.floor(size / 10);
  const cell = (size - 2 * margin) / CELLS;
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const column = Math.floor((x - margin) / cell);
      const row = Math.floor((y - margin) / cell);
      const inside = column >= 0 && column < CELLS && row >= 0 && row < CELLS;
      // The right half mirrors the left one.
      const on = inside && (bits.readUInt8(row * 3 + Math.min(column, CELLS - 1 - column)) & 1) === 1;
      const at = (y * size + x) * 4;
      for (let i = 0; i < 3; i++) png.data[at + i] = on ? (ink[i] as number) : 240;
      png.data[at + 3] = 255;
    }
  }
  return PNG.sync.write(png, { colorType: 2 });
}
