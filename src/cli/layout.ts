/** Plain text for people: aligned columns, and records of one line a field. */

/** Columns as wide as their widest cell, two spaces apart. */
export function table(head: readonly string[], rows: ReadonlyArray<readonly string[]>): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => width(row[column] ?? ''))));
  return all
    .map((row) =>
      row
        .map((cell, column) => pad(cell, widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** `name  value`, one line each; a list takes one line an entry; what is absent is left out. */
export function record(
  fields: ReadonlyArray<readonly [name: string, value: string | readonly string[] | undefined]>,
): string {
  const lines = fields.flatMap(([name, value]) => {
    const values = typeof value === 'string' ? [value] : (value ?? []);
    return values.filter((text) => text !== '').map((text, i) => [i === 0 ? name : '', text] as const);
  });
  const column = Math.max(0, ...lines.map(([name]) => width(name)));
  return lines.map(([name, text]) => `${pad(name, column)}  ${text}`).join('\n');
}

/** A terminal gives Chinese, Japanese, Korean and emoji two cells. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;

function width(text: string): number {
  return [...text].reduce((sum, character) => sum + (WIDE.test(character) ? 2 : 1), 0);
}

function pad(text: string, to: number): string {
  return text + ' '.repeat(Math.max(0, to - width(text)));
}
