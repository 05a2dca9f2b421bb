import { VERSIONS, type Version } from './frame.ts';

/**
 * The highest version both sides speak (1.1 and 1.2 "Protocol Negotiation"). A client without the header speaks 1.0. The
 * list is read in any order, with spaces around its commas.
 * @returns undefined when there is none in common: the caller answers with an ERROR that lists VERSIONS.
 */
export function negotiate(acceptVersion: string | undefined): Version | undefined {
  if (acceptVersion === undefined) return '1.0';
  const accepted = acceptVersion.split(',').map((version) => version.trim());
  return VERSIONS.find((version) => accepted.includes(version));
}
