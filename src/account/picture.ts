/** Makes our own pictures of an uploaded one: upright, square, on white, at each served size, without its metadata. */
import { AppError } from '../error.js';
import { PICTURE_SIZES } from './picture-address.js';
import { readPictureHeader } from './picture-header.js';

/** JPEG bytes by their size in pixels. */
export type PictureSet = ReadonlyMap<number, Buffer>;

const LARGEST = Math.max(...PICTURE_SIZES.values());
/** The first that fits is taken; any picture fits at the last. */
const QUALITIES = [85, 70, 50, 30, 10] as const;
const MAX_BYTES = 256 * 1024;

/**
 * Throws `invalid_request` naming the fix. Takes hundreds of megabytes at worst, and nothing here bounds how many are
 * made at once: the command line makes one a process.
 */
export async function encodePicture(bytes: Uint8Array): Promise<PictureSet> {
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { file, width, height, orientation } = readPictureHeader(source);
  // Loaded late: few runs need it.
  const { Transformer, ResizeFit } = await import('@napi-rs/image');
  const shorter = Math.min(width, height);
  // Never larger than it came: each size is scaled from this square, up only where the size itself asks for it.
  const side = Math.min(shorter, LARGEST);
  const scaled = { width: Math.round((width * side) / shorter), height: Math.round((height * side) / shorter) };
  try {
    // Never by the fit "cover": scaled up to be cropped, a line of pixels takes gigabytes, and the process aborts.
    const square = await new Transformer(file)
      .fastResize({ ...scaled, fit: ResizeFit.Fill })
      .crop((scaled.width - side) >> 1, (scaled.height - side) >> 1, side, side)
      .rawPixels();
    layOnWhite(square);
    const set = new Map<number, Buffer>();
    for (const size of PICTURE_SIZES.values()) {
      const picture = Transformer.fromRgbaPixels(square, side, side)
        .rotate(orientation)
        .fastResize({ width: size, height: size, fit: ResizeFit.Fill });
      set.set(size, await smallest((quality) => picture.jpeg(quality)));
    }
    return set;
  } catch (cause) {
    throw new AppError('invalid_request', {
      message: 'the picture cannot be decoded; save it again as JPEG, PNG or WebP',
      cause,
    });
  }
}

async function smallest(encodeAt: (quality: number) => Promise<Buffer>): Promise<Buffer> {
  let encoded: Buffer | undefined;
  for (const quality of QUALITIES) {
    encoded = await encodeAt(quality);
    if (encoded.length <= MAX_BYTES) break;
  }
  return encoded as Buffer;
}

/** JPEG knows no transparency, and would show whatever colour the clear pixels happen to hold. */
function layOnWhite(rgba: Buffer): void {
  for (let at = 0; at < rgba.length; at += 4) {
    const alpha = rgba[at + 3] as number;
    if (alpha === 255) continue;
    for (let i = at; i < at + 3; i += 1) rgba[i] = Math.round(255 + ((rgba[i] as number) - 255) * (alpha / 255));
    rgba[at + 3] = 255;
  }
}
