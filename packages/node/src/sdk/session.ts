/** Shared by all methods of a connection. */
import { type Config, Configuration } from "@signalbox/core/config"
import { Signalbox } from "@signalbox/core/engine"
import { Actor, type Manifest, type Provider, Providers, type StoreError } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as ManagedRuntime from "effect/ManagedRuntime"
import type * as Stream from "effect/Stream"
import { userInfo } from "node:os"
import type { OpenTelemetryMissing } from "../telemetry/OpenTelemetryMissing.ts"
import { named } from "./input.ts"
import { iterate, type Open } from "./iterate.ts"
import type * as SignalboxNode from "./SignalboxNode.ts"
import { ConflictError } from "./SignalboxError.ts"
import { fromCause, interrupted } from "./toSignalboxError.ts"

type Services = SignalboxNode.Services

const user = (): string => {
  try {
    return userInfo().username || "unknown"
  } catch {
    return "unknown"
  }
}

/** Runs effects for promises until it is closed. */
const runs = (runtime: ManagedRuntime.ManagedRuntime<Services, StoreError | OpenTelemetryMissing>) => {
  const open: Open = new Set()
  let closing: Promise<void> | undefined
  const refuseClosed = () => {
    if (closing === undefined) return
    throw new ConflictError({ code: "closed", message: "this connection is closed", hint: "Connect again." })
  }
  return {
    run: async <A, E>(effect: Effect.Effect<A, E, Services>, signal?: AbortSignal): Promise<A> => {
      refuseClosed()
      if (signal?.aborted === true) throw interrupted(signal.reason)
      const exit = await runtime.runPromiseExit(effect, signal === undefined ? {} : { signal })
      if (Exit.isSuccess(exit)) return exit.value
      throw fromCause(exit.cause, signal)
    },
    iterate: <A>(stream: Stream.Stream<A, unknown, Services>, signal: AbortSignal | undefined): AsyncIterable<A> => {
      const context = async () => {
        refuseClosed()
        return runtime.context()
      }
      return iterate(stream, context, { open, signal })
    },
    close: (): Promise<void> => (closing ??= Promise.all([...open].map((end) => end())).then(() => runtime.dispose()))
  }
}

export interface Session extends ReturnType<typeof runs> {
  readonly providers: ReadonlyMap<string, Provider>
  /** The default actor of calls. */
  readonly by: (one: string | undefined) => string
  readonly box: <A, E>(
    use: (signalbox: Signalbox["Service"]) => Effect.Effect<A, E>,
    signal: AbortSignal | undefined
  ) => Promise<A>
  readonly checked: (configuration: Config) => Promise<Manifest>
}

/** Opens the stores. */
export const session = async (
  runtime: ManagedRuntime.ManagedRuntime<Services, StoreError | OpenTelemetryMissing>,
  everyone: string | undefined
): Promise<Session> => {
  const shared = runs(runtime)
  const { run } = shared
  const providers = await run(Effect.map(Providers, (installed) => installed))
  return {
    ...shared,
    providers,
    by: (one) => named(Actor, "by", one ?? everyone ?? user()),
    box: (use, signal) => run(Effect.flatMap(Signalbox, use), signal),
    checked: (configuration) => run(Effect.fromResult(Configuration.check(configuration, providers)))
  }
}
