/** What an uploaded file says of itself, read before anything is decoded: format, size, which way is up. */
import { AppError } from '../error.js';
import { type Orientation, orientationIn } from './exif-orientation.js';

export interface PictureHeader {
  /** As stored, before it is turned upright. */
  readonly width: number;
  readonly height: number;
  readonly orientation: Orientation;
  /** The file as the decoder may see it. */
  readonly file: Buffer;
}

/** A photograph of a phone, and little enough that decoding it takes some 400 MB at most. */
export const PICTURE_LIMITS = { bytes: 5 * 1024 * 1024, megapixels: 25 } as const;

type Parsed = Omit<PictureHeader, 'orientation'> & { orientation?: Orientation; bytesPerSample?: number };

/** By the first bytes, in hex digits. */
const FORMATS: ReadonlyArray<{ magic: RegExp; read: (file: Buffer) => Parsed }> = [
  { magic: /^ffd8ff/, read: readJpeg },
  { magic: /^89504e470d0a1a0a/, read: readPng },
  { magic: /^52494646.{8}57454250/, read: readWebp },
];

const DAMAGED = 'the picture file is damaged or cut off; save the picture again';
const ANIMATED = 'the picture is animated; save one image of it as JPEG, PNG or WebP';

/** Throws `invalid_request` naming the fix. The first bytes say what a file is; its name is never asked. */
export function readPictureHeader(file: Buffer): PictureHeader {
  const { bytes, megapixels } = PICTURE_LIMITS;
  if (file.length > bytes) refuse(`a picture has at most ${bytes / 1024 / 1024} MiB; save it smaller`);
  const start = file.toString('hex', 0, 12);
  const format = FORMATS.find(({ magic }) => magic.test(start));
  if (!format) return refuse('a picture is a JPEG, PNG or WebP file; convert it to one of these');
  const header = bounded(() => format.read(file));
  const { width, height, bytesPerSample = 1 } = header;
  if (width === 0 || height === 0) refuse(DAMAGED);
  // Two bytes a sample take twice the memory.
  if (width * height * bytesPerSample > megapixels * 1e6) {
    refuse(`a picture has at most ${megapixels} megapixels (half of that with 16 bits a channel); scale it down`);
  }
  return { width, height, orientation: header.orientation ?? 1, file: header.file };
}

/** Segments up to the first scan. Stricter than decoders are, so that none of them finds another size than this. */
function readJpeg(file: Buffer): Parsed {
  let frame: { width: number; height: number } | undefined;
  let orientation: Orientation | undefined;
  for (let at = 2; ; ) {
    if (file.readUInt8(at) !== 0xff) refuse(DAMAGED);
    while (file.readUInt8(at) === 0xff) at += 1;
    const marker = file.readUInt8(at);
    // Markers without a length have no place before the first scan.
    if (marker < 0xc0 || (marker >= 0xd0 && marker <= 0xd9)) refuse(DAMAGED);
    const segment = part(file, at + 3, file.readUInt16BE(at + 1) - 2);
    at += 3 + segment.length;
    if (marker === 0xda) {
      // In a scan 0xff is followed by 0, so that this is the end of the image, or of a later one.
      if (!frame || file.indexOf('\xff\xd9', at, 'latin1') < 0) return refuse(DAMAGED);
      return { ...frame, orientation, file };
    }
    if (marker === 0xe1 && segment.toString('latin1', 0, 6) === 'Exif\0\0') orientation ??= orientationIn(segment);
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      if (frame) refuse(DAMAGED);
      frame = readFrame(marker, segment);
    }
  }
}

function readFrame(marker: number, segment: Buffer): { width: number; height: number } {
  const components = segment.readUInt8(5);
  if (components === 4) refuse('the picture has CMYK colours, which are for print; save it with RGB colours');
  // Baseline, extended and progressive; lossless and arithmetic coding are next to never seen.
  const isCommon = marker <= 0xc2 && segment.readUInt8(0) === 8 && (components === 1 || components === 3);
  if (!isCommon) refuse('this kind of JPEG is not understood; save the picture as an ordinary JPEG, or as PNG');
  return { height: segment.readUInt16BE(1), width: segment.readUInt16BE(3) };
}

/** A decoder inflates colour profiles and texts, into gigabytes if they are made for it; it is not shown any. */
const PNG_PIXELS: ReadonlySet<string> = new Set(['IHDR', 'PLTE', 'tRNS', 'IDAT', 'IEND']);

function readPng(file: Buffer): Parsed {
  const kept = [file.subarray(0, 8)];
  let orientation: Orientation | undefined;
  for (let at = 8, type = ''; type !== 'IEND'; ) {
    const data = part(file, at + 8, file.readUInt32BE(at));
    type = file.toString('latin1', at + 4, at + 8);
    if ((type === 'IHDR') !== (at === 8)) refuse(DAMAGED);
    if (type === 'acTL') refuse(ANIMATED);
    if (type === 'eXIf') orientation ??= orientationIn(data);
    if (PNG_PIXELS.has(type)) kept.push(part(file, at, data.length + 12));
    at += data.length + 12;
  }
  return {
    width: file.readUInt32BE(16),
    height: file.readUInt32BE(20),
    bytesPerSample: file.readUInt8(24) > 8 ? 2 : 1,
    orientation,
    file: Buffer.concat(kept),
  };
}

function readWebp(file: Buffer): Parsed {
  const end = 8 + part(file, 8, file.readUInt32LE(4)).length;
  let canvas: { width: number; height: number } | undefined;
  let image: { width: number; height: number } | undefined;
  let orientation: Orientation | undefined;
  for (let at = 12; at + 8 <= end; ) {
    const type = file.toString('latin1', at, at + 4);
    const data = part(file, at + 8, file.readUInt32LE(at + 4));
    if (type === 'ANIM' || type === 'ANMF' || (type === 'VP8X' && (data.readUInt8(0) & 2) !== 0)) refuse(ANIMATED);
    if (type === 'VP8X') canvas ??= { width: data.readUIntLE(4, 3) + 1, height: data.readUIntLE(7, 3) + 1 };
    if (type === 'EXIF') orientation ??= orientationIn(data);
    if (type === 'VP8 ' || type === 'VP8L') {
      if (image) refuse(DAMAGED);
      image = type === 'VP8 ' ? readLossy(data) : readLossless(data);
    }
    // Chunks begin at even addresses.
    at += 8 + data.length + (data.length & 1);
  }
  const sizes = [canvas, image].filter((size) => size !== undefined);
  if (!image || sizes.some(({ width, height }) => width !== image?.width || height !== image?.height)) refuse(DAMAGED);
  return { ...(image as { width: number; height: number }), orientation, file };
}

/** RFC 6386, 9.1: three bytes of frame tag, three of start code, and two sizes of 14 bits. */
function readLossy(data: Buffer): { width: number; height: number } {
  return { width: data.readUInt16LE(6) & 0x3fff, height: data.readUInt16LE(8) & 0x3fff };
}

/** RFC 9649, 3.4: a signature byte, and two sizes of 14 bits, each less by one. */
function readLossless(data: Buffer): { width: number; height: number } {
  const bits = data.readUInt32LE(1);
  return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
}

function part(file: Buffer, at: number, length: number): Buffer {
  if (length < 0 || at + length > file.length) refuse(DAMAGED);
  return file.subarray(at, at + length);
}

/** A number that stands past the end of the file is a file cut off. */
function bounded<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) refuse(DAMAGED, error);
    throw error;
  }
}

function refuse(message: string, cause?: unknown): never {
  throw new AppError('invalid_request', { message, cause });
}
