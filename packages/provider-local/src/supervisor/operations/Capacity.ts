/**
 * Brings instances of a release in, and takes instances away.
 */
import * as FailedLogs from "../instance/FailedLogs.ts"
import type { Instance } from "../instance/Instance.ts"
import type { Trouble } from "../instance/Trouble.ts"
import { refuse } from "../Protocol.ts"
import type { Stack } from "../Stack.ts"
import type { KnownRelease } from "../State.ts"
import { name, type Run, superseded } from "./Operation.ts"

/** Brings a release to `wanted` instances and waits until all are ready; if they fail, removes the new ones. */
export const bringIn = async (stack: Stack, known: KnownRelease, wanted: number, run: Run): Promise<void> => {
  const { release, runtime } = known
  const file = stack.house.file
  known.wanted = Math.max(known.wanted, wanted)
  known.usedAt = Date.now()
  await file.save()
  let broken: { readonly instance: Instance; readonly trouble: Trouble; readonly tail: string } | undefined
  const watch = (instance: Instance) => {
    let again = 1
    instance.onCrash = (trouble) => {
      const tail = instance.log.tail
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
          tail: missing.log.tail
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
    lines: failed.instance.log.end
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

/** Drains and stops instances. */
export const takeAway = async (stack: Stack, instances: ReadonlyArray<Instance>, run: Run): Promise<void> => {
  for (const { record } of instances) run.progress(`draining ${record.id}`, record.id)
  await Promise.all(instances.map((instance) => stack.drop(instance, run.signal)))
  superseded(run)
}
