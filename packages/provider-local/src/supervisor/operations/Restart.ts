/**
 * Replaces the processes of the stable release.
 */
import { refuse } from "../Protocol.ts"
import type { Stack } from "../Stack.ts"
import { bringIn, takeAway } from "./Capacity.ts"
import { needSecrets, type Run, superseded } from "./Operation.ts"

/** Instance by instance: the new one is ready before the old one is drained. */
export const restart = async (stack: Stack, run: Run): Promise<void> => {
  const { state } = stack
  if (state.stable === null) return refuse({ _tag: "Missing", message: "nothing is deployed" })
  const known = state.releases[state.stable]!
  needSecrets(stack, known, Number.POSITIVE_INFINITY)
  if (state.restarting?.key !== run.key) {
    run.effect(state.stable)
    state.restarting = { key: run.key, left: stack.of(state.stable).map(({ record }) => record.id) }
  }
  for (const id of state.restarting.left) {
    superseded(run)
    const old = stack.instances.find(({ record }) => record.id === id)
    if (old?.ready === true) await bringIn(stack, { ...known }, stack.of(state.stable).length + 1, run)
    if (old !== undefined) await takeAway(stack, [old], run)
    await bringIn(stack, known, known.wanted, run)
    state.restarting.left = state.restarting.left.filter((other) => other !== id)
    await stack.house.file.save()
  }
  state.restarting = null
}
