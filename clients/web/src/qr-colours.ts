// Which colours a QR code may have: dark on light, and far enough apart for the cameras of phones.

/** Of the lightness of two colours, as in WCAG 2: (lighter + 0.05) / (darker + 0.05). */
export const LEAST_CONTRAST = 4;

/** Throws with the fix in its message. */
export function checkColours(dark: string, light: string): void {
  const [darkness, lightness] = [luminance('dark', dark), luminance('light', light)];
  if (darkness > lightness) {
    throw new Error(
      `drawQr: dark "${dark}" is lighter than light "${light}", and many phones do not read light codes on a dark ` +
        'ground: swap the two, and give the code a light ground on a dark page too',
    );
  }
  const contrast = (lightness + 0.05) / (darkness + 0.05);
  if (contrast >= LEAST_CONTRAST) return;
  throw new Error(
    `drawQr: dark "${dark}" on light "${light}" has a contrast of ${contrast.toFixed(1)}:1, and phones need ` +
      `${LEAST_CONTRAST}:1: take a darker dark or a lighter light`,
  );
}

/** Relative luminance of WCAG 2, from 0 to 1. */
function luminance(name: string, colour: string): number {
  const [, short, long] = /^#(?:([\da-f]{3})|([\da-f]{6}))$/i.exec(colour) ?? [];
  const hex = long ?? short?.replace(/./g, '$&$&');
  if (hex === undefined) throw new Error(`drawQr: ${name} must be #rgb or #rrggbb, it is "${colour}"`);
  const [red = 0, green = 0, blue = 0] = [0, 2, 4].map((at) => linear(Number.parseInt(hex.slice(at, at + 2), 16)));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function linear(channel: number): number {
  const value = channel / 255;
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}
