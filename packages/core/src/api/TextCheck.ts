/**
 * Text from people, checked before anything is recorded: logs, tables and terminals show it, where a line break or an
 * escape sequence would forge the surrounding output.
 */
import * as Effect from "effect/Effect"
import type { Origin } from "../domain/Event.ts"
import { unfitIn } from "../domain/Line.ts"
import { reject, type Rejected } from "./Rejected.ts"

type Texts = Readonly<Record<string, string | undefined>>

/** Rejects the first text that does not fit on a line. */
export const inLines = (texts: Texts): Effect.Effect<void, Rejected> => {
  for (const [path, text] of Object.entries(texts)) {
    const character = text === undefined ? undefined : unfitIn(text)
    if (character === undefined) continue
    return Effect.fail(reject("text_unfit", { field: path, character }, { path }))
  }
  return Effect.void
}

/** The texts of a request. */
export const ofRequest = (request: {
  readonly by: string
  readonly version?: string
  readonly artifact?: string
  readonly artifacts?: Readonly<Record<string, string>>
  readonly to?: string
  readonly reason?: string
  readonly override?: string
  readonly origin?: Origin
}): Texts => ({
  version: request.version,
  artifact: request.artifact,
  ...Object.fromEntries(Object.entries(request.artifacts ?? {}).map(([stack, text]) => [`artifacts.${stack}`, text])),
  to: request.to,
  by: request.by,
  reason: request.reason,
  override: request.override,
  "origin.commit": request.origin?.commit,
  "origin.workflowRun": request.origin?.workflowRun
})
