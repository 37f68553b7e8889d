const browsers: [RegExp, string][] = [
  [/Edg(?:e|A|iOS)?\//, 'Edge'],
  [/OPR\//, 'Opera'],
  [/Firefox\/|FxiOS\//, 'Firefox'],
  [/Chrome\/|CriOS\//, 'Chrome'],
  [/Safari\//, 'Safari'],
];

const systems: [RegExp, string][] = [
  [/Android/, 'Android'],
  [/iPhone|iPad/, 'iOS'],
  [/Windows/, 'Windows'],
  [/Mac OS X/, 'macOS'],
  [/CrOS/, 'ChromeOS'],
  [/Linux/, 'Linux'],
];

/** "Firefox, Linux" of what a browser says of itself; else the beginning of that. */
export function browserOf(agent: string): string {
  const of = (table: [RegExp, string][]) => table.find(([mark]) => mark.test(agent))?.[1];
  const browser = of(browsers);
  return browser ? [browser, of(systems)].filter(Boolean).join(', ') : agent.slice(0, 60);
}
