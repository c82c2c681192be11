/** A browser's own words about itself -> a fixed vocabulary. The raw text is never shown or stored (T11). */

const SYSTEMS: ReadonlyArray<readonly [RegExp, string]> = [
  [/Windows NT/, 'Windows'],
  [/iPhone|iPad|iPod/, 'iOS'],
  [/Android/, 'Android'],
  [/HarmonyOS|OpenHarmony/, 'HarmonyOS'],
  [/CrOS/, 'ChromeOS'],
  [/Mac OS X|Macintosh/, 'macOS'],
  [/Linux|X11/, 'Linux'],
];
const BROWSERS: ReadonlyArray<readonly [RegExp, string]> = [
  [/Edg(e|A|iOS)?\//, 'Edge'],
  [/OPR\//, 'Opera'],
  [/SamsungBrowser\//, 'Samsung Internet'],
  [/Firefox\/|FxiOS\//, 'Firefox'],
  [/Chrome\/|CriOS\//, 'Chrome'],
  [/Version\/[\d.]+ .*Safari\//, 'Safari'],
];

export function browserName(userAgent: string | undefined): { name: string; system: string } {
  const text = (userAgent ?? '').slice(0, 512);
  const of = (table: typeof SYSTEMS) => table.find(([pattern]) => pattern.test(text))?.[1] ?? 'unknown';
  return { name: of(BROWSERS), system: of(SYSTEMS) };
}
