/** What a waiting page is given of a ticket: the address in the QR code and its picture, always inline (T36). */
import { toString as draw } from 'qrcode';

/** The only thing a QR code of ours ever holds: an https address with one random token (T13). */
export function scanUrl(publicUrl: string, scanToken: string): string {
  return `${publicUrl}/s/${scanToken}`;
}

/** Error correction M; the quiet zone of four modules that ISO/IEC 18004 asks for is part of the picture. */
export function drawQr(url: string): Promise<string> {
  return draw(url, { type: 'svg', errorCorrectionLevel: 'M', margin: 4 });
}
