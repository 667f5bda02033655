import { setTimeout as sleep } from "node:timers/promises"

/** Polls until something holds, with a bound against hanging. */
export const eventually = async (what: string, look: () => boolean | Promise<boolean>): Promise<void> => {
  for (const end = performance.now() + 120_000; !(await look()); await sleep(100)) {
    if (performance.now() > end) throw new Error(`${what} did not happen`)
  }
}
