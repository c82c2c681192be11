export async function announce(..._: unknown[]): Promise<void> {}
