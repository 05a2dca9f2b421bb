/** The version, from package.json, and what the server calls itself in CONNECTED. */
import manifest from '../../package.json' with { type: 'json' };

export const VERSION: string = manifest.version;
export const SERVER = `wssess/${VERSION}`;
