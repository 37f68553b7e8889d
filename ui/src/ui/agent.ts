// What a browser says of itself, short. It is a claim and shown as one.
const browsers: [RegExp, string][] = [
  [/Edg(?:e|A|iOS)?\/(\d+)?/, 'Edge'],
  [/OPR\/(\d+)?/, 'Opera'],
  [/(?:Firefox|FxiOS)\/(\d+)?/, 'Firefox'],
  [/(?:Chrome|Chromium|CriOS)\/(\d+)?/, 'Chrome'],
  [/(?:Version\/(\d+).*)?Safari\//, 'Safari'],
];
const systems: [RegExp, string][] = [
  [/Android/, 'Android'],
  [/iPhone|iPad/, 'iOS'],
  [/Tizen/, 'Tizen'],
  [/Web0S|webOS/, 'webOS'],
  [/CrOS/, 'ChromeOS'],
  [/Windows/, 'Windows'],
  [/Mac OS X/, 'macOS'],
  [/Linux/, 'Linux'],
];

/** The browser, and the system after it. */
function parts(agent: string): { browser?: string; version?: string; system?: string } {
  const system = systems.find(([mark]) => mark.test(agent))?.[1];
  for (const [mark, browser] of browsers) {
    const found = mark.exec(agent);
    if (found) return { browser, version: found[1], system };
  }
  return { system };
}

/** "Firefox, Linux": a person knows the browser; else the beginning of what it says. */
export function browserOf(agent: string): string {
  const { browser, system } = parts(agent);
  return browser ? [browser, system].filter(Boolean).join(', ') : agent.slice(0, 60);
}

/** "Firefox 128, Linux": an old screen shows its age. */
export function agentWords(agent: string): string {
  const { browser, version, system } = parts(agent);
  return (
    [[browser, version].filter(Boolean).join(' '), system].filter(Boolean).join(', ') ||
    agent.slice(0, 60) ||
    '–'
  );
}
