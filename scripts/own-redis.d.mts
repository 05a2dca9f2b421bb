export function ownRedis(): Promise<{ url: string; cli: (...args: string[]) => string }>;
export function freePort(): Promise<number>;
