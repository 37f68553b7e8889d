// What a browser says of itself, short. It is a claim and shown as one.
const browsers: [RegExp, string][] = [
  [/Edg\/(\d+)/, 'Edge'],
  [/OPR\/(\d+)/, 'Opera'],
  [/Firefox\/(\d+)/, 'Firefox'],
  [/(?:Headless)?Chrom(?:e|ium)\/(\d+)/, 'Chrome'],
  [/Version\/(\d+).*Safari/, 'Safari'],
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

export function agentWords(agent: string): string {
  const found = browsers.flatMap(([re, name]) => {
    const m = re.exec(agent);
    return m ? [`${name} ${m[1]}`] : [];
  })[0];
  const system = systems.find(([re]) => re.test(agent))?.[1];
  return [found, system].filter(Boolean).join(', ') || agent.slice(0, 60) || '–';
}
