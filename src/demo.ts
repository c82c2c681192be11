export async function startDemo(..._: unknown[]): Promise<() => Promise<void>> { return async () => {}; }
