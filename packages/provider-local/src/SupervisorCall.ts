/**
 * One call of the supervisor, over its socket.
 */
import { existsSync, realpathSync } from "node:fs"
import { request } from "node:http"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type { ProviderReason } from "@signalbox/core/spi"
import { socketOf } from "./supervisor/Paths.ts"
import type { Line } from "./supervisor/Protocol.ts"

/** There was no answer, or it ended too early. */
export interface Cut {
  readonly _tag: "Cut"
}

export const isCut = (error: unknown): error is Cut =>
  typeof error === "object" && error !== null && (error as Cut)._tag === "Cut"

/** One call. The calling fiber reports progress in order, and none of it after the answer. */
export const call = (
  directory: string,
  operation: string,
  body: object,
  progress?: (message: string, resource?: string) => Effect.Effect<void>
): Effect.Effect<unknown, ProviderReason | Cut> =>
  Effect.acquireUseRelease(
    Effect.map(Queue.unbounded<Line | Cut>(), (lines) => ({ lines, close: send(directory, operation, body, lines) })),
    ({ lines }) =>
      Effect.gen(function* () {
        for (;;) {
          const line = yield* Queue.take(lines)
          if ("_tag" in line) return yield* Effect.fail(line)
          if ("ok" in line) return line.ok
          if ("failed" in line) return yield* Effect.fail(line.failed)
          if (progress !== undefined) yield* progress(line.progress, line.resource)
        }
      }),
    // The supervisor continues: it finishes the work, or the next mutation takes over.
    ({ close }) => Effect.sync(close)
  )

const send = (directory: string, operation: string, body: object, lines: Queue.Queue<Line | Cut>): (() => void) => {
  const cut = () => {
    Queue.offerUnsafe(lines, { _tag: "Cut" })
  }
  if (!existsSync(directory)) {
    cut()
    return () => undefined
  }
  const sent = request(
    {
      socketPath: socketOf(realpathSync(directory)),
      path: `/${operation}`,
      method: "POST",
      agent: false
    },
    (response) => {
      let text = ""
      response.setEncoding("utf8")
      response.on("data", (chunk: string) => {
        const parts = (text + chunk).split("\n")
        text = parts.pop()!
        for (const part of parts) Queue.offerUnsafe(lines, JSON.parse(part) as Line)
      })
      response.once("close", cut)
      response.once("error", cut)
    }
  )
  sent.on("error", cut)
  sent.end(JSON.stringify(body))
  return () => sent.destroy()
}
