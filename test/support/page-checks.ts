/** What must be true of every page of ours, looked for from inside: language, labels, headings, texts, room, focus. */
import type { Page } from 'playwright-core';

/** Runs in the page; lists what is wrong. `lang` is the language it should speak. */
const CHECKS = `(lang) => {
  const wrong = [];
  const shown = (element) => element.checkVisibility({ visibilityProperty: true });
  const all = (selector) => [...document.querySelectorAll(selector)].filter(shown);
  const nameOf = (element) => (element.getAttribute('aria-label') ||
    [...(element.labels ?? [])].map((label) => label.innerText).join(' ') || element.innerText || '').trim();
  const what = (element) => element.localName + (element.id ? '#' + element.id : '');

  if (document.documentElement.lang !== lang) wrong.push('lang is ' + document.documentElement.lang);
  if (document.title.trim() === '') wrong.push('no title');
  const headings = all('h1');
  if (headings.length !== 1) wrong.push(headings.length + ' h1');
  if (all('main').length !== 1) wrong.push(all('main').length + ' main');
  for (const heading of headings) if (heading.innerText.trim() === '') wrong.push('an empty h1');
  for (const element of all('a[href], button, input, select, textarea')) {
    if (nameOf(element) === '') wrong.push('no name: ' + what(element));
  }
  for (const field of all('input')) {
    for (const id of (field.getAttribute('aria-describedby') ?? '').split(' ').filter(Boolean)) {
      if (!document.getElementById(id)) wrong.push('described by nothing: ' + id);
    }
  }
  for (const image of all('img')) if (!image.hasAttribute('alt')) wrong.push('no alt: ' + image.src);
  for (const image of all('[role=img]')) if (!image.getAttribute('aria-label')) wrong.push('no label: ' + what(image));
  const ids = [...document.querySelectorAll('[id]')].map((element) => element.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) wrong.push('twice: #' + id);

  const texts = [document.title];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (!/^(script|style)$/.test(node.parentElement.localName)) texts.push(node.data);
  }
  for (const name of ['aria-label', 'title', 'placeholder', 'alt']) {
    for (const element of document.querySelectorAll('[' + name + ']')) texts.push(element.getAttribute(name));
  }
  for (const text of texts.map((one) => one.trim())) {
    if (/^[a-z]+\\.[a-zA-Z.]+$/.test(text)) wrong.push('a missing text: ' + text);
    if (/\\{\\{?\\w+\\}|undefined|\\[object/.test(text)) wrong.push('an unfilled text: ' + text);
  }
  // What is in another language says so, such as the way to the page in that language.
  const elsewhere = all('body [lang]').filter((element) => element.lang !== lang && !element.hidden);
  for (const element of elsewhere) element.hidden = true;
  const hasHan = /\\p{Script=Han}/u.test(document.body.innerText);
  if (hasHan !== (lang === 'zh-CN')) wrong.push('speaks another language: ' + document.body.innerText);
  for (const element of elsewhere) element.hidden = false;

  const { scrollWidth, clientWidth } = document.documentElement;
  if (scrollWidth > clientWidth) wrong.push('scrolls sideways: ' + scrollWidth + ' > ' + clientWidth);
  return wrong;
}`;

/** How the element that has the focus shows it. */
const FOCUS = `(() => {
  const element = document.activeElement;
  if (!element || element === document.body) return null;
  const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(element);
  const box = element.getBoundingClientRect();
  const seen = outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2 && !/, 0\\)$|transparent/.test(outlineColor);
  return { what: element.localName + '#' + element.id, seen, width: box.width, height: box.height };
})()`;

const NARROW = { width: 320, height: 640 };
const MOST_STOPS = 12;

/** On a screen 320 px wide; every stop of the Tab key is looked at too. */
export async function problemsOf(page: Page, lang: string): Promise<string[]> {
  const before = page.viewportSize();
  await page.setViewportSize(NARROW);
  const wrong = await page.evaluate<string[]>(`(${CHECKS})(${JSON.stringify(lang)})`);
  const seen = new Set<string>();
  for (let i = 0; i < MOST_STOPS; i += 1) {
    await page.keyboard.press('Tab');
    const stop = await page.evaluate<{ what: string; seen: boolean; width: number; height: number } | null>(FOCUS);
    if (!stop || seen.has(stop.what)) break;
    seen.add(stop.what);
    if (!stop.seen) wrong.push(`the focus cannot be seen on ${stop.what}`);
    if (stop.width === 0 || stop.height === 0) wrong.push(`the focus is on nothing: ${stop.what}`);
  }
  if (before) await page.setViewportSize(before);
  return wrong;
}
