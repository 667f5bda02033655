/**
 * A receiver in memory with faults, and its notifier: the reference for channels.
 */
import * as Effect from "effect/Effect"
import type { Message } from "../../domain/notification/index.ts"
import type { Json } from "../../domain/Release.ts"
import type { Delivery, Notifier, NotifierCapabilities, Receipt } from "../../spi/Notifier.ts"
import { NotifyError, type NotifyReason } from "../../spi/NotifyError.ts"
import type { MessageText } from "../../text/notification/messageText.ts"
import type { Received, ReceiverFault } from "./NotifierSuiteHarness.ts"

/** What the receiver in memory can do, if not told otherwise: everything. */
export const allCapabilities: NotifierCapabilities = {
  update: true,
  thread: true,
  acknowledge: true,
  dedupe: "key",
  limits: { bytes: 20_000 }
}

/** An arrival: which delivery, and what was rendered. */
export interface Arrival {
  readonly id: string
  readonly attempt: number
  readonly message: Message
  readonly rendered: Json
}

interface Shown {
  readonly id: string
  readonly key: string
  readonly under: string | undefined
  text: string
  raw: string
  changes: number
}

/**
 * Makes one.
 *
 * *Details*: `fault` holds for the next notification; `failing` decides for each one. `arrivals` are the notifications that the
 * receiver took, also repeats, in order. A channel that hangs keeps its connection open until it is interrupted.
 */
export const makeMemoryReceiver = (capabilities: NotifierCapabilities = allCapabilities) => {
  const shown: Array<Shown> = []
  const arrivals: Array<Arrival> = []
  const keys = new Map<string, Receipt>()
  let next: ReceiverFault | undefined
  let failing: (delivery: Delivery) => ReceiverFault | undefined = () => undefined
  let connections = 0

  const take = (delivery: Delivery, rendered: Json): Receipt => {
    arrivals.push({ id: delivery.id, attempt: delivery.attempt, message: delivery.message, rendered })
    const known = keys.get(delivery.id)
    if (known !== undefined && capabilities.dedupe === "key") return known
    const text = JSON.stringify(rendered)
    const root = shown.find(({ id }) => id === delivery.earlier?.root)
    const repeats = delivery.earlier?.last === delivery.id
    if (root !== undefined && capabilities.update) {
      if (!repeats || root.text !== text) root.changes++
      root.text = text
      root.raw = text
    }
    const replies = root !== undefined && capabilities.thread && !(repeats && capabilities.dedupe === "update")
    const isNew = root === undefined || (!capabilities.update && !capabilities.thread)
    if (replies || isNew) {
      shown.push({
        id: String(shown.length + 1),
        key: delivery.id,
        under: replies ? root!.id : undefined,
        text,
        raw: text,
        changes: 0
      })
    }
    const receipt = { root: isNew ? String(shown.length) : root!.id, last: delivery.id }
    keys.set(delivery.id, receipt)
    return receipt
  }

  const failed = (reason: NotifyReason) =>
    Effect.fail(new NotifyError({ channel: "memory", notifier: "memory", reason }))

  const answer = (delivery: Delivery, rendered: Json): Effect.Effect<Receipt, NotifyError> => {
    const fault = next ?? failing(delivery)
    next = undefined
    switch (fault?._tag) {
      case undefined:
        return Effect.sync(() => take(delivery, rendered))
      case "RateLimited":
        return failed({ _tag: "RateLimited", message: "too many", retryAfterMs: fault.retryAfterMs })
      case "Unavailable":
        return failed({ _tag: "Unavailable", message: "the receiver fails" })
      case "Hang":
        return Effect.never
      case "Drop":
        take(delivery, rendered)
        return failed({ _tag: "Unknown", message: "the connection was closed without an answer" })
      case "Gone":
        return failed({ _tag: "Gone", message: "there is no such channel" })
      case "Denied":
        return failed({ _tag: "Denied", message: "the token is not allowed" })
    }
  }

  const notifier: Notifier = {
    kind: "memory",
    capabilities,
    render: (_: Message, text: MessageText): Json => {
      const most = capabilities.limits.bytes
      const cut = (line: string) => (line.length > 200 ? `${line.slice(0, 199)}…` : line)
      const full = {
        title: cut(text.title),
        fields: text.fields.map(({ name, value }) => `${name}: ${cut(value)}`),
        lines: text.lines.map(cut).slice(-40)
      }
      // Characters are up to 3 bytes, and 2 characters are enough to escape one.
      return JSON.stringify(full).length * 3 > most ? { ...full, lines: full.lines.slice(-5) } : full
    },
    send: (delivery, rendered) =>
      Effect.suspend(() => {
        connections++
        return Effect.ensuring(
          answer(delivery, rendered),
          Effect.sync(() => connections--)
        )
      })
  }

  return {
    notifier,
    received: Effect.sync((): ReadonlyArray<Received> => shown.map((one) => ({ ...one }))),
    arrivals: (): ReadonlyArray<Arrival> => arrivals,
    connections: Effect.sync(() => connections),
    fault: (fault: ReceiverFault) =>
      Effect.sync(() => {
        next = fault
      }),
    failing: (decide: typeof failing) => {
      failing = decide
    }
  }
}

/** A receiver in memory. */
export type MemoryReceiver = ReturnType<typeof makeMemoryReceiver>
