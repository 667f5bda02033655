/**
 * The files through which a step of GitHub Actions passes data to later steps.
 */
import * as Fs from "node:fs"
import * as Effect from "effect/Effect"
import type { Invocation } from "../main/Invocation.ts"

/** Sets outputs of the step, if this runs as one. An unwritable file stops nothing. */
export const setOutputs = (
  { host, say }: Invocation,
  outputs: Readonly<Record<string, string | number>>
): Effect.Effect<void> => {
  const file = host.env.GITHUB_OUTPUT
  if (!file) return Effect.void
  const lines = Object.entries(outputs).map(([name, value]) => {
    const end = `end-${crypto.randomUUID()}`
    return `${name}<<${end}\n${value}\n${end}\n`
  })
  return Effect.try(() => Fs.appendFileSync(file, lines.join(""))).pipe(
    Effect.catch((error) => say(`GITHUB_OUTPUT cannot be written: ${String(error.cause)}`))
  )
}
