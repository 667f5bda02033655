/**
 * The operations of the port on one stack. Each is idempotent: it looks at the current state and does what is missing,
 * so that it can be interrupted anywhere and called again.
 */
import { existsSync } from "node:fs"
import type { Drift, Release } from "@signalbox/core/spi"
import type { Instance, Trouble } from "./instance/Instance.ts"
import * as FailedLogs from "./instance/FailedLogs.ts"
import { portIsFixed, portIsUnusable } from "./PublicPort.ts"
import { freePort } from "./instance/Ports.ts"
import { monotonic } from "./proxy/Requests.ts"
import { type Counted, type Mutations, Refusal, refuse, type ReleaseRecord } from "./Protocol.ts"
import type { Stack } from "./Stack.ts"
import type { KnownRelease } from "./State.ts"

/** The input of an operation: `effect` records, once, that something is being changed. */
export interface Run {
  readonly key: string
  readonly signal: AbortSignal
  readonly progress: (message: string, resource?: string) => void
  readonly effect: (releaseId: string | null) => void
}

const superseded = (run: Run): void => {
  if (run.signal.aborted) refuse({ _tag: "Conflict", message: "another operation took over" })
}

const name = (release: Release): string => `${release.version} (${release.id.slice(0, 12)})`

const learn = (stack: Stack, record: ReleaseRecord): KnownRelease =>
  (stack.state.releases[record.release.id] ??= { ...record, wanted: 0, usedAt: Date.now() })

/** Refuses to start a release without its secrets, before anything changes. */
const needSecrets = (stack: Stack, known: KnownRelease, wanted: number): void => {
  if (stack.of(known.release.id).filter(({ alive }) => alive).length >= wanted) return
  const [missing] = stack.missing(known)
  if (missing === undefined) return
  refuse({
    _tag: "Invalid",
    message: `${name(known.release)} is not started without ${missing.variable}, which is not set here and which no process of it has`,
    path: ["env", missing.property],
    hint: `Set ${missing.variable} where signalbox runs.`
  })
}

/** Binds the public port: the requested one, or any port that is then kept. */
const open = async (stack: Stack, asked: number): Promise<void> => {
  const { proxy, state } = stack
  if (asked !== 0 && state.port !== 0 && asked !== state.port && proxy.port !== undefined) {
    refuse(portIsFixed(state, state.port))
  }
  if (proxy.port !== undefined) return
  const port = asked !== 0 ? asked : state.port !== 0 ? state.port : await freePort(new Set())
  try {
    await proxy.listen(port)
  } catch (error) {
    const reason = portIsUnusable(port, (error as NodeJS.ErrnoException).code ?? String(error))
    // A port that was chosen here and is now taken may become free again.
    refuse(asked === 0 ? { _tag: "Unavailable", message: reason.message } : reason)
  }
  state.port = port
}

/** Brings a release to `wanted` instances and waits until all are ready; if they fail, removes the new ones. */
const bringIn = async (stack: Stack, known: KnownRelease, wanted: number, run: Run): Promise<void> => {
  const { release, runtime } = known
  const file = stack.house.file
  known.wanted = Math.max(known.wanted, wanted)
  known.usedAt = Date.now()
  await file.save()
  let broken: { readonly instance: Instance; readonly trouble: Trouble; readonly tail: string } | undefined
  const watch = (instance: Instance) => {
    let again = 1
    instance.onCrash = (trouble) => {
      const tail = instance.tail
      // Its port was free when it was chosen and may have been taken before it was bound.
      if (/EADDRINUSE|address already in use/i.test(tail) && again-- > 0) return true
      broken ??= { instance, trouble, tail }
      return false
    }
  }
  const fresh = stack.of(release.id).filter(({ status }) => status === "starting")
  for (const instance of fresh) watch(instance)
  for (const instance of stack.of(release.id)) instance.startNow()
  while (stack.of(release.id).length < wanted && broken === undefined) {
    superseded(run)
    const instance = await stack.launch(known)
    watch(instance)
    fresh.push(instance)
    run.progress(`started ${instance.record.id} of ${name(release)}`, instance.record.id)
  }
  await stack.until(
    () => broken !== undefined || stack.readyOf(release.id).length >= wanted,
    runtime.readiness.timeout,
    run.signal
  )
  const missing = stack.of(release.id).find(({ ready }) => !ready)
  const failed =
    broken ??
    (stack.readyOf(release.id).length >= wanted || missing === undefined
      ? undefined
      : {
          instance: missing,
          trouble: missing.unready,
          tail: missing.tail
        })
  if (run.signal.aborted) superseded(run)
  if (failed === undefined) {
    for (const instance of fresh) instance.onCrash = () => true
    run.progress(`${wanted} of ${runtime.instances} instances of ${name(release)} are ready`, release.id)
    return
  }
  const { record } = failed.instance
  const log = FailedLogs.keep(stack.house.root, stack.state, {
    instance: record.id,
    releaseId: release.id,
    text: failed.instance.endOfLog
  })
  await Promise.all(
    stack
      .of(release.id)
      .filter(({ ready }) => !ready)
      .map((instance) => stack.drop(instance, run.signal, true))
  )
  known.wanted = stack.of(release.id).length
  if (known.wanted === 0 && stack.state.candidate === release.id) stack.state.candidate = null
  await file.save()
  refuse({
    _tag: "Broken",
    message:
      `${name(release)} does not come up: ${failed.trouble.reason}` +
      (failed.tail === "" ? "" : `; the end of its log:\n${failed.tail}`),
    resource: record.id,
    hint: [failed.trouble.hint, log === undefined ? "It wrote no log." : `Its log: ${log}`]
      .filter((text) => text !== undefined)
      .join(" ")
  })
}

