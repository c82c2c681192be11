// Reads the page's data block once and removes it, so that its secrets live in script memory only.

export type Texts = Record<string, string>;

export function takePageData<T>(): T {
  const block = document.getElementById('page-data');
  if (!block) throw new Error('page data is missing');
  const data = JSON.parse(block.textContent ?? '') as T;
  block.remove();
  return data;
}

/** Looks a text up and fills its {placeholders}; an unknown key shows itself, which is easier to find than a blank. */
export function textOf(texts: Texts, key: string, values: Record<string, string | number> = {}): string {
  const text = texts[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => (name in values ? String(values[name]) : whole));
}
