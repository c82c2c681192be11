// Draws parts of the page anew as the server draws them now, after a change: the server alone knows how they look.
import { localTimes, type PageData } from './page.js';

interface ReadPage {
  document: Document;
  data: PageData;
}

/** A page of the console, if it can be had; its scripts do not run. */
export async function readPage(address: string): Promise<ReadPage | null> {
  try {
    const answer = await fetch(address, { cache: 'no-store', credentials: 'same-origin' });
    const document = new DOMParser().parseFromString(await answer.text(), 'text/html');
    const block = document.getElementById('page-data')?.textContent;
    return answer.ok && block ? { document, data: JSON.parse(block) as PageData } : null;
  } catch {
    return null;
  }
}

/** Everything that is .live, and what else is named once the page has come; null when it could not be read, and stays as it is. */
export async function redraw(others: () => string[] = () => []): Promise<PageData | null> {
  const page = await readPage(location.pathname + location.search);
  if (!page) return null;
  const focused = document.activeElement?.id;
  const live = [...document.querySelectorAll('.live')].map(({ id }) => id);
  for (const id of [...live, ...others()]) {
    const [before, after] = [document.getElementById(id), page.document.getElementById(id)];
    if (!before || !after) continue;
    before.replaceChildren(...[...after.childNodes].map((node) => document.importNode(node, true)));
    before.hidden = after.hidden;
  }
  localTimes();
  // What had the focus is another element now, under the same name.
  if (focused && document.activeElement === document.body) document.getElementById(focused)?.focus();
  return page.data;
}
