export function define(): void {}
export async function run(): Promise<number> { return 0; }
