/**
 * Whether a stack can go back to a checkpoint. The log holds the template of every checkpoint, so all that can be missing
 * is a value that AWS hides, or a status that an update is possible from.
 */
import type { Checkpoint, WayBack } from "@signalbox/core/spi"
import { unpack } from "./Deployable.ts"
import type { Secrets } from "./Secrets.ts"
import { parametersOf, type Seen } from "./Seen.ts"
import { meaningOf } from "./StackStatus.ts"
import { isTooLong } from "./template/TemplateUpload.ts"

const impossible = (why: string): WayBack => ({ how: "impossible", why })

export const wayBack = (
  { bucket, name, secrets }: { readonly bucket: string | undefined; readonly name: string; readonly secrets: Secrets },
  seen: Seen | null,
  { data, release }: Checkpoint
): WayBack => {
  if (release === null) return { how: "rebuild", why: `${name} did not exist, so it is deleted` }
  const deployable = unpack(data)
  if (deployable === null) return impossible("the checkpoint has no template")
  const { back, class: kind } = meaningOf(seen?.stack.StackStatus ?? "DELETE_COMPLETE")
  if (back === "refuse") return impossible(`${name} is in ${seen!.stack.StackStatus}, which has to be ended first`)
  if (seen !== null && kind === "usable" && seen.release.id === release.id) {
    return { how: "switch", why: `${name} runs ${release.version}` }
  }
  const made = seen === null || back === "delete"
  const kept = made ? {} : parametersOf(seen.stack)
  const lost = deployable.previous.find(
    (parameter) => !Object.hasOwn(kept, parameter) && secrets.peek(parameter) === undefined
  )
  if (lost !== undefined) {
    return impossible(`${name} does not have the value of ${lost} any more, and AWS has never shown it`)
  }
  if (bucket === undefined && isTooLong(deployable.body)) {
    return impossible(`the template of ${release.version} is too long for a call, and there is no bucket`)
  }
  return {
    how: "rebuild",
    why: made
      ? `${name} is created again with the template of ${release.version}`
      : `an update gives ${name} the template of ${release.version} again`
  }
}
