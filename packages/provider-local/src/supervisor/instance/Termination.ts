/**
 * Ends a process with all its descendants.
 */
import { allGone, findMarked, type Identity, killRest, signalAll, signalGroup } from "./Processes.ts"

/** How long the end of a killed process may take to be seen. */
const killMillis = 5000

/** SIGTERM, and SIGKILL after `grace`; `exited` resolves once the process has ended, or at the timeout. */
export const terminate = async (
  identity: Identity | undefined,
  mark: { readonly owner: string; readonly instance: string },
  grace: number,
  exited: (timeout: number) => Promise<void>
): Promise<void> => {
  /** It and all its descendants, as far as they can be found. */
  const marked = () => findMarked(mark.owner, [mark.instance]).filter(({ instance }) => instance === mark.instance)
  if (identity !== undefined) {
    const deadline = Date.now() + grace
    const others = marked().filter(({ pid }) => pid !== identity.pid)
    signalGroup(identity, "SIGTERM")
    // Processes of its group get the signal twice, which is harmless.
    signalAll(others, "SIGTERM")
    await exited(grace)
    await allGone(others, deadline - Date.now())
    signalGroup(identity, "SIGKILL")
    await exited(killMillis)
    killRest(identity.pid)
  }
  // A killed process may have started another one just before.
  for (let left = marked(); left.length > 0; left = marked()) {
    signalAll(left, "SIGKILL")
    await allGone(left, 1000)
  }
}
