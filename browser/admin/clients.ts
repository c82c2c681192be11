// The list of all clients: finds one as a name, an id or an address is typed.
import './api.js';
import { optionalPart, part } from '../shared/dom.js';
import { text } from './page.js';

const plain = (words: string) => words.normalize('NFKC').toLowerCase();
const filter = optionalPart<HTMLInputElement>('filter');

filter?.addEventListener('input', () => {
  const rows = [...part('clients').children] as HTMLElement[];
  const words = plain(filter.value).split(/\s+/).filter(Boolean);
  for (const row of rows) {
    const all = plain(row.textContent ?? '');
    row.hidden = !words.every((word) => all.includes(word));
  }
  const shown = rows.filter((row) => !row.hidden).length;
  part('clients').hidden = shown === 0;
  part('filter-count').textContent =
    words.length === 0 ? '' : text('console.filter.count', { shown, all: rows.length });
});
