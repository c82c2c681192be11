/** How a button looks to an eye: its size, place, type and contrasts, so that two can be compared. */
import type { Page } from 'playwright-core';
import { expect } from 'vitest';

export interface Look {
  width: number;
  height: number;
  top: number;
  font: string;
  contrast: number;
  ground: number;
  opacity: string;
}

/** Contrast of its text on it, and of it on the card, by the WCAG formula. */
const LOOK = `(element) => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const light = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((v) => v / 255)
      .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (a, b) => (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05);
  const style = getComputedStyle(element);
  const card = getComputedStyle(element.closest('.card')).backgroundColor;
  const box = element.getBoundingClientRect();
  return { width: box.width, height: box.height, top: box.top, opacity: style.opacity,
    font: [style.fontSize, style.fontWeight, style.fontFamily].join(' '),
    contrast: ratio(style.color, style.backgroundColor), ground: ratio(style.backgroundColor, card) };
}`;

/** "Deny" is as large, as legible and as prominent as "allow" (T1). */
export async function expectEqualChoices(page: Page): Promise<void> {
  const lookOf = (id: string): Promise<Look> => page.locator(id).evaluate(new Function(`return ${LOOK}`)());
  const [deny, allow] = [await lookOf('#deny'), await lookOf('#allow')];
  expect(deny).toMatchObject({ width: allow.width, height: allow.height, top: allow.top, font: allow.font });
  expect(deny.opacity).toBe(allow.opacity);
  for (const { contrast, height, ground } of [deny, allow]) {
    expect(contrast).toBeGreaterThan(4.5);
    expect(ground).toBeGreaterThan(3);
    expect(height).toBeGreaterThanOrEqual(44);
  }
  expect(deny.contrast / allow.contrast).toBeGreaterThan(0.75);
  expect(deny.contrast / allow.contrast).toBeLessThan(1.34);
  expect(deny.ground / allow.ground).toBeGreaterThan(0.75);
}
