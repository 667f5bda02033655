/** Looks every few milliseconds until it is true; throws if it does not come true in time. */
export const until = async (what: string, holds: () => boolean, millis = 300_000): Promise<void> => {
  const end = performance.now() + millis
  while (!holds()) {
    if (performance.now() > end) throw new Error(`not within ${millis} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
