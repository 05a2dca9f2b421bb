/**
 * The same text in one piece. V8 makes a sum of strings a chain of its parts, which takes up to thirty times its
 * length where they are short; what is kept must take what it is counted as.
 */
export const flat = (text: string): string => Buffer.from(text, 'latin1').toString('latin1');
