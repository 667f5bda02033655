/**
 * Brings a release in: `stage` starts it, `shift` gives it traffic, `retire` takes the others away.
 */
import { existsSync } from "node:fs"
import type { Instance } from "../instance/Instance.ts"
import { type Mutations, refuse } from "../Protocol.ts"
import type { Stack } from "../Stack.ts"
import { bringIn, takeAway } from "./Capacity.ts"
import { learn, name, needSecrets, type Run } from "./Operation.ts"
import { open, readBack } from "./PublicTraffic.ts"

export const stage = async (stack: Stack, { capacityPercent, record }: Mutations["stage"], run: Run): Promise<void> => {
  const { state } = stack
  const known = learn(stack, record)
  const { id } = record.release
  const wanted = Math.ceil((record.runtime.instances * capacityPercent) / 100)
  if (!existsSync(stack.directoryOf(known)))
    refuse({ _tag: "Conflict", message: `the files of ${name(record.release)} are not there` })
  needSecrets(stack, known, wanted)
  await open(stack, record.runtime.port)
  const left = stack.instances.filter(
    ({ record: { releaseId } }) =>
      releaseId !== id && releaseId !== state.stable && (state.weights[releaseId] ?? 0) === 0
  )
  for (const {
    record: { releaseId }
  } of left)
    state.releases[releaseId]!.wanted = 0
  if (state.stable !== id) state.candidate = id
  if (known.wanted < wanted || stack.of(id).length < wanted || left.length > 0) run.effect(id)
  await takeAway(stack, left, run)
  await bringIn(stack, known, wanted, run)
}

export const shift = async (stack: Stack, { percent, releaseId }: Mutations["shift"], run: Run): Promise<void> => {
  const { stable, weights } = stack.state
  const known = stack.state.releases[releaseId]
  if (known === undefined || known.wanted === 0) {
    return refuse({ _tag: "Missing", message: `no capacity of release ${releaseId}` })
  }
  if (percent > 0 && stack.readyOf(releaseId).length === 0) {
    const [instance] = stack.of(releaseId)
    return refuse({
      _tag: "Broken",
      message: `no instance of ${name(known.release)} is ready${instance === undefined ? "" : `:\n${instance.log.tail}`}`
    })
  }
  const rest = stable ?? releaseId
  const whole = stable === null && percent === 0 ? 0 : 100
  const asked = rest === releaseId ? { [releaseId]: whole } : { [releaseId]: percent, [rest]: 100 - percent }
  const wanted = Object.fromEntries(Object.entries(asked).filter(([, share]) => share > 0))
  const same = Object.keys({ ...weights, ...wanted }).every((id) => weights[id] === wanted[id])
  if (!same) {
    run.effect(releaseId)
    // On disk first: after a crash, traffic uses either the newer or the older weights, never none.
    const before = stack.state.weights
    stack.state.weights = wanted
    try {
      await stack.house.file.save()
    } catch (error) {
      stack.state.weights = before
      throw error
    }
    stack.setWeights(wanted)
  }
  await readBack(stack, run)
}

export const retire = async (stack: Stack, { capacityPercent, keep }: Mutations["retire"], run: Run): Promise<void> => {
  const { state } = stack
  const kept = state.releases[keep]
  if (kept === undefined || kept.wanted === 0)
    return refuse({ _tag: "Missing", message: `no capacity of release ${keep}` })
  if (stack.readyOf(keep).length === 0)
    refuse({ _tag: "Conflict", message: `no instance of ${name(kept.release)} is ready` })
  const shares = { ...state.weights, ...stack.proxy.balancer.effective() }
  for (const [id, share] of Object.entries(shares)) {
    if (id !== keep && share > capacityPercent + 1e-6) {
      refuse({
        _tag: "Conflict",
        message: `${name(state.releases[id]!.release)} still carries ${share} % of the traffic`
      })
    }
  }
  const surplus: Array<Instance> = []
  let changed = false
  for (const [id, known] of Object.entries(state.releases)) {
    if (id === keep) continue
    const wanted = Math.min(known.wanted, Math.ceil((known.runtime.instances * capacityPercent) / 100))
    changed ||= wanted < known.wanted
    known.wanted = wanted
    surplus.push(...stack.of(id).slice(wanted))
  }
  if (capacityPercent === 0) {
    changed ||= state.stable !== keep || state.candidate !== null
    state.stable = keep
    state.candidate = null
  }
  if (changed || surplus.length > 0) run.effect(keep)
  await stack.house.file.save()
  await takeAway(stack, surplus, run)
  if (capacityPercent === 0) stack.prune()
}
