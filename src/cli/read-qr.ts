/** What the QR code says: a URL as it is, or read from the pixels of a PNG or JPEG file, a screenshot of a page too. */
import { readFileSync } from 'node:fs';
import { PhoneError } from './phone-error.js';

export interface ScanUrl {
  readonly origin: string;
  readonly scanToken: string;
}

interface Pixels {
  width: number;
  height: number;
  /** RGBA. */
  data: Uint8Array;
}

/** A file of more pixels than any screen has is not a screenshot. */
const MAX_FILE = 64 * 1024 * 1024;
const MAX_PIXELS = 64_000_000;
/** Milliseconds for one search; the library's own limit is one video frame. */
const PATIENCE = 1500;

export async function readQr(urlOrFile: string): Promise<ScanUrl> {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(urlOrFile)) return parseScanUrl(urlOrFile);
  return parseScanUrl(await readImage(urlOrFile));
}

/** Exactly http(s)://host/s/<token>: what the waiting page draws, and nothing that only resembles it. */
export function parseScanUrl(text: string): ScanUrl {
  const [, scanToken] = /^https?:\/\/[^/?#@\s\\]+\/s\/([\w-]{16,200})$/.exec(text) ?? [];
  const url = URL.parse(text);
  if (!scanToken || !url) {
    const seen = text.length > 120 ? `${text.slice(0, 120)}...` : text;
    throw new PhoneError(
      'invalid_qr_url',
      `not a sign-in code of this product (http(s)://host/s/<token>; the code of a device is answered in a browser): ${JSON.stringify(seen)}`,
    );
  }
  return { origin: url.origin, scanToken };
}

async function readImage(file: string): Promise<string> {
  let pixels: Pixels;
  try {
    pixels = await decodePixels(readFileSync(file));
  } catch (cause) {
    if (cause instanceof PhoneError) throw cause;
    throw new PhoneError('image_unreadable', `cannot read ${JSON.stringify(file)}: ${(cause as Error).message}`, cause);
  }
  const found = await findCode(onWhite(pixels));
  if (found === undefined) throw new PhoneError('no_qr_code', `no QR code was found in ${JSON.stringify(file)}`);
  return found;
}

async function decodePixels(file: Buffer): Promise<Pixels> {
  if (file.length > MAX_FILE) throw new Error('the file is too large');
  if (file.subarray(0, 4).equals(Buffer.from([0x89, 0x50, 0x4e, 0x47]))) {
    // Width and height stand at a fixed place in a PNG file.
    if (file.length >= 24 && file.readUInt32BE(16) * file.readUInt32BE(20) > MAX_PIXELS)
      throw new Error('the image is too large');
    const { PNG } = await import('pngjs');
    return PNG.sync.read(file);
  }
  if (file.subarray(0, 3).equals(Buffer.from([0xff, 0xd8, 0xff]))) {
    const { default: jpeg } = await import('jpeg-js');
    return jpeg.decode(file, { useTArray: true, maxResolutionInMP: MAX_PIXELS / 1_000_000, maxMemoryUsageInMB: 1024 });
  }
  throw new PhoneError('image_unreadable', 'the file is neither a PNG nor a JPEG image, nor is this a URL');
}

/** Transparent pixels are seen on white paper. */
function onWhite({ width, height, data }: Pixels): Pixels {
  const flat = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i += 4) {
    const alpha = (data[i + 3] as number) / 255;
    for (let c = 0; c < 3; c++) flat[i + c] = Math.round((data[i + c] as number) * alpha + 255 * (1 - alpha));
    flat[i + 3] = 255;
  }
  return { width, height, data: flat };
}

/** The whole image first, then overlapping parts of it: in a screenshot the code may be a small part of the page. */
async function findCode(image: Pixels): Promise<string | undefined> {
  const { decodeQR } = await import('qr/decode.js');
  for (const part of parts(image)) {
    try {
      return decodeQR(part, { format: 'RGBA', timeLimit: PATIENCE, effort: 8 });
    } catch {
      // Nothing here; the next part may hold it.
    }
  }
  return undefined;
}

function* parts(image: Pixels): Generator<Pixels> {
  yield image;
  for (const share of [1 / 2, 1 / 3]) {
    const width = Math.ceil(image.width * share);
    const height = Math.ceil(image.height * share);
    if (Math.min(width, height) < 60) return;
    for (let y = 0; y + height <= image.height; y += Math.floor(height / 2)) {
      for (let x = 0; x + width <= image.width; x += Math.floor(width / 2)) yield cut(image, x, y, width, height);
    }
  }
}

function cut(image: Pixels, x: number, y: number, width: number, height: number): Pixels {
  const data = new Uint8Array(width * height * 4);
  for (let row = 0; row < height; row++) {
    const start = ((y + row) * image.width + x) * 4;
    data.set(image.data.subarray(start, start + width * 4), row * width * 4);
  }
  return { width, height, data };
}
