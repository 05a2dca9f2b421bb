/** Agent strings, short enough for a column: `Chrome 156, Windows`. `show` and JSON have them whole. */

/** In this order: Edge and Opera also call themselves Chrome, and Chrome also calls itself Safari. */
const BROWSERS: readonly (readonly [name: string, version: RegExp])[] = [
  ['Edge', /\bEdg(?:e|A|iOS)?\/(\d+)/],
  ['Opera', /\bOPR\/(\d+)/],
  ['Samsung Internet', /\bSamsungBrowser\/(\d+)/],
  ['Firefox', /\b(?:Firefox|FxiOS)\/(\d+)/],
  ['Chrome', /\b(?:Chrome|CriOS)\/(\d+)/],
  ['Safari', /\bVersion\/(\d+)\S* (?:Mobile\/\S+ )?Safari\//],
];

/** In this order: Android also calls itself Linux, and iPads call themselves like Mac OS X. */
const SYSTEMS: readonly (readonly [name: string, sign: RegExp])[] = [
  ['Windows', /\bWindows\b/],
  ['Android', /\bAndroid\b/],
  ['iOS', /\b(?:iPhone|iPad|iPod)\b/],
  ['macOS', /\bMac OS X\b/],
  ['Linux', /\bLinux\b/],
];

/** Browser, major version and system; what isn't a known browser stays as it is. */
export function shortAgent(agent: string): string {
  for (const [name, version] of BROWSERS) {
    const major = version.exec(agent)?.[1];
    if (!major) continue;
    const system = SYSTEMS.find(([, sign]) => sign.test(agent))?.[0];
    return `${name} ${major}${system ? `, ${system}` : ''}`;
  }
  return agent;
}
