// A site's own style sheet (T94): it dresses copies of our decoration, in closed shadow roots, and reaches nothing else.
import { isFramed } from './parent.js';

export interface Dress {
  /** `statusClass` is one of those that sites' sheets know. */
  show(title: string, detail: string, statusClass: string, lost: boolean): void;
}

/** The panel each status class stands for, by the ids that sites' sheets know. */
const PANEL_ID: Record<string, string> = {
  status_browser: 'wx_default_tip',
  status_succ: 'wx_after_scan',
  status_fail: 'wx_after_cancel',
};

/**
 * Null where no sheet came with the page, or where this browser could not keep it in bounds. What a screen reader reads
 * and what the keyboard reaches stays ours: the copies are for the eye only.
 */
export function createDress(url: string | undefined): Dress | null {
  if (!url || !isFramed || !keepsBounds()) return null;
  const places = [...document.querySelectorAll<HTMLElement>('.dress')];
  const roots = places.map(attachRoot);
  const parts = (selector: string) => roots.flatMap((root) => [...root.querySelectorAll<HTMLElement>(selector)]);
  afterLoad(async () => {
    keepOurProperties();
    // Seen only once all of it is here: a sheet that never comes leaves the page as it is everywhere else.
    if (!(await everySheet(roots, url))) return;
    for (const plain of document.querySelectorAll('.undressed')) plain.classList.add('sr-only');
    for (const place of places) place.hidden = false;
  });
  return {
    show(title, detail, statusClass, lost) {
      for (const status of parts('.status')) {
        status.className = `status js_status ${statusClass}`;
        status.classList.toggle('is-lost', lost);
        status.id = PANEL_ID[statusClass] ?? '';
      }
      for (const headline of parts('.headline')) headline.textContent = title;
      for (const line of parts('.detail')) line.textContent = detail;
    },
  };
}

function keepsBounds(): boolean {
  return 'inert' in HTMLElement.prototype && 'registerProperty' in CSS && CSS.supports('contain', 'layout paint style');
}

function attachRoot(place: HTMLElement): ShadowRoot {
  const template = place.querySelector('template') as HTMLTemplateElement;
  const host = document.createElement('div');
  const root = host.attachShadow({ mode: 'closed' });
  root.append(document.importNode(template.content, true));
  template.replaceWith(host);
  return root;
}

/** After the load event, which the site's page waits for too: no sheet may hold either up. */
function afterLoad(then: () => void): void {
  const soon = () => setTimeout(then, 0);
  if (document.readyState === 'complete') soon();
  else window.addEventListener('load', soon, { once: true });
}

/** By its standard `@property` holds for the document, wherever it stands; it yields to a registration by script. */
function keepOurProperties(): void {
  const names = [...document.styleSheets].flatMap((sheet) => namesIn(sheet.cssRules));
  for (const name of new Set(names)) CSS.registerProperty({ name, syntax: '*', inherits: true });
}

function namesIn(rules: CSSRuleList): string[] {
  return [...rules].flatMap((rule) => {
    const names = rule instanceof CSSStyleRule ? [...rule.style].filter((name) => name.startsWith('--')) : [];
    return rule instanceof CSSGroupingRule ? [...names, ...namesIn(rule.cssRules)] : names;
  });
}

/** Ours stands in each root already; theirs comes after it. False when ours cannot be had. */
async function everySheet(roots: readonly ShadowRoot[], url: string): Promise<boolean> {
  const ours = roots.flatMap((root) => [...root.querySelectorAll('link')]).map(hasLoaded);
  const theirs = roots.map((root) => {
    const link = document.createElement('link');
    link.rel = 'stylesheet';
    link.href = url;
    root.append(link);
    return hasLoaded(link);
  });
  // One refused `@import` makes an error of a whole sheet, though the rest of it is in use; a missing one dresses nothing.
  await Promise.all(theirs);
  return (await Promise.all(ours)).every((loaded) => loaded);
}

function hasLoaded(link: HTMLLinkElement): Promise<boolean> {
  return new Promise((resolve) => {
    if (link.sheet) resolve(true);
    link.addEventListener('load', () => resolve(true));
    link.addEventListener('error', () => resolve(false));
  });
}
