/**
 * Shows the messages of the watching process: a line for each transition, and below them, on a terminal, what it waits
 * for.
 */
import { executionView } from "@signalbox/core/api/views"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { canRedraw } from "../host/color.ts"
import { inkOf, type Invocation, write } from "../main/Invocation.ts"
import { schemas } from "../json/schemas.ts"
import type { Message } from "../json/monitor.ts"
import { outcome } from "../execution/outcome.ts"
import { Redraw } from "./Redraw.ts"
import { cut } from "./text.ts"
import { printable } from "./words.ts"

const silence = 30_000

export interface Shown {
  /** Shows a message; events that were already shown are left out. */
  readonly on: (message: Message) => Effect.Effect<void>
  /** Up to where each execution was shown; with `in progress`, without ended ones. */
  readonly positions: (which: "all" | "in progress") => Readonly<Record<string, number>>
  /** Up to where starts and ends have been watched, with `--follow`. */
  readonly heardTo: () => number | undefined
  /** The number of the last shown event, and its execution. */
  readonly last: () => { readonly stream: string; readonly seq: number } | undefined
  readonly end: Effect.Effect<void>
}

/** Shows messages on stdout; with `json`, one object for each. `after` leaves out earlier messages of an execution. */
export const show = (inv: Invocation, after: number): Shown => {
  const { stdout } = inv.host
  const redraw = !inv.json && canRedraw(inv.host.env, stdout) ? new Redraw(stdout) : undefined
  const positions = new Map<string, number>()
  const over = new Set<string>()
  const texts = new Map<string, string>()
  let last: ReturnType<Shown["last"]>
  let heardTo: number | undefined
  let saidAt = Date.now()
  const line = (text: string) => {
    saidAt = Date.now()
    return redraw === undefined ? write(inv.host, [text]) : Effect.sync(() => redraw.above(printable(text)))
  }
  const waits = (stream: string, text: string) =>
    Effect.gen(function* () {
      if (text === "") texts.delete(stream)
      else texts.set(stream, text)
      const all = [...texts.values()]
      if (redraw !== undefined) return redraw.draw(all.map((one) => cut(one, stdout.columns())))
      const now = yield* Clock.currentTimeMillis
      if (now - saidAt < silence || all.length === 0) return
      saidAt = now
      yield* Effect.forEach(all, inv.say, { discard: true })
    })
  return {
    on: (message) => {
      switch (message._tag) {
        case "Event": {
          if (message.position <= (positions.get(message.stream) ?? 0)) return Effect.void
          positions.set(message.stream, message.position)
          last = { stream: message.stream, seq: message.seq }
          if (message.seq <= after) return Effect.void
          if (inv.json)
            return inv.item({ schema: schemas.event, position: message.position, ...message.view }, () => [])
          return message.line === null ? Effect.void : line(message.line)
        }
        case "Live":
          return waits(message.stream, message.text)
        case "Over":
          over.add(message.stream)
          return waits(message.stream, "")
        case "Heard":
          heardTo = message.position
          return Effect.void
        case "Note":
          return redraw === undefined ? inv.say(message.text) : line(message.text)
        case "End":
          return Effect.gen(function* () {
            redraw?.draw([])
            const { execution } = message
            const now = yield* Clock.currentTimeMillis
            if (execution !== null) {
              yield* inv.item({ schema: schemas.execution, ...executionView(execution, now) }, () =>
                outcome(execution, inkOf(inv))
              )
            } else if (inv.json) yield* inv.item({ schema: schemas.execution, execution: null }, () => [])
            else yield* write(inv.host, ["Nothing is in progress."])
            yield* inv.exit(message.exitCode)
          })
      }
    },
    positions: (which) => Object.fromEntries([...positions].filter(([stream]) => which === "all" || !over.has(stream))),
    heardTo: () => heardTo,
    last: () => last,
    end: Effect.sync(() => redraw?.end())
  }
}
