/** Maps the engine's errors to the Promise facade's. */
import type { Rejected } from "@signalbox/core/api"
import type { ConfigurationInvalid } from "@signalbox/core/config"
import type { PluginInvalid } from "@signalbox/core/plugin"
import type { LeaseHeld, LeaseLost, ProviderError, StoreError } from "@signalbox/core/spi"
import { type DescribedError, errorView } from "@signalbox/core/text"
import * as Cause from "effect/Cause"
import type { OpenTelemetryMissing } from "../telemetry/OpenTelemetryMissing.ts"
import {
  BlockedError,
  ConfigurationError,
  ConflictError,
  InterruptedError,
  InvalidInputError,
  isSignalboxError,
  LeaseLostError,
  NotFoundError,
  ProviderFailedError,
  type SignalboxError,
  StoreFailedError,
  UnexpectedError
} from "./SignalboxError.ts"

/** All errors of the engine, and of the layers below it. */
type EngineError =
  | Rejected
  | ConfigurationInvalid
  | PluginInvalid
  | LeaseHeld
  | LeaseLost
  | StoreError
  | ProviderError
  | OpenTelemetryMissing

const refusals = {
  invalid: InvalidInputError,
  not_found: NotFoundError,
  conflict: ConflictError
} as const

const fromEngine = (error: EngineError): SignalboxError => {
  switch (error._tag) {
    case "ConfigurationInvalid":
      return new ConfigurationError({ ...error.info, message: error.message, issues: error.issues, cause: error })
    case "PluginInvalid":
      return new InvalidInputError({ ...error.info, cause: error })
    case "Rejected": {
      const view = errorView(error.info)
      return error.kind === "blocked"
        ? new BlockedError({ ...view, lease: error.lease, cause: error })
        : new refusals[error.kind]({ ...view, cause: error })
    }
    case "LeaseHeld":
      return new BlockedError({
        code: "blocked_by_lease",
        message: error.message,
        hint: "Try again when that execution has finished.",
        lease: error.lease,
        cause: error
      })
    case "LeaseLost":
      return new LeaseLostError({
        ...errorView(error.info),
        hint:
          error.outage === undefined
            ? "Another process carries it on, or this one was stopped for longer than the lease lasts: attach to it."
            : "When the store can be reached again, look at what became of it with executions.get(correlationId), and attach to a deployment to carry it on.",
        isRetryable: error.outage !== undefined,
        cause: error
      })
    case "StoreError":
      return new StoreFailedError({
        ...errorView(error.info),
        message: error.message,
        reason: error.reason,
        isRetryable: error.isRetryable,
        cause: error
      })
    case "ProviderError":
      return new ProviderFailedError({
        ...errorView(error.info),
        provider: error.provider,
        reason: error.reason._tag,
        isRetryable: error.isRetryable,
        cause: error
      })
    case "OpenTelemetryMissing":
      return new InvalidInputError({ ...error.info, path: "telemetry", cause: error })
  }
}

const tags: ReadonlySet<unknown> = new Set<EngineError["_tag"]>([
  "ConfigurationInvalid",
  "PluginInvalid",
  "Rejected",
  "LeaseHeld",
  "LeaseLost",
  "StoreError",
  "ProviderError",
  "OpenTelemetryMissing"
])

const isEngineError = (error: unknown): error is EngineError =>
  typeof error === "object" && error !== null && "_tag" in error && tags.has(error._tag)

/** Anything that was thrown. */
export const toSignalboxError = (error: unknown): SignalboxError =>
  isSignalboxError(error)
    ? error
    : isEngineError(error)
      ? fromEngine(error)
      : new UnexpectedError({
          code: "internal",
          message: error instanceof Error ? error.message : String(error),
          hint: "What was done is in the log. Please report it.",
          cause: error
        })

const carriedOn = {
  message: "interrupted: what was in progress is kept, and attach carries it on",
  hint: "Carry it on with executions.attach(correlationId)."
}

/** The effect of a signal, or of closing the connection. */
export const interrupted = (
  cause?: unknown,
  said: Pick<DescribedError, "message" | "hint"> = carriedOn
): InterruptedError => new InterruptedError({ ...said, code: "interrupted", ...(cause === undefined ? {} : { cause }) })

/** Why an effect ended without a value. */
export const fromCause = (cause: Cause.Cause<unknown>, signal: AbortSignal | undefined): SignalboxError =>
  Cause.hasInterruptsOnly(cause) ? interrupted(signal?.reason) : toSignalboxError(Cause.squash(cause))
