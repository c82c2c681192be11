/** Which way is up, read from EXIF; the only thing in a picture's metadata that is ever looked at. */

/** EXIF 2.32, 4.6.4: 1 is upright, the others are turned or mirrored. */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

const ORIENTATION_TAG = 0x0112;
const SHORT = 3;
const ENTRY_BYTES = 12;

/** Of a TIFF structure, which some writers put `Exif\0\0` before. Whatever cannot be read is upright. */
export function orientationIn(exif: Buffer): Orientation {
  const tiff = exif.subarray(exif.toString('latin1', 0, 6) === 'Exif\0\0' ? 6 : 0);
  try {
    return readOrientation(tiff) ?? 1;
  } catch (error) {
    if (error instanceof RangeError) return 1;
    throw error;
  }
}

function readOrientation(tiff: Buffer): Orientation | undefined {
  const order = tiff.toString('latin1', 0, 2);
  if (order !== 'II' && order !== 'MM') return undefined;
  const short = (at: number) => (order === 'II' ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at));
  const first = order === 'II' ? tiff.readUInt32LE(4) : tiff.readUInt32BE(4);
  const entries = short(first);
  for (let i = 0; i < entries; i += 1) {
    const entry = first + 2 + i * ENTRY_BYTES;
    if (short(entry) !== ORIENTATION_TAG) continue;
    const value = short(entry + 8);
    return short(entry + 2) === SHORT && value >= 1 && value <= 8 ? (value as Orientation) : undefined;
  }
  return undefined;
}