const takeAway = async (stack: Stack, instances: ReadonlyArray<Instance>, run: Run): Promise<void> => {
  for (const { record } of instances) run.progress(`draining ${record.id}`, record.id)
  await Promise.all(instances.map((instance) => stack.drop(instance, run.signal)))
  superseded(run)
}

/** Waits until requests are really divided as requested. */
const readBack = async (stack: Stack, run: Run): Promise<void> => {
  const asked = Object.entries(stack.state.weights).filter(([, percent]) => percent > 0)
  const agrees = () => {
    const effective = stack.proxy.balancer.effective()
    return asked.every(([id, percent]) => Math.abs((effective[id] ?? 0) - percent) < 0.001)
  }
  if (await stack.until(agrees, 10_000, run.signal)) return
  superseded(run)
  refuse({ _tag: "Unavailable", message: "a release that should share the traffic has no ready instance" })
}

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
      message: `no instance of ${name(known.release)} is ready${instance === undefined ? "" : `:\n${instance.tail}`}`
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

/** Replaces instance by instance: the new one is ready before the old one is drained. */
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

export const detect = (stack: Stack, configDigest: string): ReadonlyArray<Drift> => {
  const { releases, stable, weights } = stack.state
  const drifts: Array<Drift> = []
  for (const [id, known] of Object.entries(releases)) {
    const running = stack.of(id).filter(({ alive }) => alive).length
    if (known.wanted > 0 && running < known.wanted) {
      drifts.push({
        field: id === stable ? "instances" : `instances of ${known.release.version}`,
        expected: `${known.wanted} running`,
        actual: `${running} running`,
        owned: true
      })
    }
  }
  const known = stable === null ? undefined : releases[stable]
  if (known !== undefined && known.release.configDigest !== configDigest) {
    drifts.push({ field: "config", expected: configDigest, actual: known.release.configDigest, owned: false })
  }
  const print = (shares: Readonly<Record<string, number>>) =>
    Object.entries(shares)
      .filter(([, share]) => share > 0)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([id, share]) => `${releases[id]?.release.version ?? id} ${share} %`)
      .join(", ")
  const [expected, actual] = [print(weights), print(stack.proxy.balancer.effective())]
  if (expected !== actual)
    drifts.push({ field: "traffic", expected, actual: actual === "" ? "none" : actual, owned: true })
  return drifts
}

export const correct = async (stack: Stack, { fields }: Mutations["correct"], run: Run): Promise<void> => {
  const { releases, stable } = stack.state
  const known = stable === null ? undefined : releases[stable]
  if (fields.includes("config")) {
    refuse({
      _tag: "Unsupported",
      message: "a changed configuration is deployed, not corrected",
      capability: "drift.config"
    })
  }
  if (known === undefined || fields.length === 0) return
  const short = stack.of(known.release.id).filter(({ alive }) => alive).length < known.wanted
  if ((fields.includes("instances") || fields.includes("traffic")) && short) {
    needSecrets(stack, known, known.wanted)
    run.effect(known.release.id)
    await bringIn(stack, known, known.wanted, run)
  }
  if (fields.includes("traffic")) {
    stack.setWeights(stack.state.weights)
    await readBack(stack, run)
  }
}

export const measure = (stack: Stack, releaseId: string, window: number): Counted => {
  const known = stack.state.releases[releaseId]
  const healthy =
    known === undefined || known.wanted === 0
      ? null
      : Math.min(100, (100 * stack.readyOf(releaseId).length) / known.wanted)
  if (known === undefined) return { requests: 0, errors: 0, latency: null, healthy }
  return stack.requestsOf(releaseId).measure(monotonic(), window, healthy)
}

export const reasonOf = (error: unknown) =>
  error instanceof Refusal
    ? error.reason
    : {
        _tag: "Unavailable" as const,
        message: `the supervisor could not do it: ${error instanceof Error ? error.message : String(error)}`
      }
