/**
 * Notifiers of plug-ins, in both directions.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import { Json } from "../domain/Release.ts"
import * as Redaction from "../domain/secrets/Redaction.ts"
import { NotifierCapabilities, type NotifierKind, Receipt } from "../spi/Notifier.ts"
import { NotifyError, NotifyReason } from "../spi/NotifyError.ts"
import { settled } from "./fromPlugin.ts"
import { NotifyFailure, type PlainNotifier, type PluginNotifier } from "./PlainNotifier.ts"
import type { Plugin, PluginContext } from "./Plugin.ts"

/** Reads the value of a secret by the name of its variable; undefined if it is not set. */
export type ReadSecret = (name: string) => string | undefined

const isReason = Schema.is(NotifyReason)
const isReceipt = Schema.is(Receipt)
const isCapabilities = Schema.is(NotifierCapabilities)
const isJson = Schema.is(Json)

/** More of a receipt is not stored. */
const longestReceipt = 4_096

const nameOf = (reference: unknown): string | undefined =>
  typeof reference === "object" && reference !== null && "$secret" in reference ? String(reference.$secret) : undefined

const firstLine = (error: unknown): string => {
  const { message } = (typeof error === "object" && error !== null ? error : {}) as { readonly message?: unknown }
  return (typeof message === "string" ? message : String(error)).split("\n")[0] ?? ""
}

/** The strings of a value, replaced. */
const mapStrings = (value: Json, change: (text: string) => string): Json =>
  typeof value === "string"
    ? change(value)
    : Array.isArray(value)
      ? value.map((item) => mapStrings(item, change))
      : typeof value === "object" && value !== null
        ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapStrings(item as Json, change)]))
        : value

/** The secrets of one channel, and how they are kept out of everything that is stored or shown. */
const makeSecrets = (readSecret: ReadSecret) => {
  const values = new Set<string>()
  let redactor: Redaction.Redactor | undefined
  return {
    resolve: (reference: unknown): string => {
      const name = nameOf(reference)
      if (name === undefined) {
        throw new NotifyFailure({
          _tag: "Invalid",
          message: "a secret is no reference",
          hint: 'Write { "$secret": "NAME" }, or secret("NAME") in TypeScript.'
        })
      }
      const value = readSecret(name)
      if (value === undefined || value === "") {
        throw new NotifyFailure({
          _tag: "Denied",
          message: `the variable ${name} is not set`,
          hint: `Set ${name} in the environment, then: signalbox notify retry`
        })
      }
      if (!values.has(value)) {
        values.add(value)
        redactor = Redaction.make({ values: [...values] })
      }
      return value
    },
    cover: (text: string): string => {
      redactor ??= Redaction.make({ values: [...values] })
      return redactor.redact(text)
    },
    coverKnown: (text: string): string => {
      let covered = text
      for (const value of values) covered = covered.replaceAll(value, Redaction.mask)
      return covered
    }
  }
}

/**
 * A kind of notifier of a plug-in, as the engine uses it.
 *
 * *Details*: its module is loaded when a channel is opened. Secrets that it resolved are masked in what it renders, in
 * receipts and in errors. A wrong answer is `Invalid` before it is sent, and `Unknown` after.
 */
export const fromNotifier = (
  kind: string,
  plugin: PluginNotifier,
  context: PluginContext,
  readSecret: ReadSecret
): NotifierKind => ({
  check: (options) => plugin.check?.(options) ?? [],
  make: (channel, options) => {
    const secrets = makeSecrets(readSecret)
    const failed = (reason: NotifyReason) =>
      new NotifyError({
        channel,
        notifier: kind,
        reason: {
          ...reason,
          message: secrets.cover(reason.message),
          ...(reason.hint === undefined ? {} : { hint: secrets.cover(reason.hint) })
        }
      })
    const failure =
      (otherwise: "Invalid" | "Unknown") =>
      (error: unknown): NotifyError => {
        const { reason } = (typeof error === "object" && error !== null ? error : {}) as { readonly reason?: unknown }
        return failed(isReason(reason) ? reason : { _tag: otherwise, message: firstLine(error) })
      }
    const open = async () => {
      const plain = await plugin.load({ ...context, channel, options, secret: secrets.resolve })
      if (isCapabilities(plain.capabilities)) return plain
      throw new Error(`the notifier ${kind} has no valid capabilities`)
    }
    return Effect.map(Effect.tryPromise({ try: open, catch: failure("Invalid") }), (plain) => ({
      kind,
      capabilities: plain.capabilities,
      render: (message, text) => {
        const rendered: unknown = plain.render(message, text)
        return mapStrings(isJson(rendered) ? rendered : null, secrets.coverKnown)
      },
      send: (delivery, rendered) =>
        rendered === null
          ? Effect.fail(failed({ _tag: "Invalid", message: `the notifier ${kind} rendered no JSON` }))
          : Effect.flatMap(
              settled((signal) => plain.send({ signal, delivery, rendered }), failure("Unknown")),
              (receipt) =>
                !isReceipt(receipt) || JSON.stringify(receipt).length > longestReceipt
                  ? Effect.fail(failed({ _tag: "Unknown", message: `the notifier ${kind} gave a wrong receipt` }))
                  : Effect.succeed(mapStrings(receipt, secrets.coverKnown) as Receipt)
            )
    }))
  }
})

/** The notifiers of all plug-ins, by kind. */
export const notifiersOf = (
  plugins: ReadonlyArray<Plugin>,
  context: PluginContext,
  readSecret: ReadSecret
): ReadonlyMap<string, NotifierKind> =>
  new Map(
    plugins.flatMap(({ notifiers = {} }) =>
      Object.entries(notifiers).map(
        ([kind, notifier]) => [kind, fromNotifier(kind, notifier, context, readSecret)] as const
      )
    )
  )

/**
 * A notifier that is written with Effect, for `notifiers` of a plug-in.
 *
 * *Details*: `make` returns the whole of a kind; secrets in its options stay references, which `readSecret` resolves.
 */
export const effectNotifier = (make: (readSecret: ReadSecret) => NotifierKind): PluginNotifier => ({
  check: (options) => make(() => undefined).check(options),
  load: async ({ channel, options, secret }) => {
    const run = async <A>(effect: Effect.Effect<A, NotifyError>, signal?: AbortSignal): Promise<A> => {
      const exit = await Effect.runPromiseExit(effect, signal === undefined ? {} : { signal })
      if (Exit.isSuccess(exit)) return exit.value
      throw Cause.squash(exit.cause)
    }
    const kind = make((name) => secret({ $secret: name }))
    const notifier = await run(kind.make(channel, options))
    return {
      capabilities: notifier.capabilities,
      render: notifier.render,
      send: ({ delivery, rendered, signal }) => run(notifier.send(delivery, rendered), signal)
    } satisfies PlainNotifier
  }
})
