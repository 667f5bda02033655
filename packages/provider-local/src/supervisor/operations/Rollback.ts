/**
 * Restores the release of a checkpoint, or takes a stack down.
 */
import { existsSync } from "node:fs"
import * as FailedLogs from "../instance/FailedLogs.ts"
import { type Mutations, refuse } from "../Protocol.ts"
import type { Stack } from "../Stack.ts"
import { bringIn, takeAway } from "./Capacity.ts"
import { learn, name, needSecrets, type Run, superseded } from "./Operation.ts"
import { open, readBack } from "./PublicTraffic.ts"

export const rollback = async (
  stack: Stack,
  { checkpoint, record }: Mutations["rollback"],
  run: Run
): Promise<void> => {
  const { state } = stack
  if (checkpoint.release === null) return takeDown(stack, run)
  const { id } = checkpoint.release
  const found = state.releases[id] ?? record
  if (found === null)
    return refuse({ _tag: "Missing", message: `nothing is known of release ${name(checkpoint.release)}` })
  const known = learn(stack, found)
  if (!existsSync(stack.directoryOf(known))) {
    return refuse({ _tag: "Missing", message: `the files of release ${name(known.release)} are gone` })
  }
  needSecrets(stack, known, known.runtime.instances)
  const others = () => stack.instances.filter(({ record: { releaseId } }) => releaseId !== id)
  const settled =
    state.stable === id &&
    state.candidate === null &&
    state.weights[id] === 100 &&
    others().length === 0 &&
    stack.of(id).length >= known.runtime.instances
  if (!settled) run.effect(id)
  const toIt = async () => {
    state.weights = { [id]: 100 }
    stack.setWeights(state.weights)
    await stack.house.file.save()
    run.progress(`all traffic goes to ${name(known.release)}`, id)
  }
  await open(stack, 0)
  const early = stack.readyOf(id).length > 0
  if (early) await toIt()
  await bringIn(stack, known, known.runtime.instances, run)
  if (!early) await toIt()
  state.stable = id
  state.candidate = null
  for (const other of Object.values(state.releases)) if (other !== known) other.wanted = 0
  await stack.house.file.save()
  await readBack(stack, run)
  await takeAway(stack, others(), run)
  stack.prune()
}

export const destroy = async (stack: Stack, run: Run): Promise<void> => {
  await takeDown(stack, run)
  FailedLogs.forget(stack.house.root, stack.state)
}

/** The cause of the failure can still be looked up afterwards. */
const takeDown = async (stack: Stack, run: Run): Promise<void> => {
  if (stack.state.port !== 0 || stack.state.instances.length > 0) run.effect(null)
  stack.setWeights({})
  for (const known of Object.values(stack.state.releases)) known.wanted = 0
  await stack.house.file.save()
  await stack.close({ signal: run.signal, hurry: false })
  superseded(run)
  stack.gone = true
}
