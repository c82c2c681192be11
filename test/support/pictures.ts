/** Picture files made in code: ordinary ones, and the parts to build odd ones from. */
import { crc32 } from 'node:zlib';
import { Transformer } from '@napi-rs/image';
import jpeg from 'jpeg-js';
import { PNG } from 'pngjs';

export type Rgba = readonly [red: number, green: number, blue: number, alpha: number];
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Buffer;
}

export const RED: Rgba = [220, 20, 20, 255];
export const GREEN: Rgba = [20, 200, 20, 255];
export const BLUE: Rgba = [20, 20, 220, 255];
export const YELLOW: Rgba = [230, 220, 20, 255];

export function paint(width: number, height: number, colourAt: (x: number, y: number) => Rgba): Pixels {
  const data = Buffer.alloc(width * height * 4);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) data.set(colourAt(x, y), (y * width + x) * 4);
  }
  return { width, height, data };
}

/** Red and green above, blue and yellow below: whatever is turned or mirrored shows. */
export function quarters(width: number, height = width): Pixels {
  return paint(width, height, (x, y) => {
    const left = x < width / 2;
    if (y < height / 2) return left ? RED : GREEN;
    return left ? BLUE : YELLOW;
  });
}

export const toJpeg = (pixels: Pixels): Buffer => Buffer.from(jpeg.encode(pixels, 90).data);
export const toPng = ({ width, height, data }: Pixels): Buffer => {
  const png = new PNG({ width, height });
  data.copy(png.data);
  return PNG.sync.write(png);
};
export const toWebp = ({ width, height, data }: Pixels): Promise<Buffer> =>
  Transformer.fromRgbaPixels(data, width, height).webpLossless();
export const toLossyWebp = ({ width, height, data }: Pixels): Promise<Buffer> =>
  Transformer.fromRgbaPixels(data, width, height).webp(90);

/** Throws for anything but a JPEG. */
export function fromJpeg(body: Uint8Array): Pixels {
  const { width, height, data } = jpeg.decode(body, { useTArray: true });
  return { width, height, data: Buffer.from(data) };
}

/** The colour at a place given in parts of the whole. */
export function colourAt({ width, height, data }: Pixels, across: number, down: number): number[] {
  const at = (Math.floor(down * height) * width + Math.floor(across * width)) * 4;
  return [...data.subarray(at, at + 3)];
}

/** A JPEG segment: `jpegSegment(0xe1, …)` is APP1. */
export function jpegSegment(marker: number, body: Buffer): Buffer {
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(body.length + 2, 2);
  return Buffer.concat([head, body]);
}

/** Puts segments where writers put metadata: right behind the start of the image. */
export function withSegments(file: Buffer, ...segments: Buffer[]): Buffer {
  return Buffer.concat([file.subarray(0, 2), ...segments, file.subarray(2)]);
}

export function pngChunk(type: string, data: Buffer): Buffer {
  const chunk = Buffer.alloc(data.length + 12);
  chunk.writeUInt32BE(data.length);
  chunk.write(type, 4, 'latin1');
  data.copy(chunk, 8);
  chunk.writeUInt32BE(crc32(chunk.subarray(4, data.length + 8)), data.length + 8);
  return chunk;
}

export function pngOf(
  header: { width: number; height: number; depth?: number; colour?: number },
  ...chunks: Buffer[]
): Buffer {
  const ihdr = Buffer.alloc(13);
  ihdr.writeUInt32BE(header.width);
  ihdr.writeUInt32BE(header.height, 4);
  ihdr.set([header.depth ?? 8, header.colour ?? 2], 8);
  const signature = Buffer.from('89504e470d0a1a0a', 'hex');
  return Buffer.concat([signature, pngChunk('IHDR', ihdr), ...chunks, pngChunk('IEND', Buffer.alloc(0))]);
}

/** Puts chunks behind IHDR. */
export function withChunks(file: Buffer, ...chunks: Buffer[]): Buffer {
  return Buffer.concat([file.subarray(0, 33), ...chunks, file.subarray(33)]);
}

export function riffChunk(type: string, data: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.write(type, 'latin1');
  head.writeUInt32LE(data.length, 4);
  return Buffer.concat([head, data, Buffer.alloc(data.length & 1)]);
}

export function webpOf(...chunks: Buffer[]): Buffer {
  const body = Buffer.concat([Buffer.from('WEBP'), ...chunks]);
  const head = Buffer.from('RIFF\0\0\0\0');
  head.writeUInt32LE(body.length, 4);
  return Buffer.concat([head, body]);
}

/** The extended format's first chunk; flag 2 is animation, 8 is EXIF, 16 is transparency. */
export function vp8x(width: number, height: number, flags: number): Buffer {
  const data = Buffer.alloc(10);
  data.writeUInt8(flags);
  data.writeUIntLE(width - 1, 4, 3);
  data.writeUIntLE(height - 1, 7, 3);
  return riffChunk('VP8X', data);
}

/** A TIFF structure with one entry, the orientation, and a text that must not survive. */
export function exif(orientation: number, options: { order?: 'II' | 'MM'; secret?: string } = {}): Buffer {
  const { order = 'MM', secret = '' } = options;
  const tiff = Buffer.alloc(26);
  const short = (value: number, at: number) =>
    order === 'II' ? tiff.writeUInt16LE(value, at) : tiff.writeUInt16BE(value, at);
  const long = (value: number, at: number) =>
    order === 'II' ? tiff.writeUInt32LE(value, at) : tiff.writeUInt32BE(value, at);
  tiff.write(order, 'latin1');
  short(42, 2);
  long(8, 4);
  short(1, 8);
  short(0x0112, 10);
  short(3, 12);
  long(1, 14);
  short(orientation, 18);
  return Buffer.concat([tiff, Buffer.from(secret)]);
}
